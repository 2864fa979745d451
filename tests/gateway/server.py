"""The product's web server in a thread of the test's own process."""

import asyncio
import socket
import threading
from typing import Self

import uvicorn

from byok_site.asgi import application
from byok_site.protocol import Protocol


class Server(uvicorn.Server):
    """Says when it answers, where, and in which loop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.loop: asyncio.AbstractEventLoop

    @classmethod
    def make(cls) -> Self:
        """On a free port, with the options of the product."""
        return cls(
            uvicorn.Config(
                application, http=Protocol, port=0, lifespan="on", log_config=None, server_header=False, ws="none"
            )
        )

    @property
    def port(self) -> int:
        port: int = self.servers[0].sockets[0].getsockname()[1]
        return port

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.ready.set()
