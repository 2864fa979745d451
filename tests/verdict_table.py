"""The table that the suite prints at its end: provider × documented answer → the verdict that the product gave.

A test that has asked calls ``tell_verdict``; the rows travel in its report, so that they also arrive from the processes
of pytest-xdist.
"""

import textwrap
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any, Final

import pytest
from _pytest.terminal import TerminalReporter

_PROPERTY: Final = "verdict of a documented answer"
_WIDTH: Final = 120
_ORDER: Final = ("valid", "limited", "invalid", "forbidden", "unreachable")

TellVerdict = Callable[[int, str, str, str], None]


@pytest.fixture
def tell_verdict(record_property: Callable[[str, object], None]) -> TellVerdict:
    """Puts a row into the table: the provider's place and label, its answer in a few words, and the verdict given."""

    def tell(order: int, label: str, answer: str, verdict: str) -> None:
        # Plain text: a report of pytest-xdist carries no enumeration.
        record_property(_PROPERTY, [order, label, answer, str(verdict)])

    return tell


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    rows = _rows(terminalreporter.stats)
    if rows:
        terminalreporter.section("provider × documented answer → verdict")
        for line in _lines(rows):
            terminalreporter.write_line(line)


def _rows(stats: dict[str, list[Any]]) -> list[tuple[int, str, str, str]]:
    reports = [report for outcome in ("passed", "failed") for report in stats.get(outcome, [])]
    told = [tuple(row) for report in reports for name, row in report.user_properties if name == _PROPERTY]
    return sorted(told, key=lambda row: (row[0], _ORDER.index(row[3]), row[2]))


def _lines(rows: list[tuple[int, str, str, str]]) -> list[str]:
    answers: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for _, label, answer, verdict in rows:
        answers[label, verdict][answer] += 1
    lines = []
    for (label, verdict), counted in answers.items():
        told = " · ".join(f"{answer} (×{times})" if times > 1 else answer for answer, times in counted.items())
        lines += textwrap.wrap(told, _WIDTH, initial_indent=f"{label:<17} {verdict:<12} ", subsequent_indent=" " * 31)
    return lines
