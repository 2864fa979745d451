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

    def take(self, asked: "Asked", answer: aiohttp.ClientResponse, body: bytes, *, cut: bool) -> None:
        kind = asked.kind
        self.times[kind.name].append(time.monotonic() - asked.at)
        self.statuses[answer.headers.get("x-request-id", "")] = answer.status
        if answer.status not in kind.expected or cut is not kind.cut:
            self.wrong.append(f"{kind.name}: {answer.status}{', cut' if cut else ''}")
        elif kind.repeats and asked.program.marker.encode() not in body:
            self.wrong.append(f"{kind.name}: an answer to somebody else")

    def fail(self, kind: Kind, error: Exception) -> None:
        self.times[kind.name].append(0.0)
        self.wrong.append(f"{kind.name}: {type(error).__name__}")


@dataclass(frozen=True)
class Asked:
    """One request that is under way, since ``at`` (``time.monotonic``)."""

    program: Program
    kind: Kind
    at: float = field(default_factory=time.monotonic)


async def ask_all(url: str, asked: Iterator[tuple[Program, Kind]], lanes: int, each: Callable[[int], None]) -> Seen:
    """Ask for everything in ``asked``, by so many ``lanes`` at once. ``each`` is told how many have ended."""
    seen = Seen()
    timeout = aiohttp.ClientTimeout(total=_PATIENCE)
    async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:

        async def lane() -> None:
            for program, kind in asked:
                await _ask(session, Asked(program, kind), seen)
                each(seen.count)

        await asyncio.gather(*(lane() for _ in range(lanes)))
    return seen


async def _ask(session: aiohttp.ClientSession, asked: Asked, seen: Seen) -> None:
    kind, program = asked.kind, asked.program
    body = kind.body(program.marker)
    try:
        async with session.post(kind.path, json=body, headers={"x-api-key": program.api_key}) as answer:
            if kind.leaves:
                await answer.content.readany()
                answer.close()
                seen.take(asked, answer, b"", cut=False)
            else:
                said, cut = await _read(answer)
                seen.take(asked, answer, said, cut=cut)
    except (aiohttp.ClientError, TimeoutError) as error:
        seen.fail(kind, error)


async def _read(answer: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """What came, and whether it was cut off."""
    said = b""
    try:
        async for some in answer.content.iter_any():
            said += some
    except aiohttp.ClientPayloadError:
        return said, True
    return said, False
