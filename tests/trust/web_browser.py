"""A real browser in front of the real server, which runs in the test's own process: a defect planted here is one there.

Playwright keeps an event loop running in the thread that uses it, and in one Django refuses the database. So the browser
has a thread of its own, to which a case hands what it does with a page.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Self

import uvicorn
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from django.conf import settings
from playwright.sync_api import CDPSession, Page, expect, sync_playwright

from byok_site.asgi import application
from byok_site.protocol import Protocol
from organizations.models import User
from tests.chromium import ARGUMENTS, FRUGAL, HURRY, find
from tests.gateway.server import Server
from tests.look.house import Reply, static_file
from tests.trust.web import Site
from tests.watch import leave

_PATIENCE_MS: Final = 8000
_IMPATIENCE_MS: Final = 1500
FRAMING: Final = "/framing/"
"""Where the server stands for a foreign site (by its other name, ``localhost``) that shows the login page in a frame."""
FOREIGN: Final = "http://evil.example"
# What runs although it must not leaves its name here; what the policy stops leaves the rule that stopped it.
_LISTEN: Final = """
globalThis.hits = [];
globalThis.stopped = [];
document.addEventListener("securitypolicyviolation", (event) => stopped.push(event.effectiveDirective));
"""


@dataclass
class Stage:
    """One tab for all cases of a module. ``scripts`` are served in the place of the console's own of that name."""

    url: str
    page: Page
    _protocol: CDPSession
    scripts: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    @classmethod
    @contextmanager
    def build(cls) -> Iterator[Self]:
        with ThreadPoolExecutor(1) as pool, _served() as (url, scripts):
            playwright = pool.submit(lambda: sync_playwright().start()).result()
            try:
                yield pool.submit(cls._open, playwright, url, scripts, pool).result()
            finally:
                pool.submit(playwright.stop).result()

    @classmethod
    def _open(cls, playwright: Any, url: str, scripts: dict[str, str], pool: ThreadPoolExecutor) -> Self:
        browser = playwright.chromium.launch(executable_path=find(), args=[*ARGUMENTS, *FRUGAL])
        context = browser.new_context(base_url=url, reduced_motion="reduce")
        context.set_default_timeout(_PATIENCE_MS)
        context.add_init_script(HURRY + _LISTEN)
        page = context.new_page()
        stage = cls(url, page, context.new_cdp_session(page), scripts, _pool=pool)
        page.on("request", lambda request: stage.asked.append(f"{request.method} {request.url.removeprefix(url)}"))
        page.on("dialog", lambda dialog: dialog.accept())
        return stage

    def play[T](self, act: Callable[[Page], T]) -> T:
        """What ``act`` returns for the page. It may not ask the database."""
        return self._pool.submit(act, self.page).result(60)

    @contextmanager
    def impatient(self) -> Iterator[None]:
        self.play(lambda page: page.set_default_timeout(_IMPATIENCE_MS))
        expect.set_options(timeout=_IMPATIENCE_MS)
        yield
        self.play(lambda page: page.set_default_timeout(_PATIENCE_MS))
        expect.set_options(timeout=_PATIENCE_MS)

    def enter(self, user: User | None) -> None:
        """Let ``user`` sit down, logged in, before an empty page."""
        session = Site.new_client(user).cookies[settings.SESSION_COOKIE_NAME].value if user else ""

        def enter(page: Page) -> None:
            leave(page)
            # A script that a defect replaces must be asked for.
            self._protocol.send("Network.clearBrowserCache")
            page.context.clear_cookies()
            page.context.clear_permissions()
            if session:
                cookie: Any = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.url}
                page.context.add_cookies([cookie])

        self.play(enter)
        self.scripts.clear()
        self.asked.clear()


@contextmanager
def _served() -> Iterator[tuple[str, dict[str, str]]]:
    scripts: dict[str, str] = {}

    async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        path = str(scope.get("path", ""))
        if not path.startswith(("/static/", FRAMING)):
            await application(scope, receive, send)
            return
        name = path.rpartition("/")[2]
        reply = static_file(path) if path != FRAMING else Reply(f"<iframe src='http://127.0.0.1:{server.port}/login/'>")
        body = scripts.get(name, reply.body)
        kept = "no-store" if name in scripts else "max-age=86400"
        headers = {"Content-Type": "text/html", **reply.headers, "Cache-Control": kept}
        pairs = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": pairs, "trailers": False})
        await send(
            {"type": "http.response.body", "body": body.encode() if isinstance(body, str) else body, "more_body": False}
        )

    config = uvicorn.Config(app, http=Protocol, port=0, lifespan="off", log_config=None, server_header=False, ws="none")
    server = Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server.ready.wait(20)
    yield f"http://127.0.0.1:{server.port}", scripts
    server.should_exit = True
    thread.join(20)
