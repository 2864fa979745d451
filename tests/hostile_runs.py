"""What the suite says at its end of each provider's run against all hostile answers: how many, how long, how much memory."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from _pytest.terminal import TerminalReporter

_PROPERTY: Final = "run against hostile answers"

TellRun = Callable[[int, str, str], None]


@pytest.fixture
def tell_run(record_property: Callable[[str, object], None]) -> TellRun:
    """Puts a line into the table: the provider's place and label, and the figures of its run."""
    return lambda order, label, figures: record_property(_PROPERTY, [order, label, figures])


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    rows = sorted(_rows(terminalreporter.stats))
    if rows:
        terminalreporter.section("provider × hostile answers, all providers at once")
    for _, label, figures in rows:
        terminalreporter.write_line(f"{label:<17} {figures}")


def _rows(stats: dict[str, list[Any]]) -> list[tuple[int, str, str]]:
    reports = [report for outcome in ("passed", "failed") for report in stats.get(outcome, [])]
    return [tuple(row) for report in reports for name, row in report.user_properties if name == _PROPERTY]
