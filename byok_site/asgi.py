"""Console and gateway side by side, as one table: the first row that matches a request's path answers it."""

import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus

from asgiref.sync import sync_to_async
from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "byok_site.settings")
django_application = get_asgi_application()

# Django is set up from here on, so that what follows may import models.
from byok_site import health, startup  # noqa: E402
from byok_site.answers import send_json  # noqa: E402
from byok_site.bodies import limit_body  # noqa: E402
from gateway.app import PATHS, close_gateway, gateway, open_gateway  # noqa: E402

CONSOLE_BODY_LIMIT = 1024 * 1024


async def console(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Django, told the scheme that browsers use: BASE_URL knows it, and the hop behind a TLS proxy does not."""
    scheme = "https" if settings.HTTPS else "http"
    await django_application({**scope, "scheme": scheme}, receive, send)  # type: ignore[arg-type]


async def unknown_route(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    error = {"type": "not_found", "message": "There is no such route."}
    await send_json(send, HTTPStatus.NOT_FOUND, {"error": error})


@dataclass(frozen=True)
class Row:
    """`path` is a whole path, or all paths below it when it ends in a slash."""

    path: str
    app: ASGI3Application

    def matches(self, path: str) -> bool:
        return path.startswith(self.path) if self.path.endswith("/") else path == self.path


GATEWAY_TABLE = (
    *(Row(path, gateway) for path in PATHS),
    Row("/healthz", health.alive),
    Row("/readyz", health.ready),
    Row("/v1/", unknown_route),
)
TABLE = (*GATEWAY_TABLE, Row("/", limit_body(console, CONSOLE_BODY_LIMIT)))


type Application = Callable[[Scope, ASGIReceiveCallable, ASGISendCallable], Coroutine[None, None, None]]


def assemble(table: tuple[Row, ...], otherwise: ASGI3Application) -> Application:
    """An application of these rows. `otherwise` answers what none of them matches."""

    async def assembled(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000, "reason": None})
        else:
            app = next((row.app for row in table if row.matches(scope["path"])), otherwise)
            await app(scope, receive, send)

    return assembled


# A path that starts without a slash ("OPTIONS *") is nobody's; Django answers it like any other unknown one.
application = assemble(TABLE, TABLE[-1].app)
gateway_application = assemble(GATEWAY_TABLE, unknown_route)
"""The gateway alone, for processes that serve programs and no people."""


async def lifespan(receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Open and close what lives as long as the process. It does not open with keys that cannot read the database."""
    await receive()
    refusal = await sync_to_async(startup.refusal)()
    if refusal:
        await send({"type": "lifespan.startup.failed", "message": refusal})
        return
    await open_gateway()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await close_gateway()
    await send({"type": "lifespan.shutdown.complete"})
