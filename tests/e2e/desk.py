"""A browser window, watched, that several people use one after the other: opening one for each test would take longer
than most of the tests do.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

from playwright.sync_api import Browser, BrowserContext, Page

from tests.chromium import HURRY
from tests.e2e.homes import SESSION, Person
from tests.product import Product
from tests.watch import Watch, leave

_PATIENCE_MS: Final = 10_000
_OPTIONS: Final[Mapping[str, Any]] = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}


@dataclass(frozen=True)
class Desk:
    """A browser context, one tab in it, and the watch over both."""

    context: BrowserContext
    page: Page
    watch: Watch

    @classmethod
    @contextmanager
    def open(cls, browser: Browser, product: Product, *, hurry: bool = False, **options: Any) -> Iterator[Self]:
        """Open one for the length of a ``with`` block. Its pages ``hurry`` if wanted; ``options`` are Playwright's."""
        context = browser.new_context(base_url=product.base_url, **{**_OPTIONS, **options})
        if hurry:
            context.add_init_script(HURRY)
        context.set_default_timeout(_PATIENCE_MS)
        watch = Watch(context)
        try:
            yield cls(context, context.new_page(), watch)
        finally:
            context.close()

    @contextmanager
    def used_by(self, person: Person | None, product: Product) -> Iterator[Page]:
        """Let ``person`` work here, logged in. Afterwards the tab is empty, and everything was as it must be."""
        self.watch.forget()
        self.context.clear_cookies()
        if person:
            self.context.add_cookies([{"name": SESSION, "value": person.session, "url": product.base_url}])
        yield self.page
        leave(self.page)
        complaints = self.watch.complaints()
        assert complaints == [], complaints
