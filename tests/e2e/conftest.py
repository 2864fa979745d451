"""One product and one browser for all tests of this folder; an organization of its own for each."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests import chromium as installed
from tests.e2e.abandoned import Abandoned
from tests.e2e.console import Console
from tests.e2e.desk import Desk
from tests.e2e.homes import Home, Person, staff
from tests.e2e.storm import Storm
from tests.e2e.visitor import Visitor
from tests.fakeproviders import samples
from tests.fakeproviders.client import FakeProviders
from tests.fakeproviders.fixtures import CheckedProviders
from tests.product import Product
from tests.watch import Watch

_HOMES_AT_ONCE = 60
# A machine that runs two tests at once on two cores may take its time; a test that passes never waits for it.
expect.set_options(timeout=10_000)


_LONG = {"abandoned", "storming"}


def _fixtures(item: pytest.Item) -> set[str]:
    return set(item.fixturenames) if isinstance(item, pytest.Function) else set()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ask last for what takes long."""
    items.sort(key=lambda item: not _LONG.isdisjoint(_fixtures(item)))


@pytest.fixture(scope="session")
def product(fake_providers: FakeProviders) -> Iterator[Product]:
    """The running product that browsers visit. Nobody breaks it: see ``storming`` and ``abandoned``."""
    with Product.start(fake_providers) as running:
        yield running


@pytest.fixture(scope="session")
def abandoned(product: Product, homes: Iterator[Home]) -> Iterator["Future[Abandoned]"]:
    """A second product, left alone: it starts beside the first, and its deadlines pass while other tests run."""
    with ExitStack() as stack, ThreadPoolExecutor(1) as pool:
        home, folder = next(homes), stack.enter_context(product.copied())
        yield pool.submit(stack.enter_context, Abandoned.start(folder, home))


@pytest.fixture(scope="session")
def storming(product: Product, homes: Iterator[Home]) -> Iterator["Future[Storm]"]:
    """A third one, which is broken in every way and mends itself, beside them too."""
    with ExitStack() as stack, ThreadPoolExecutor(1) as pool:
        home, folder = next(homes), stack.enter_context(product.copied())
        yield pool.submit(stack.enter_context, Storm.blow(folder, home))


@pytest.fixture(scope="session", autouse=True)
def what_takes_long_starts_early(request: pytest.FixtureRequest) -> None:
    """Start what nobody has to wait for."""
    wanted = set().union(*map(_fixtures, request.session.items))
    for name in sorted(_LONG & wanted):
        request.getfixturevalue(name)


@pytest.fixture(scope="session")
def homes(product: Product) -> Iterator[Home]:
    """Organizations that nobody has used yet."""

    def endless() -> Iterator[Home]:
        while True:
            yield from Home.many(product, _HOMES_AT_ONCE)

    return endless()


@pytest.fixture
def home(homes: Iterator[Home], providers: CheckedProviders) -> Home:
    """This test's own organization. (The fakes are asked for here, so that each test starts and ends clean at them.)"""
    return next(homes)


@pytest.fixture(scope="session")
def sam(product: Product) -> Person:
    """Somebody of the staff."""
    return staff(product)


@pytest.fixture
def filled(product: Product, home: Home, providers: CheckedProviders) -> Home:
    """An organization with an API key, and a provider key of each kind that has a page of its own."""
    visitor = Visitor.alice(product, home)
    visitor.make_api_key("staging")
    visitor.save("Production Key", samples.fresh_key("openai", "good"))
    return home


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for this folder alone: Playwright keeps an event loop running, in which Django refuses the database."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=installed.find(), args=[*installed.ARGUMENTS, *installed.FRUGAL]
        )


@pytest.fixture(scope="package")
def desk(chromium: Browser, product: Product) -> Iterator[Desk]:
    """The browser window that tests use one after the other. Its pages are in a hurry."""
    with Desk.open(chromium, product, hurry=True) as desk:
        yield desk


@pytest.fixture
def console(desk: Desk, home: Home, product: Product) -> Iterator[Console]:
    """A tab in which Alice works in her organization."""
    with desk.used_by(home.alice, product) as page:
        yield Console(page, home)


@pytest.fixture
def watch(desk: Desk, console: Console) -> Watch:
    """The watch over ``console``'s browser."""
    return desk.watch


type Visit = Callable[..., Desk]


@pytest.fixture
def visit(chromium: Browser, product: Product) -> Iterator[Visit]:
    """Open another window, in which ``person`` is logged in; further options are Playwright's."""
    with ExitStack() as stack:

        def open_desk(person: Person | None = None, **options: Any) -> Desk:
            desk = stack.enter_context(Desk.open(chromium, product, **options))
            stack.enter_context(desk.used_by(person, product))
            return desk

        yield open_desk
