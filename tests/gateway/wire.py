"""Bytes in and out: a provider that says exactly what a test wants, and a caller without manners."""

import re
import socket
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from tests.gateway.conftest import Gateway
from tests.trust.net import Server

BODY: Final = b'{"model":"openai/gpt-4o","messages":[{"role":"user","content":"hi"}]}'
_SECONDS: Final = 10.0


def answer(body: bytes, status: int = 200, *headers: str) -> bytes:
    """A well-formed answer of a provider, which keeps its connection."""
    described = ("content-type: application/json", f"content-length: {len(body)}", *headers)
    return f"HTTP/1.1 {status} Said\r\n{'\r\n'.join(described)}\r\n\r\n".encode() + body


def request_from(connection: socket.socket) -> bytes:
    """The next request on a connection, whole; nothing when its other end is done."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return b""
        data += more
    head = data.partition(b"\r\n\r\n")[0]
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    missing = len(head) + 4 + int(length[1] if length else 0) - len(data)
    while missing > 0 and (more := connection.recv(65536)):
        data += more
        missing -= len(more)
    return data


def provider(talk: Callable[[Server, socket.socket], None]) -> Server:
    """A provider that ``talk`` speaks for, on each of its connections."""
    server = Server(lambda connection: talk(server, connection))
    return server


def saying(said: bytes) -> Server:
    """A provider that answers each request with these bytes and hangs up."""

    def talk(_: Server, connection: socket.socket) -> None:
        if request_from(connection):
            connection.sendall(said)

    return provider(talk)


def endless(piece: bytes, every: float, start: bytes = b"") -> Server:
    """A provider that says ``piece`` again and again, ``every`` so many seconds."""

    def talk(server: Server, connection: socket.socket) -> None:
        request_from(connection)
        connection.sendall(start)
        while server.wait(every):
            connection.sendall(piece)

    return provider(talk)


def request(
    api_key: str, *headers: str, body: bytes = BODY, first: str = "POST /v1/chat/completions HTTP/1.1"
) -> bytes:
    """A request of a caller whose ``headers`` say the rest, and who wants the connection closed."""
    lines = (first, "host: localhost", "content-type: application/json", f"x-api-key: {api_key}", "connection: close")
    return "\r\n".join((*lines, *headers, "", "")).encode() + body


def exchange(gateway: Gateway, sent: bytes, seconds: float = _SECONDS) -> bytes:
    """Every byte that comes back until the gateway hangs up."""
    parts, data = urlsplit(gateway.url), b""
    with socket.create_connection((parts.hostname, parts.port), seconds) as connection:
        connection.sendall(sent)
        while more := connection.recv(65536):
            data += more
    return data
