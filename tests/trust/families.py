"""The last word of each family of the battery: ``ENC: 70 cases, 70 passed, 0 failed``.

A family is the modules ``tests/trust/test_<family>….py``; a new one joins by its name. A test called ``test_control…``
plants a defect that a case must notice: it is no case, and is counted beside them. Below that stands what cases measure.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from _pytest.terminal import TerminalReporter

FAMILIES: Final = frozenset(
    ["ENC", "CAN", "TEN", "WEB", "INP", "NET", "CHK", "FLT", "RACE", "KEY", "GWY", "AUD", "DEL", "SES", "SUP", "TIM"]
)
_TEST: Final = re.compile(r"tests/trust/(?:\w+/)*test_([a-z]+)(?:_\w+)?\.py::(?:\w+::)?(test_control)?")
# A skipped case has proven nothing: it is neither passed nor failed, and the numbers show it.
_OUTCOMES: Final = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    lines = list(summary(_outcomes(terminalreporter)))
    if lines:
        terminalreporter.section("trust")
    for line in [*lines, *_printed(terminalreporter)]:
        terminalreporter.write_line(line)


def summary(outcomes: Mapping[str, str]) -> Iterator[str]:
    """A line for each family among ``outcomes``: node ids of tests, and ``passed``, ``failed`` or ``skipped``."""
    cases, controls = defaultdict[str, Counter[str]](Counter), defaultdict[str, Counter[str]](Counter)
    for test, outcome in outcomes.items():
        found = _TEST.match(test)
        if found and found[1].upper() in FAMILIES:
            (controls if found[2] else cases)[found[1].upper()][outcome] += 1
    for family in sorted({*cases, *controls}):
        told, planted = cases[family], controls[family]
        line = f"{family}: {told.total()} cases, {told['passed']} passed, {told['failed']} failed"
        yield f"{line} ({planted.total()} planted defects, {planted['passed']} noticed)"


def _printed(reporter: TerminalReporter) -> Iterator[str]:
    """What a case measures and does not judge: the property ``printed`` of its report."""
    for report in reporter.stats.get("passed", []):
        yield from (str(text) for name, text in report.user_properties if name == "printed")


def _outcomes(reporter: TerminalReporter) -> dict[str, str]:
    """The outcome of each test; whatever went wrong, be it in its fixtures, is a failure."""
    found: dict[str, str] = {}
    for name in _OUTCOMES:
        for report in reporter.stats.get(name, []):
            outcome = "failed" if name in {"failed", "error"} else name
            if found.get(report.nodeid) != "failed":
                found[report.nodeid] = outcome
    return found
