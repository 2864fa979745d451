"""The run as a whole, what it found, and whether that is as it must be."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from gateway.models import RequestRecord
from tests.fakeproviders.client import FakeProviders
from tests.gateway.load.client import Seen, ask_all
from tests.gateway.load.mix import DOWN, arrange, draw
from tests.gateway.load.watch import Look, Watch
from tests.gateway.processes import Process
from tests.processes import eventually

LANES: Final = 32
SECONDS: Final = 480.0
_LOOKS: Final = 10
_IDLE_SECONDS: Final = 25.0
_MORE_DESCRIPTORS: Final = 12
_MORE_MEBIBYTES: Final = 24.0


@dataclass
class Found:
    """What a run found. ``looks``: the process while it worked, the first one warm; ``idle``: after all had ended."""

    seen: Seen
    seconds: float
    looks: list[Look]
    idle: Look
    recorded: dict[str, int]

    def complaints(self) -> Iterator[str]:
        """What is not as it must be."""
        if self.seen.wrong:
            some = ", ".join(sorted(set(self.seen.wrong))[:10])
            yield f"{len(self.seen.wrong)} answers were not as expected: {some}"
        if self.seen.statuses != self.recorded:
            missing = len(self.seen.statuses.keys() - self.recorded.keys())
            more = len(self.recorded.keys() - self.seen.statuses.keys())
            yield f"the records differ from what was seen: {missing} are missing, {more} nobody saw"
        warm = self.looks[0]
        if self.idle.descriptors > warm.descriptors + _MORE_DESCRIPTORS:
            yield f"descriptors grew from {warm.descriptors} to {self.idle.descriptors}"
        if self.looks[-1].mebibytes > warm.mebibytes + _MORE_MEBIBYTES:
            yield f"memory grew from {warm.mebibytes:.0f} to {self.looks[-1].mebibytes:.0f} MiB"
        if self.seconds > SECONDS:
            yield f"it took {self.seconds:.0f} s"


def run(process: Process, fakes: FakeProviders, requests: int, lanes: int = LANES) -> Found:
    """Ask for so much, wait until it is written down, and look at what is left."""
    programs, began = arrange(), timezone.now()
    watch = Watch(process.running.pid, max(requests // _LOOKS, 1))
    with _down(fakes):
        warm = asyncio.run(ask_all(process.url, draw(programs, max(requests // 50, lanes)), lanes, lambda _: None))
        watch.looks.append(watch.look(0))
        started = time.monotonic()
        seen = asyncio.run(ask_all(process.url, draw(programs, requests), lanes, watch.at))
        seconds = time.monotonic() - started
    expected = len(seen.statuses) + len(warm.statuses)
    records = RequestRecord.objects.filter(at__gte=began)
    eventually(lambda: records.count() >= expected, 30)
    recorded = dict(records.values_list("pk", "status"))
    for pk in warm.statuses:
        recorded.pop(pk, None)
    return Found(seen, seconds, watch.looks, _idle(watch, requests), recorded)


def _idle(watch: Watch, requests: int) -> Look:
    """The process once it has let go of its connections, which it keeps for 15 s; a short run does not wait for that."""
    most = watch.looks[0].descriptors + _MORE_DESCRIPTORS
    patience = time.monotonic() + (_IDLE_SECONDS if requests >= 1000 else 0)
    while (found := watch.look(requests)).descriptors > most and time.monotonic() < patience:
        time.sleep(0.5)
    return found


@contextmanager
def _down(fakes: FakeProviders) -> Iterator[None]:
    fakes.down(DOWN, "refuse")
    try:
        yield
    finally:
        fakes.up(DOWN)
