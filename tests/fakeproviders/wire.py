"""HTTP/1.1 by hand: requests are read as they came, answers are written as bytes, so both can be wrong on purpose."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

MAX_BODY_BYTES: Final = 33 * 1024 * 1024
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}

Headers = tuple[tuple[str, str], ...]


class BadRequest(Exception):
    """What arrived is not an HTTP request that this reader takes."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came: ``target`` undecoded; header names in lower case, order and duplicates kept."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    version: str = "HTTP/1.1"

    @property
    def path(self) -> str:
        return unquote(self.target.partition("?")[0])

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    def all(self, name: str) -> list[str]:
        """Every value of the header ``name``, in order."""
        return [value for key, value in self.headers if key == name]

    def header(self, name: str) -> str:
        """The first value of the header ``name``; empty when it is absent."""
        return next(iter(self.all(name)), "")

    @property
    def bearer(self) -> str:
        """The bearer token; empty when there is none."""
        value = self.header("authorization")
        return value.removeprefix("Bearer ") if value.startswith("Bearer ") else ""

    @property
    def keeps_alive(self) -> bool:
        return self.version == "HTTP/1.1" and self.header("connection").lower() != "close"


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """The next request of a connection, or ``None`` when the client is done. Raises ``BadRequest``."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise BadRequest from None
        return None
    except asyncio.LimitOverrunError:
        raise BadRequest from None
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    try:
        method, target, version = first.split(" ")
        pairs = (line.split(":", 1) for line in lines)
        headers = tuple((name.lower(), value.strip()) for name, value in pairs)
        request = Request(method, target, headers, b"", version)
        return Request(method, target, headers, await _read_body(request, reader, writer), version)
    except (ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise BadRequest from None


async def _read_body(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    if request.header("expect").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if request.header("transfer-encoding").lower() == "chunked":
        return await _read_chunks(reader)
    length = int(request.header("content-length") or 0)
    if not 0 <= length <= MAX_BODY_BYTES:
        raise BadRequest
    return await reader.readexactly(length)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        if len(body) + size > MAX_BODY_BYTES:
            raise BadRequest
        body += (await reader.readexactly(size + 2))[:size]
    while (await reader.readuntil(b"\r\n")) != b"\r\n":
        pass
    return bytes(body)


@dataclass(frozen=True, slots=True)
class Events:
    """A body that comes event by event: ``each`` yields the seconds to wait before an event, and its bytes.

    ``failure`` is the event by which the provider says, in mid-stream, that it failed; ``{whole}`` in its text is the key.
    """

    each: Callable[[], Iterator[tuple[float, bytes]]]
    failure: Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """A well-formed answer; its length is added when it is written.

    ``after`` are the seconds before its first byte. With ``events`` it is sent in chunks, one an event, and has no ``body``.
    """

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Headers = ()
    after: float = 0.0
    events: Events | None = None

    def with_headers(self, headers: Headers) -> "Answer":
        """The same answer with more ``headers``."""
        return replace(self, headers=self.headers + headers)

    def closing(self) -> "Answer":
        """The same answer as the last of its connection. Unsaid, a client would keep the connection and lose a request."""
        return self.with_headers((("connection", "close"),))

    @property
    def takes_time(self) -> bool:
        """Whether the client may well hang up before it has all of it."""
        return self.after > 0 or self.events is not None

    @property
    def content(self) -> bytes:
        """The whole body, its events in a row where it has some."""
        return b"".join(event for _, event in self.events.each()) if self.events else self.body

    @property
    def wire(self) -> bytes:
        """The whole answer in one piece, with its length."""
        content = self.content
        return head(self.status, (*self._described, ("content-length", str(len(content))))) + content

    @property
    def opening(self) -> bytes:
        """The head of an answer that is sent in chunks."""
        return head(self.status, (*self._described, ("transfer-encoding", "chunked")))

    @property
    def _described(self) -> Headers:
        return ((("content-type", self.content_type),) if self.content_type else ()) + self.headers


def head(status: int, headers: Headers) -> bytes:
    """A status line and ``headers``, closed by the empty line."""
    lines = [f"HTTP/1.1 {status} {_PHRASES.get(status, '')}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data: bytes) -> bytes:
    """``data`` as one chunk; empty, it is the last."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def json_answer(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """``document`` as a JSON answer."""
    return Answer(status, json.dumps(document).encode(), headers=tuple((headers or {}).items()))
