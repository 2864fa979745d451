"""A client without manners or cleverness: bytes out, bytes in, so that the wire itself can be looked at."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

HOSTS: Final = {
    "anthropic": "api.anthropic.com",
    "openai": "api.openai.com",
    "mistral": "api.mistral.ai",
    "deepseek": "api.deepseek.com",
    "xai": "api.x.ai",
    "zai": "api.z.ai",
}
# Where a check asks first, by host; elsewhere it is the models list.
PATHS: Final = {
    "api.deepseek.com": "/user/balance",
    "api.x.ai": "/v1/api-key",
    "api.z.ai": "/api/paas/v4/models",
}
MORE: Final = {"zai": {"accept-language": "en-US,en"}}
SECONDS: Final = 5.0


def headers(provider: str, key: str) -> dict[str, str]:
    """What a correct check sends to ``provider``."""
    common = {"host": HOSTS[provider], "accept": "application/json", **MORE.get(provider, {})}
    if provider == "anthropic":
        return {**common, "x-api-key": key, "anthropic-version": "2023-06-01"}
    return {**common, "authorization": f"Bearer {key}"}


def request_bytes(sent: dict[str, str], path: str = "", method: str = "GET", body: bytes = b"") -> bytes:
    fields = {**sent, "content-length": str(len(body))} if body else sent
    target = path or PATHS.get(sent.get("host", ""), "/v1/models")
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + body


@contextmanager
def connected(url: str, seconds: float = SECONDS) -> Iterator[socket.socket]:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), seconds) as connection:
        yield connection


def read_all(connection: socket.socket, limit: int = 64 * 1024 * 1024) -> bytes:
    """Everything until the other side closes, or ``limit`` bytes."""
    data = bytearray()
    while len(data) < limit and (piece := connection.recv(65536)):
        data += piece
    return bytes(data)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


def parse(data: bytes) -> Reply:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    found = re.fullmatch(r"HTTP/1\.1 (\d{3}) .*", first)
    assert found, first
    return Reply(int(found[1]), dict(line.split(": ", 1) for line in lines), body)


def ask(url: str, sent: dict[str, str], path: str = "", method: str = "GET", body: bytes = b"") -> Reply:
    """One request on its own connection, and the parsed answer."""
    return parse(exchange(url, {**sent, "connection": "close"}, path, method, body))


def exchange(url: str, sent: dict[str, str], path: str = "", method: str = "GET", body: bytes = b"") -> bytes:
    """One request on its own connection, and every byte that came back before the connection ended."""
    with connected(url) as connection:
        connection.sendall(request_bytes(sent, path, method, body))
        return read_all(connection)
