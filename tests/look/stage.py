"""A browser page without the console: pages come from ``states``, everything else from what a test says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.template.loader import render_to_string
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from tests.chromium import HURRY
from tests.look.house import NEVER, ORIGIN, STYLES, House, Reply, Request
from tests.look.states import PAGES
from tests.look.things import SHELL
from tests.watch import Watch, leave

__all__ = ["NEVER", "ORIGIN", "STYLES", "Reply", "Request", "Stage", "part", "whole"]

type Answer = Reply | Callable[[Request], Reply | None] | None
"""A reply, a function that makes one, or ``None``: the connection breaks."""

_WINDOW: Final = ViewportSize(width=1280, height=900)
_PATIENCE_MS: Final = 5000


def part(name: str, partial: str, **more: Any) -> str:
    """The fragment ``partial`` of the page that ``states`` calls ``name``."""
    template, context = PAGES[name]
    return render_to_string(f"{template}#{partial}", {**SHELL, **context, **more})


def whole(name: str) -> str:
    template, context = PAGES[name]
    return render_to_string(template, dict(context))


class Stage:
    """Plays the console for one tab of a browser, under the console's own Content-Security-Policy.

    Tests use it one after the other: a tab of its own for each would take longer than most of them do.
    """

    def __init__(self, house: House, context: BrowserContext) -> None:
        self.context, self.page, self.watch = context, context.new_page(), Watch(context)
        self.answers: dict[tuple[str, str], Answer] = {}
        self.requests: list[Request] = []
        self._house = house

    @classmethod
    @contextmanager
    def build(cls, house: House, browser: Browser, **options: Any) -> Iterator["Stage"]:
        """Build one for the length of a ``with`` block; ``options`` are Playwright's for its browser context."""
        given = {"viewport": _WINDOW, "reduced_motion": "reduce", **options}
        context = browser.new_context(**given)
        context.set_default_timeout(_PATIENCE_MS)
        context.add_init_script(HURRY)
        yield cls(house, context)
        context.close()

    @contextmanager
    def used(self) -> Iterator["Stage"]:
        """Have it for one test. Afterwards it is as it was, and nothing has gone wrong on it unseen."""
        self._house.play = self._play
        yield self
        for page in self.context.pages:
            if page is not self.page:
                page.close()
        leave(self.page)
        self.page.mouse.move(0, 0)
        self.page.set_viewport_size(_WINDOW)
        self.page.emulate_media(color_scheme="light")
        self.context.clear_permissions()
        self.answers.clear()
        self.requests.clear()
        breaches = self.watch.breaches()
        self.watch.forget()
        assert breaches == [], breaches

    def on(self, method: str, path: str, answer: Answer) -> None:
        """Answer ``method`` at ``path`` (below the origin) from now on."""
        self.answers[method, path] = answer

    def open(self, name: str, path: str = "") -> Page:
        """Open the page that ``states`` calls ``name``."""
        path = path or f"/{name}"
        self.on("GET", path, self.answers.get(("GET", path)) or Reply(whole(name)))
        self.page.goto(ORIGIN + path)
        return self.page

    def asked(self, method: str, path: str) -> list[Request]:
        return [each for each in self.requests if (each.method, each.path) == (method, path)]

    def _play(self, request: Request) -> Reply | None:
        self.requests.append(request)
        answer = self.answers.get((request.method, request.path), Reply("nothing here", 404))
        return answer(request) if callable(answer) else answer
