"""The address at which the console is played: a small server, so that the browser keeps style sheets and scripts from one
page to the next as it does at home, instead of asking for thirty files each time.
"""

import mimetypes
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles.finders import find
from django.utils.csp import build_policy

# A name under localhost: a secure context, as the clipboard wants, that no machine has to know.
ORIGIN: Final = "http://console.localhost"
STYLES: Final = Path(settings.STATICFILES_DIRS[0]) / "css"
_KEPT: Final = {"Cache-Control": "max-age=86400, immutable"}


@dataclass(frozen=True)
class Request:
    """What a browser asked for. ``headers`` have lower-case names; ``post_data`` is ``None`` where there was no body."""

    method: str
    url: str
    headers: Mapping[str, str]
    post_data: str | None

    @property
    def path(self) -> str:
        return urlsplit(self.url).path


@dataclass(frozen=True)
class Reply:
    """An answer: HTML, unless its ``headers`` say otherwise."""

    body: str | bytes = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


NEVER: Final = Reply(status=0)
"""No answer: the request stays under way."""

type Play = Callable[[Request], Reply | None]
"""What is answered; ``None``: the connection breaks."""


class House(ThreadingHTTPServer):
    """Serves static files by itself, and whatever ``play`` answers under the console's own Content-Security-Policy."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.play: Play = lambda _: Reply("nothing here", 404)
        self.closed = threading.Event()

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """Serve for the length of a ``with`` block."""
        with cls() as house:
            thread = threading.Thread(target=house.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            thread.start()
            try:
                yield house
            finally:
                house.closed.set()
                house.shutdown()

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell what an answer failed at, but not that a browser has left."""
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc()

    @property
    def argument(self) -> str:
        """What tells Chromium where ``ORIGIN`` is."""
        return f"--host-resolver-rules=MAP {urlsplit(ORIGIN).hostname}:80 127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: House
    protocol_version = "HTTP/1.1"
    # Buffered: head and body leave together.
    wbufsize = -1

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self._answer(static_file(path) if path.startswith("/static/") else self._played())

    def do_POST(self) -> None:
        self._answer(self._played())

    def _played(self) -> Reply | None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length).decode() if length else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        return self.server.play(Request(self.command, ORIGIN + self.path, headers, body))

    def _answer(self, reply: Reply | None) -> None:
        if reply is NEVER:
            self.server.closed.wait()
        if reply is None or reply is NEVER:
            self.close_connection = True
            return
        body = reply.body.encode() if isinstance(reply.body, str) else reply.body
        own = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": build_policy(settings.SECURE_CSP)}
        self.send_response_only(reply.status)
        for name, value in {**own, **reply.headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@cache
def static_file(path: str) -> Reply:
    if path == "/static/css/console.css":
        return Reply(_style_sheet(), headers={**_KEPT, "Content-Type": "text/css"})
    file = find(path.removeprefix("/static/"))
    if not isinstance(file, str):
        return Reply("no such file", 404)
    kind = mimetypes.guess_type(path)[0] or "text/plain"
    return Reply(Path(file).read_bytes(), headers={**_KEPT, "Content-Type": kind})


def _style_sheet() -> str:
    """The console's one sheet with its imports in place: two dozen requests fewer."""

    def imported(found: re.Match[str]) -> str:
        return f"@layer {found['layer']} {{ {(STYLES / found['name']).read_text()} }}"

    return re.sub(
        r'@import url\("(?P<name>[\w-]+\.css)"\) layer\((?P<layer>\w+)\);',
        imported,
        (STYLES / "console.css").read_text(),
    )
