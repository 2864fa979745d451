from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.chromium import find
from tests.look.stage import Stage


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for this folder alone: Playwright keeps an event loop running, in which Django refuses the database."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking"]
        yield playwright.chromium.launch(executable_path=find(), args=arguments)


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(5000)
    yield context
    context.close()


@pytest.fixture
def stage(context: BrowserContext) -> Stage:
    return Stage(context)
