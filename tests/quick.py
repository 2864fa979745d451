"""The quick run, `--quick`: what a change is tried with while it is made, in less than three minutes on two cores.

It has the first and the last case of each test, and leaves out what starts a browser, the product or a crowd of processes, and
what is marked `long`; the newcomer's walk stays in. The whole suite is what decides: continuous integration runs it.
"""

from collections import defaultdict

import pytest
from _pytest.terminal import TerminalReporter


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="two cases of each test, and none that takes long")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--quick"):
        return
    cases: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if not _takes_long(item):
            cases[_test_of(item)].append(item)
    kept = {id(item) for of_one in cases.values() for item in (of_one[0], of_one[-1])}
    config.hook.pytest_deselected(items=[item for item in items if id(item) not in kept])
    items[:] = [item for item in items if id(item) in kept]


def _takes_long(item: pytest.Item) -> bool:
    if item.get_closest_marker("quick"):
        return False
    group = item.get_closest_marker("xdist_group")
    starts_product = group is not None and str(group.args[0]).startswith("product")
    return starts_product or any(item.get_closest_marker(name) for name in ("browser", "long"))


def _test_of(item: pytest.Item) -> str:
    """The test that this is a case of."""
    return item.nodeid.partition("[")[0]


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    if config.getoption("--quick"):
        terminalreporter.write_line(
            "This was the quick run; ./dev test --all runs every test, as continuous integration does."
        )
