"""The stage of a hostile behaviour: the request, the raw connection, and what the behaviour may use."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from tests.fakeproviders.model import Ask
from tests.fakeproviders.sending import send
from tests.fakeproviders.wire import Answer


@dataclass(frozen=True, slots=True)
class Stage:
    """``answer`` makes the real answer of a scenario (``good``, …); ``gate`` waits until the credential's gate opens and
    says which scenario to answer; ``targets`` are the origins that redirects lead to, by kind.
    """

    ask: Ask
    writer: asyncio.StreamWriter
    answer: Callable[[str], Answer]
    gate: Callable[[], Awaitable[str]]
    targets: dict[str, str]
    redirected: Callable[[], None]

    async def send(self, data: bytes) -> None:
        """Put ``data`` on the wire, waiting while the client does not read."""
        self.writer.write(data)
        await self.writer.drain()

    async def finish(self, answer: Answer) -> None:
        """Send a well-formed last ``answer``."""
        await send(self.writer, answer.closing())

    async def reset(self) -> None:
        """Cut the connection so that the client sees a reset, not an end."""
        # The moment lets what was already sent arrive; a reset may overtake it.
        await asyncio.sleep(0.05)
        connection: socket.socket = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Act = Callable[[Stage], Coroutine[Any, Any, None]]


def lenient_list(stage: Stage) -> bytes:
    """The body of the provider's success: what a careless client would take for proof."""
    return stage.answer("good").content or json.dumps({"object": "list", "data": []}).encode()
