"""What a run prints, of made-up findings."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import pytest

from bench.measure import Measured, Metric
from bench.report import Findings, goals, table

ALL = ("direct", "nginx", "gateway", "Portkey")
# direct, nginx, gateway, Portkey
FIGURES: Mapping[Metric, tuple[float, float, float, float]] = {
    Metric.CPU: (0, 0.014, 0.126, 0.45),
    Metric.P50: (100e-6, 200e-6, 320e-6, 600e-6),
    Metric.P99: (150e-6, 300e-6, 550e-6, 900e-6),
    Metric.FIRST: (0.1e-3, 0.3e-3, 0.49e-3, 27e-3),
    Metric.PACED_FIRST: (1e-3, 2e-3, 4e-3, 30e-3),
    Metric.PACED_GAP: (21e-3, 21.2e-3, 21.9e-3, 25e-3),
    Metric.BURST: (200e3, 150e3, 60e3, 10e3),
    Metric.RATE_BUSY: (40e3, 30e3, 7e3, 2e3),
    Metric.RATE_CROWD: (40e3, 30e3, 6.8e3, 2e3),
}


def findings(names: Iterable[str] = ALL, gateway: Mapping[Metric, float] = MappingProxyType({})) -> Findings:
    """Three rounds of the figures above, of the targets that were there; ``gateway`` replaces figures of our own."""
    measured = Measured()
    for name in names:
        for metric, figures in FIGURES.items():
            value = figures[ALL.index(name)]
            value = gateway.get(metric, value) if name == "gateway" else value
            # The machine was ten times slower in the last round, for all.
            measured.rounds[name][metric] = [value, value, 10 * value]
    resident = {"nginx": 6.0, "gateway": 90.0, "Portkey": 310.0}
    there = {name: size for name, size in resident.items() if name in measured.rounds}
    return Findings(measured, there, cold_start=1.2, resolution={"all": 12.0}, storm=(512, 0))


def verdicts(found: Findings) -> list[tuple[str, bool | None]]:
    return [(goal.name, goal.met) for goal in goals(found)]


def test_the_table_has_a_line_for_each_figure_and_our_ratio_to_each_other() -> None:
    lines = list(table(findings()))
    assert lines[0] == "|  | direct | nginx | gateway | Portkey | gateway ÷ nginx | gateway ÷ Portkey |"
    assert "| CPU, s per 1,000 requests | 0.000 | 0.014 | 0.126 | 0.450 | 9.00 | 0.28 |" in lines
    assert "| added latency p50, µs (c=1) | – | 100 | 220 | 500 | 2.20 | 0.44 |" in lines
    assert "| resident memory, MB | – | 6 | 90 | 310 | 15.00 | 0.29 |" in lines


def test_what_was_not_there_has_no_column_and_leaves_its_goals_open() -> None:
    found = findings(("direct", "gateway"))
    assert next(table(found)) == "|  | direct | gateway |"
    assert verdicts(found) == [
        ("G1", None), ("G1", None), ("G1", None),
        ("G2", None), ("G2", None), ("G2", True),
        ("G3", None), ("G3", True), ("G3", True), ("G3", None),
        ("G4", True), ("G4", True),
        ("G8", None), ("G8", True),
    ]  # fmt: skip


def test_good_figures_meet_every_goal() -> None:
    assert all(goal.met for goal in goals(findings()))


@pytest.mark.parametrize(
    ("metric", "value", "missed"),
    [
        (Metric.CPU, 0.142, "CPU per request ÷ nginx"),
        (Metric.CPU, 0.149, "CPU per request ÷ Portkey"),
        (Metric.CPU, 0.2, "CPU per request ÷ LiteLLM (on record, not run)"),
        (Metric.P50, 351e-6, "added p50 at c=1 ÷ nginx"),
        (Metric.P99, 601e-6, "added p99 at c=1 ÷ nginx"),
        (Metric.RATE_CROWD, 6.2e3, "throughput at c=64 ÷ c=16"),
        (Metric.FIRST, 0.51e-3, "first stream event, added ÷ nginx"),
        (Metric.PACED_FIRST, 5.1e-3, "32 paced streams: first event p50, ms"),
        (Metric.PACED_GAP, 22.1e-3, "32 paced streams: gap p99 above direct, ms"),
        (Metric.BURST, 49e3, "burst events/s ÷ Portkey"),
    ],
)
def test_a_figure_beyond_its_bound_misses_its_goal(metric: Metric, value: float, missed: str) -> None:
    goal = next(goal for goal in goals(findings(gateway={metric: value})) if goal.title == missed)
    assert goal.met is False
    assert str(goal).endswith("MISSED")


@pytest.mark.parametrize(
    ("storm", "met"), [((512, 0), True), ((512, 1), False), ((0, 0), None)], ids=("none", "one", "not asked")
)
def test_one_error_in_the_storm_is_one_too_many(storm: tuple[int, int], met: bool | None) -> None:
    found = Findings(findings().measured, storm=storm)
    assert next(goal for goal in goals(found) if "storm" in goal.title).met is met
