"""What is measured of each target, in interleaved rounds: every round asks all of them, one after the other."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import repeat
from typing import Final

from bench.figures import percentile
from bench.load import Outcome, StreamLane, ask
from bench.messages import ANSWER, Stream
from bench.targets import Target

_ALONE: Final = 1
_BUSY: Final = 16
_CROWD: Final = 64
_WARM_UP: Final = 64


class Metric(StrEnum):
    """What a round measures. Times are in seconds."""

    CPU = "cpu"
    """CPU of the gateway's processes for 1,000 requests at c=16, with what it does for them afterwards."""
    P50 = "p50"
    P99 = "p99"
    RATE_BUSY = "rate_busy"
    RATE_CROWD = "rate_crowd"
    FIRST = "first"
    PACED_FIRST = "paced_first"
    PACED_GAP = "paced_gap"
    BURST = "burst"


@dataclass(frozen=True)
class Plan:
    """How much is asked in a round, and how many rounds there are."""

    rounds: int
    alone: int
    busy: int
    firsts: int
    paced: int
    events: int
    bursts: int
    burst_events: int
    storm: int
    settle: float
    starts: int
    resolutions: int
    period: int = 20


FULL: Final = Plan(9, alone=600, busy=3000, firsts=150, paced=32, events=40, bursts=16, burst_events=2400,
                   storm=512, settle=1.3, starts=5, resolutions=1000)  # fmt: skip
QUICK: Final = Plan(3, alone=300, busy=1500, firsts=60, paced=32, events=25, bursts=16, burst_events=1200,
                    storm=256, settle=1.3, starts=2, resolutions=1000)  # fmt: skip
SMOKE: Final = Plan(1, alone=4, busy=32, firsts=2, paced=4, events=3, bursts=2, burst_events=20,
                    storm=64, settle=0, starts=1, resolutions=10, period=5)  # fmt: skip


@dataclass
class Measured:
    """What all rounds measured, by target and metric, in the order of the rounds."""

    rounds: dict[str, dict[Metric, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    failed: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def of(self, target: str, metric: Metric) -> list[float]:
        """The rounds of one metric; none for a target that was not there."""
        return self.rounds[target][metric] if target in self.rounds else []


async def measure(targets: Sequence[Target], plan: Plan, say: Callable[[str], None]) -> Measured:
    """All rounds. ``say`` is told when one begins."""
    measured = Measured()
    for target in targets:
        await _note(measured, target, repeat(target.request(), _WARM_UP), 8)
    for number in range(plan.rounds):
        say(f"round {number + 1} of {plan.rounds}")
        # Another one begins in each round, so that nobody always follows the same neighbour.
        turn = number % len(targets)
        await _round(measured, [*targets[turn:], *targets[:turn]], plan)
    return measured


async def _round(measured: Measured, targets: Sequence[Target], plan: Plan) -> None:
    for target in targets:
        await _alone(measured, target, plan)
    for target in targets:
        await _streams(measured, target, plan)
    before = {target.name: target.group.cpu_seconds() for target in targets if target.group}
    for target in targets:
        busy = await _note(measured, target, repeat(target.request(), plan.busy), _BUSY)
        measured.rounds[target.name][Metric.RATE_BUSY].append(busy.rate)
    # What is done off the path, such as writing records, is part of the price.
    await asyncio.sleep(plan.settle)
    for target in targets:
        if target.group:
            cost = (target.group.cpu_seconds() - before[target.name]) / plan.busy * 1000
            measured.rounds[target.name][Metric.CPU].append(cost)
    for target in targets:
        crowd = await _note(measured, target, repeat(target.request(), plan.busy), _CROWD)
        measured.rounds[target.name][Metric.RATE_CROWD].append(crowd.rate)


async def _alone(measured: Measured, target: Target, plan: Plan) -> None:
    outcome = await _note(measured, target, repeat(target.request(ANSWER), plan.alone), _ALONE)
    measured.rounds[target.name][Metric.P50].append(percentile(outcome.latencies, 50))
    measured.rounds[target.name][Metric.P99].append(percentile(outcome.latencies, 99))


async def _streams(measured: Measured, target: Target, plan: Plan) -> None:
    mine = measured.rounds[target.name]
    first = await _note_streams(measured, target, Stream(2), plan.firsts, _ALONE)
    mine[Metric.FIRST].append(percentile(first.first_events, 50))
    paced = await _note_streams(measured, target, Stream(plan.events, plan.period), plan.paced, plan.paced)
    mine[Metric.PACED_FIRST].append(percentile(paced.first_events, 50))
    mine[Metric.PACED_GAP].append(percentile(paced.gaps, 99))
    burst = await _note_streams(measured, target, Stream(plan.burst_events), plan.bursts, plan.bursts)
    mine[Metric.BURST].append(burst.event_rate)


async def _note_streams(measured: Measured, target: Target, stream: Stream, count: int, lanes: int) -> Outcome:
    outcome = await ask(target.port, repeat(target.request(stream), count), lanes, StreamLane)
    # The provider's last word is an event too.
    complete = outcome.events == count * (stream.events + 1)
    measured.failed[target.name] += outcome.failed + (0 if complete else 1)
    return outcome


async def _note(measured: Measured, target: Target, requests: "repeat[bytes]", lanes: int) -> Outcome:
    outcome = await ask(target.port, requests, lanes)
    measured.failed[target.name] += outcome.failed
    return outcome


async def storm(target: Target, api_keys: Sequence[str]) -> Outcome:
    """One request for each API key, none of which the gateway has met: all are misses, 64 at a time."""
    return await ask(target.port, [target.request(Authorization=f"Bearer {key}") for key in api_keys], _CROWD)
