"""A browser page without a server: pages come from ``states``, everything else from what a test says."""

import mimetypes
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles.finders import find
from django.template.loader import render_to_string
from django.utils.csp import build_policy
from playwright.sync_api import BrowserContext, Page, Request, Route

from tests.look.states import PAGES
from tests.look.things import SHELL

# A name under localhost: a secure context, as the clipboard wants, that no machine has to know.
ORIGIN = "http://console.localhost"
STYLES = Path(settings.STATICFILES_DIRS[0]) / "css"


@dataclass(frozen=True)
class Reply:
    """What the stage answers: HTML, and headers beside the console's own policy."""

    body: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


NEVER = Reply(status=0)
"""No answer: the request stays under way."""

type Answer = Reply | Callable[[Request], Reply | None] | None
"""A reply, a function that makes one, or ``None``: the connection breaks."""


def part(name: str, partial: str, **more: Any) -> str:
    """The fragment ``partial`` of the page that ``states`` calls ``name``."""
    template, context = PAGES[name]
    return render_to_string(f"{template}#{partial}", {**SHELL, **context, **more})


def whole(name: str) -> str:
    template, context = PAGES[name]
    return render_to_string(template, dict(context))


@cache
def _style_sheet() -> str:
    """The console's one sheet with its imports in place: two dozen requests fewer a page."""

    def imported(found: re.Match[str]) -> str:
        return f"@layer {found['layer']} {{ {(STYLES / found['name']).read_text()} }}"

    return re.sub(
        r'@import url\("(?P<name>[\w-]+\.css)"\) layer\((?P<layer>\w+)\);',
        imported,
        (STYLES / "console.css").read_text(),
    )


class Stage:
    """Plays the console for one browser context, under the console's own Content-Security-Policy."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.answers: dict[tuple[str, str], Answer] = {}
        self.requests: list[Request] = []
        context.route("**/*", self._play)

    def on(self, method: str, path: str, answer: Answer) -> None:
        """Answer ``method`` at ``path`` (below the origin) from now on."""
        self.answers[method, path] = answer

    def open(self, name: str, path: str = "") -> Page:
        """Open the page that ``states`` calls ``name``."""
        path = path or f"/{name}"
        self.on("GET", path, self.answers.get(("GET", path)) or Reply(whole(name)))
        page = self.context.new_page()
        page.goto(ORIGIN + path)
        return page

    def asked(self, method: str, path: str) -> list[Request]:
        return [each for each in self.requests if (each.method, urlsplit(each.url).path) == (method, path)]

    def _play(self, route: Route) -> None:
        request = route.request
        path = urlsplit(request.url).path
        self.requests.append(request)
        if path == "/static/css/console.css":
            return route.fulfill(body=_style_sheet(), content_type="text/css")
        if path.startswith("/static/"):
            file = find(path.removeprefix("/static/"))
            kind = mimetypes.guess_type(path)[0] or "text/plain"
            return route.fulfill(status=200 if file else 404, path=file, content_type=kind)
        answer = self.answers.get((request.method, path), Reply("nothing here", 404))
        reply = answer(request) if callable(answer) else answer
        if reply is NEVER:
            return None
        if reply is None:
            return route.abort()
        policy = build_policy(settings.SECURE_CSP)
        own = {"content-type": "text/html; charset=utf-8", "content-security-policy": policy}
        return route.fulfill(status=reply.status, body=reply.body, headers={**own, **reply.headers})
