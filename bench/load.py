"""The load client: lanes of one keep-alive connection each, that send the next request when the last one is answered."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, cast

import httptools

from bench.processes import HOST

_PHASE_SECONDS: Final = 60.0
_EVENT_END: Final = b"\n\n"


@dataclass
class Outcome:
    """What a phase brought. Times are in seconds; a failure is an answer other than 200, or none."""

    answered: int = 0
    failed: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    first_events: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    events: int = 0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds

    @property
    def event_rate(self) -> float:
        """Events a second, of all streams together."""
        return self.events / self.seconds


class _Phase:
    """What lanes share: the requests that are left, and the outcome."""

    def __init__(self, requests: Iterator[bytes], lanes: int) -> None:
        self.requests = requests
        self.outcome = Outcome()
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lanes = lanes

    def leave(self) -> None:
        self._lanes -= 1
        if not self._lanes and not self.over.done():
            self.over.set_result(None)


class Lane(asyncio.Protocol):
    """One connection, for answers that come whole."""

    def __init__(self, phase: _Phase) -> None:
        self._phase, self._outcome = phase, phase.outcome
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._sent = 0.0
        self._running = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def go(self) -> None:
        request = next(self._phase.requests, None)
        self._running = request is not None
        if request is None:
            self._phase.leave()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() == 200:
            self._outcome.answered += 1
            self._outcome.latencies.append(time.perf_counter() - self._sent)
        else:
            self._outcome.failed += 1
        self.go()

    def connection_lost(self, error: Exception | None) -> None:
        if self._running:
            self._running = False
            self._outcome.failed += 1
            self._phase.leave()

    def close(self) -> None:
        self._running = False
        self._transport.close()


class StreamLane(Lane):
    """One connection, for streams of events."""

    _last = 0.0
    _rest = b""

    def on_message_begin(self) -> None:
        self._last, self._rest = 0.0, b""

    def on_body(self, body: bytes) -> None:
        now, text = time.perf_counter(), self._rest + body
        events, self._rest = text.count(_EVENT_END), body[-1:]
        if not events:
            return
        if self._last:
            self._outcome.gaps.append(now - self._last)
        else:
            self._outcome.first_events.append(now - self._sent)
        # What came together was held back together: between its events there is no gap at all.
        self._outcome.gaps.extend([0.0] * (events - 1))
        self._last = now
        self._outcome.events += events


async def ask(port: int, requests: Iterable[bytes], lanes: int, kind: type[Lane] = Lane) -> Outcome:
    """Send ``requests`` over as many connections as ``lanes``, opened before the clock starts.

    Raises ``TimeoutError`` when that takes a minute.
    """
    loop = asyncio.get_running_loop()
    phase = _Phase(iter(requests), lanes)
    opened = [(await loop.create_connection(lambda: kind(phase), HOST, port))[1] for _ in range(lanes)]
    try:
        async with asyncio.timeout(_PHASE_SECONDS):
            started = time.perf_counter()
            for lane in opened:
                lane.go()
            await phase.over
            phase.outcome.seconds = time.perf_counter() - started
    finally:
        for lane in opened:
            lane.close()
    return phase.outcome
