"""What a run found: the table of `docs/performance.md`'s kind, and each goal met or missed."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.figures import NONE, added, ratio, typical
from bench.measure import Measured, Metric

DIRECT, NGINX, GATEWAY, PORTKEY = "direct", "nginx", "gateway", "Portkey"
_LITELLM_TO_NGINX: Final = 443
"""CPU of LiteLLM 1.106.2 without a database, as measured beside nginx once. The bench does not run it."""


@dataclass(frozen=True)
class Findings:
    """All that one run measured. Resident sizes are in megabytes, ``cold_start`` in seconds, ``resolution`` in µs of CPU."""

    measured: Measured
    resident: Mapping[str, float] = field(default_factory=dict)
    cold_start: float = NONE
    resolution: Mapping[str, float] = field(default_factory=dict)
    storm: tuple[int, int] = (0, 0)
    """Requests of the storm of misses, and how many of them failed."""

    def typical(self, target: str, metric: Metric) -> float:
        return typical(self.measured.of(target, metric))

    def added(self, target: str, metric: Metric) -> list[float]:
        """What each round measured above the direct way; nothing where the target was not there."""
        rounds = self.measured.of(target, metric)
        return added(rounds, self.measured.of(DIRECT, metric)) if rounds else []

    def ratio(self, metric: Metric, target: str, other: str) -> float:
        return ratio(self.measured.of(target, metric), self.measured.of(other, metric))

    def added_ratio(self, metric: Metric, other: str) -> float:
        return ratio(self.added(GATEWAY, metric), self.added(other, metric))

    def resident_ratio(self, other: str) -> float:
        return self.resident.get(GATEWAY, NONE) / self.resident.get(other, NONE)


# --- The table ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Row:
    title: str
    value: Callable[[Findings, str], float]
    ratio: Callable[[Findings, str], float]
    places: int
    scale: float = 1


def _plain(title: str, metric: Metric, places: int, scale: float = 1) -> _Row:
    def compared(found: Findings, other: str) -> float:
        return found.ratio(metric, GATEWAY, other)

    return _Row(title, lambda found, target: found.typical(target, metric), compared, places, scale)


def _above(title: str, metric: Metric, places: int, scale: float) -> _Row:
    def value(found: Findings, target: str) -> float:
        return NONE if target == DIRECT else typical(found.added(target, metric))

    return _Row(title, value, lambda found, other: found.added_ratio(metric, other), places, scale)


_ROWS: Final = (
    _plain("CPU, s per 1,000 requests", Metric.CPU, 3),
    _above("added latency p50, µs (c=1)", Metric.P50, 0, 1e6),
    _above("added latency p99, µs (c=1)", Metric.P99, 0, 1e6),
    _above("first stream event, added ms (c=1)", Metric.FIRST, 2, 1e3),
    _plain("32 paced streams: first event p50, ms", Metric.PACED_FIRST, 2, 1e3),
    _plain("32 paced streams: gap p99, ms (sent every 20)", Metric.PACED_GAP, 2, 1e3),
    _plain("burst, 1,000 events/s", Metric.BURST, 1, 1e-3),
    _plain("requests/s, c=16", Metric.RATE_BUSY, 0),
    _plain("requests/s, c=64", Metric.RATE_CROWD, 0),
    _Row("resident memory, MB", lambda found, target: found.resident.get(target, NONE), Findings.resident_ratio, 0),
)


def table(found: Findings) -> Iterator[str]:
    """Markdown: a line for each figure, with our gateway's ratio to nginx and to Portkey. A dash: not measured."""
    targets = [name for name in (DIRECT, NGINX, GATEWAY, PORTKEY) if name in found.measured.rounds]
    others = [name for name in (NGINX, PORTKEY) if name in targets]
    titles = ["", *targets, *(f"gateway ÷ {name}" for name in others)]
    yield _line(titles)
    yield _line(["---", *("--:" for _ in titles[1:])])
    for row in _ROWS:
        values = [_number(row.value(found, name) * row.scale, row.places) for name in targets]
        yield _line([row.title, *values, *(_number(row.ratio(found, name), 2) for name in others)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float, places: int) -> str:
    return f"{value:,.{places}f}" if not math.isnan(value) else "–"


# --- The goals ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Goal:
    """One half-sentence of a goal and what was found: it is met when ``value`` is at most (or at least) ``bound``."""

    name: str
    title: str
    value: float
    bound: float
    at_least: bool = False
    places: int = 2

    @property
    def met(self) -> bool | None:
        """``None``: not measured, or lost in the noise."""
        if math.isnan(self.value):
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        verdict = {True: "met", False: "MISSED", None: "not measured"}[self.met]
        sign = "≥" if self.at_least else "≤"
        bound = f"{sign} {_number(self.bound, self.places)}"
        return f"{self.name}  {self.title:<58} {bound:>9}  {_number(self.value, self.places):>9}  {verdict}"


def goals(found: Findings) -> list[Goal]:
    """G1 to G4 and G8 of the design, in their order."""
    gap = [ours - other for ours, other in zip(_paced(found, GATEWAY), _paced(found, DIRECT), strict=True)]
    crowd = ratio(found.measured.of(GATEWAY, Metric.RATE_CROWD), found.measured.of(GATEWAY, Metric.RATE_BUSY))
    to_nginx = found.ratio(Metric.CPU, GATEWAY, NGINX)
    asked, failed = found.storm
    return [
        Goal("G1", "CPU per request ÷ nginx", to_nginx, 10),
        Goal("G1", "CPU per request ÷ Portkey", found.ratio(Metric.CPU, GATEWAY, PORTKEY), 0.33),
        Goal("G1", "CPU per request ÷ LiteLLM (on record, not run)", to_nginx / _LITELLM_TO_NGINX, 1 / 40, places=3),
        Goal("G2", "added p50 at c=1 ÷ nginx", found.added_ratio(Metric.P50, NGINX), 2.5),
        Goal("G2", "added p99 at c=1 ÷ nginx", found.added_ratio(Metric.P99, NGINX), 3),
        Goal("G2", "throughput at c=64 ÷ c=16", crowd, 0.9, at_least=True),
        Goal("G3", "first stream event, added ÷ nginx", found.added_ratio(Metric.FIRST, NGINX), 2),
        Goal("G3", "32 paced streams: first event p50, ms", found.typical(GATEWAY, Metric.PACED_FIRST) * 1e3, 5),
        Goal("G3", "32 paced streams: gap p99 above direct, ms", typical(gap) * 1e3, 1),
        Goal("G3", "burst events/s ÷ Portkey", found.ratio(Metric.BURST, GATEWAY, PORTKEY), 5, at_least=True),
        Goal("G4", "key resolution warm, µs of CPU", found.resolution.get("all", NONE), 15, places=1),
        Goal("G4", f"errors in a storm of {asked} misses at c=64", failed if asked else NONE, 0, places=0),
        Goal("G8", "resident memory ÷ Portkey", found.resident_ratio(PORTKEY), 0.35),
        Goal("G8", "cold start of the web process, s", found.cold_start, 3),
    ]


def _paced(found: Findings, target: str) -> list[float]:
    return found.measured.of(target, Metric.PACED_GAP)
