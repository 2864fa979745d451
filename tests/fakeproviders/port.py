"""One loopback port that can go down in the ways that real providers do, and come back at the same number."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Final, Literal

Mode = Literal["up", "refuse", "freeze", "blackhole"]
HOST: Final = "127.0.0.1"
_HEADER_LIMIT: Final = 256 * 1024


class Reader(asyncio.StreamReader):
    """A reader that tells at once when the other side has hung up, whether or not anyone reads. ``left`` is set then."""

    def __init__(self) -> None:
        super().__init__(limit=_HEADER_LIMIT, loop=asyncio.get_running_loop())
        self.left = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.left.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.left.set()


Handler = Callable[[Reader, asyncio.StreamWriter], Awaitable[None]]


class Port:
    """``up``; ``refuse``: connections are refused; ``freeze``: they are taken and nothing is answered until it is up
    again; ``blackhole``: new ones are neither taken nor refused.
    """

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        # A second socket that never listens keeps the number reserved while the first is closed.
        self._reservation = _bound(0)
        self.number: int = self._reservation.getsockname()[1]
        self.thawed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._plugs: list[socket.socket] = []
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.number}"

    async def set(self, mode: Mode) -> None:
        """Go to ``mode``; ``refuse`` and ``blackhole`` cut the connections that are open, ``freeze`` keeps them."""
        if mode in ("refuse", "blackhole"):
            await self.close()
            if mode == "blackhole":
                self._plug()
            return
        if self._server is None:
            await self.close()
            self._server = await asyncio.get_running_loop().create_server(self._connected, sock=_bound(self.number))
        if mode == "freeze":
            self.thawed.clear()
        else:
            self.thawed.set()

    async def wait_for_thaw(self) -> None:
        """Wait until the port is not frozen any more."""
        await self.thawed.wait()

    async def close(self) -> None:
        """Stop listening and cut every connection."""
        for plug in self._plugs:
            plug.close()
        self._plugs.clear()
        if self._server:
            self._server.close()
            self._server = None
        self.cut()

    def cut(self) -> None:
        """Reset every open connection."""
        for writer in list(self._writers):
            connection: socket.socket = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def _connected(self) -> asyncio.StreamReaderProtocol:
        reader = Reader()
        return asyncio.StreamReaderProtocol(reader, lambda _, writer: self._take(reader, writer))

    async def _take(self, reader: Reader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._handler(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.close()

    def _plug(self) -> None:
        """Fill a queue that nobody empties: the kernel then ignores whoever else wants to connect."""
        listener = _bound(self.number)
        listener.listen(0)
        self._plugs.append(listener)
        for _ in range(4):
            plug = socket.socket()
            plug.setblocking(False)
            plug.connect_ex((HOST, self.number))
            self._plugs.append(plug)


def _bound(number: int) -> socket.socket:
    # Said to be TCP, what is accepted sends at once; else the second small piece waits for the first's acknowledgement.
    bound = socket.socket(proto=socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((HOST, number))
    return bound
