"""Bounded questions to what the product stands on: a probe answers within its time, whatever the other side does."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

log = logging.getLogger(__name__)


class Probe[Answer]:
    """A blocking question, asked in a thread of its own, at most once at a time.

    Whoever asks while it runs shares its answer, so that a frozen server holds one thread and not one a request.
    """

    def __init__(self, name: str, ask: Callable[[], Answer], *, seconds: float, otherwise: Answer) -> None:
        self._name, self._ask, self._seconds, self._otherwise = name, ask, seconds, otherwise
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"probe-{name}")
        self._running: Future[Answer] | None = None

    async def __call__(self) -> Answer:
        """The answer, or `otherwise` after `seconds` or an error."""
        if self._running is None or self._running.done():
            self._running = self._thread.submit(self._ask)
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.shield(asyncio.wrap_future(self._running))
        except Exception as error:  # noqa: BLE001  A probe reports; what went wrong is for the log.
            log.warning("The %s probe failed: %s", self._name, type(error).__name__)
            return self._otherwise
