"""uvicorn's HTTP/1.1, with bounds on what comes before anybody is asked who is there, and on who never takes an answer.

Its parser keeps as many headers as are sent, and waits for them for ever (measured: 100 MB of headers from a stranger are
100 MB of memory).
"""

import asyncio
import logging
from socket import IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET
from typing import Any, Final, override

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

try:
    from socket import TCP_USER_TIMEOUT
except ImportError:  # Linux alone has it.
    TCP_USER_TIMEOUT = None  # type: ignore[assignment, misc]

MOST_HEAD_BYTES: Final = 64 * 1024
"""Of a request's head, or of what follows its body, beyond the first piece that arrives."""

HEAD_SECONDS: Final = 60
"""For a connection's first byte, and for a whole head from its first byte on."""


TAKE_SECONDS: Final = 600
"""For a caller to take what it was sent, or any of it: the kernel then gives the connection up, also where it is dead."""

# How an answer that a provider cut off is passed on. Its record says why; an error of the server's it is none.
_CUT: Final = "ASGI callable returned without completing response."
logging.getLogger("uvicorn.error").addFilter(lambda record: record.msg != _CUT)


class Protocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._under_way = self._in_head = self._got_body = False
        self._overhead = 0
        self._timer: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if TCP_USER_TIMEOUT is not None:
            connection.setsockopt(IPPROTO_TCP, TCP_USER_TIMEOUT, int(TAKE_SECONDS * 1000))
        connection.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)
        self._wait()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        had_begun, self._got_body = self._under_way, False
        super().data_received(data)
        if not self._in_head:
            self._stop_waiting()
        elif self._timer is None or not had_begun:
            self._wait()
        if self._got_body or not self._under_way:
            self._overhead = 0
        elif had_begun:
            self._overhead += len(data)
            if self._overhead > MOST_HEAD_BYTES:
                self._refuse()

    @override
    def on_message_begin(self) -> None:
        self._under_way = self._in_head = True
        super().on_message_begin()

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        # What stands behind a body is no header: nobody who looked at the head has seen it.
        if self._in_head:
            super().on_header(name, value)

    @override
    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    @override
    def on_body(self, body: bytes) -> None:
        self._got_body = True
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        self._under_way = False
        super().on_message_complete()

    def _refuse(self) -> None:
        if self._in_head and (self.cycle is None or self.cycle.response_complete):
            self.send_400_response("The request's headers are too large.")
        else:
            self.transport.abort()

    def _wait(self) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        # While an answer is under way, the next request may take its time.
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
