"""`python -m bench.provider`: a provider that costs next to nothing. It prints its port and lives until it is told to stop.

Which answer is wanted stands in the model of the request: see ``bench.messages.Stream``.
"""

import asyncio
import sys
from typing import Final, cast

import httptools
import uvloop

from bench import messages
from bench.messages import Stream
from bench.processes import HOST


def _answer(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_COMPLETION: Final = _answer("200 OK", messages.completion())
_REFUSAL: Final = _answer("401 Unauthorized", b'{"error": {"message": "not this key", "code": "invalid_api_key"}}')
_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_EVENT: Final = _chunk(messages.event())
_AT_ONCE: Final = 8
"""Events that a burst writes together, so that neither this process nor the client is what holds a burst up."""
_END: Final = _chunk(messages.LAST_EVENT) + _chunk(b"")
_AUTHORIZATION: Final = f"Bearer {messages.PROVIDER_KEY}".encode()


class Caller(asyncio.Protocol):
    """One connection of a gateway, or of the client itself."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._known = False
        self._body = b""
        self._left = 0
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        if value == _AUTHORIZATION and name.lower() == b"authorization":
            self._known = True

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body, self._body, known, self._known = self._body, b"", self._known, False
        wanted = Stream.asked_in(body)
        if not known:
            self._transport.write(_REFUSAL)
        elif not wanted.events:
            self._transport.write(_COMPLETION)
        else:
            self._transport.write(_HEAD)
            self._left = wanted.events
            if wanted.period:
                self._pace(self._loop.time(), wanted.period / 1000)
            else:
                self._burst()

    def _pace(self, due: float, period: float) -> None:
        if self._send(1):
            self._loop.call_at(due + period, self._pace, due + period, period)

    def _burst(self) -> None:
        # For as long as somebody takes them; in turns, so that all streams go on together.
        if not self._full and self._send(_AT_ONCE):
            self._loop.call_soon(self._burst)

    def _send(self, most: int) -> bool:
        """Whether there is more to come after these events."""
        if self._transport.is_closing():
            return False
        count = min(most, self._left)
        self._left -= count
        self._transport.write(_EVENT * count if self._left else _EVENT * count + _END)
        return self._left > 0

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        if self._left:
            self._burst()


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Caller, HOST, 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
