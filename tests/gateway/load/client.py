"""The callers: so many at once, each asking for the next thing as soon as its last answer has ended."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from tests.gateway.load.mix import Kind, Program

_PATIENCE: Final = 60.0


@dataclass
class Seen:
    """What callers saw. ``statuses``: by the gateway's name for the request; times are in seconds."""

    statuses: dict[str, int] = field(default_factory=dict)
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)
    """What did not end as its kind must."""

    @property
    def count(self) -> int:
        return sum(map(len, self.times.values()))

    def take(self, kind: Kind, answer: aiohttp.ClientResponse, started: float, *, cut: bool) -> None:
        self.times[kind.name].append(time.monotonic() - started)
        self.statuses[answer.headers.get("x-request-id", "")] = answer.status
        if answer.status not in kind.expected or cut is not kind.cut:
            self.wrong.append(f"{kind.name}: {answer.status}{', cut' if cut else ''}")

    def fail(self, kind: Kind, error: Exception) -> None:
        self.times[kind.name].append(0.0)
        self.wrong.append(f"{kind.name}: {type(error).__name__}")


async def ask_all(url: str, asked: Iterator[tuple[Program, Kind]], lanes: int, each: Callable[[int], None]) -> Seen:
    """Ask for everything in ``asked``, by so many ``lanes`` at once. ``each`` is told how many have ended."""
    seen = Seen()
    timeout = aiohttp.ClientTimeout(total=_PATIENCE)
    async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:

        async def lane() -> None:
            for program, kind in asked:
                await _ask(session, program, kind, seen)
                each(seen.count)

        await asyncio.gather(*(lane() for _ in range(lanes)))
    return seen


async def _ask(session: aiohttp.ClientSession, program: Program, kind: Kind, seen: Seen) -> None:
    started = time.monotonic()
    try:
        async with session.post(kind.path, json=kind.body(), headers={"x-api-key": program.api_key}) as answer:
            cut = False
            if kind.leaves:
                await answer.content.readany()
                answer.close()
            else:
                cut = await _is_cut(answer)
            seen.take(kind, answer, started, cut=cut)
    except (aiohttp.ClientError, TimeoutError) as error:
        seen.fail(kind, error)


async def _is_cut(answer: aiohttp.ClientResponse) -> bool:
    try:
        await answer.read()
    except aiohttp.ClientPayloadError:
        return True
    return False
