"""Answers kept for a moment. Whoever asks for one that is being fetched waits for it: a storm of misses is one query."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

KEPT_SECONDS: Final = 3.0
"""So that a revocation, a replacement or another assignment takes effect within 5 s in every process."""

NOTHING_SECONDS: Final = 1.0
_MOST: Final = 20_000


def _for_a_moment(value: object) -> float:
    return NOTHING_SECONDS if value is None else KEPT_SECONDS


class Cache[Key: Hashable, Value]:
    """Values by key, each for as many ``seconds`` as it is good: unless told otherwise ``KEPT_SECONDS``, and
    ``NOTHING_SECONDS`` for ``None``. It never holds more than ``most``.
    """

    def __init__(self, most: int = _MOST, seconds: Callable[[Value | None], float] = _for_a_moment) -> None:
        self._kept: dict[Key, tuple[float, Value | None]] = {}
        self._fetching: dict[Key, asyncio.Task[Value | None]] = {}
        self._most, self._seconds = most, seconds

    def peek(self, key: Key) -> tuple[Value | None] | None:
        """The value in a tuple, or ``None`` when it has to be fetched."""
        found = self._kept.get(key)
        return (found[1],) if found and found[0] > time.monotonic() else None

    async def get(self, key: Key, fetch: Callable[[], Awaitable[Value | None]]) -> Value | None:
        """The kept value, or a fresh one. Raises what ``fetch`` raises, and keeps nothing then."""
        found = self.peek(key)
        if found:
            return found[0]
        task = self._fetching.get(key)
        if task is None:
            task = self._fetching[key] = asyncio.ensure_future(self._fetch(key, fetch))
        # Shielded: others wait for it too, and one of them may leave.
        return await asyncio.shield(task)

    async def _fetch(self, key: Key, fetch: Callable[[], Awaitable[Value | None]]) -> Value | None:
        # Counted from before the look: what changes meanwhile must not stay for longer than it may.
        asked = time.monotonic()
        try:
            value = await fetch()
        finally:
            del self._fetching[key]
        if len(self._kept) >= self._most:
            self._make_room(asked)
        self._kept[key] = (asked + self._seconds(value), value)
        return value

    def _make_room(self, now: float) -> None:
        self._kept = {key: kept for key, kept in self._kept.items() if kept[0] > now}
        # Still full: the oldest half goes. They come back at the price of a query.
        for key in list(self._kept)[: len(self._kept) // 2 if len(self._kept) >= self._most else 0]:
            del self._kept[key]

    def drop(self, key: Key) -> None:
        """Fetch it anew when it is asked for again."""
        self._kept.pop(key, None)

    def clear(self) -> None:
        self._kept.clear()
