"""What every test of the suite shares."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter
from django.template import Template
from django.test.utils import _TestState

from tests import chromium, settings

# The cast: Alice, admin; Dana, member; Charlie, admin of another organization; Sam, staff.
pytest_plugins = [
    "tests.cast",
    "tests.fakeproviders.fixtures",
    "tests.gateway.fixtures",
    "tests.generated",
    "tests.groups",
    "tests.hostile_runs",
    "tests.quick",
    "tests.trust.families",
    "tests.verdict_table",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests in one worker, unless they name a larger group: what a module's fixture starts starts once.

    Tests marked `browser` need one; without it they are skipped, and `./dev test` says so at its end.
    """
    browser = chromium.find()
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
        if not browser and item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="Chromium was not found"))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected stays: nobody looks for garbage among thousands of tests, neither now nor later."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _plain_templates(django_test_environment: None) -> None:
    """Nobody asks which templates a page was made of; to keep a copy of each one's context takes long."""
    Template._render = _TestState.saved_data.template_render  # type: ignore[attr-defined]


def pytest_unconfigure() -> None:
    """Remove the data folder of this process; the workers of a parallel run leave without Python's own farewell."""
    settings.THROW_AWAY.cleanup()


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Hand every skip to `./dev test`, which may run the suite twice and tells them all in its last lines."""
    file = os.environ.get("BYOK_SKIPPED")
    skipped = terminalreporter.stats.get("skipped", [])
    if not file or not skipped:
        return
    with Path(file).open("a", encoding="utf-8") as lines:
        for report in skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            lines.write(f"{report.nodeid}: {reason.removeprefix('Skipped: ')}\n")
