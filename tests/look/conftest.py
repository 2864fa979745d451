import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.chromium import ARGUMENTS, FRUGAL, find
from tests.look.house import House
from tests.look.stage import Stage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker has all of this folder: its browser starts once."""
    # As text: this asks every test of the suite, and a path takes its time to answer.
    folder = f"{Path(__file__).parent}{os.sep}"
    for item in items:
        if str(item.path).startswith(folder):
            item.add_marker(pytest.mark.xdist_group("look"))


@pytest.fixture(scope="package")
def house() -> Iterator[House]:
    with House.open() as house:
        yield house


@pytest.fixture(scope="package")
def chromium(house: House) -> Iterator[Browser]:
    """One browser for this folder alone: Playwright keeps an event loop running, in which Django refuses the database."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=find(), args=[*ARGUMENTS, *FRUGAL, house.argument])


@pytest.fixture(scope="package")
def shared_stage(house: House, chromium: Browser) -> Iterator[Stage]:
    with Stage.build(house, chromium) as stage:
        yield stage


@pytest.fixture
def stage(shared_stage: Stage) -> Iterator[Stage]:
    with shared_stage.used():
        yield shared_stage


type Build = Callable[..., Stage]


@pytest.fixture
def build(house: House, chromium: Browser) -> Iterator[Build]:
    """Build another stage, in a browser window with Playwright's ``options``."""
    with ExitStack() as stack:

        def build_stage(**options: Any) -> Stage:
            return stack.enter_context(stack.enter_context(Stage.build(house, chromium, **options)).used())

        yield build_stage
