"""The size guard: request bodies are counted, and kept in memory, before the application sees a request.

Django's own handler spools a large body to a temporary file before any view runs, secrets included (measured), and
a body without a Content-Length is only known to be too large once it has been read.
"""

import asyncio
from contextlib import suppress
from http import HTTPStatus

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    HTTPScope,
    Scope,
)

from byok_site.answers import send_start

REFUSAL = b"The request body is too large.\n"
TOO_SLOW = b"The request body did not arrive in time.\n"
# A megabyte at 35 kB/s. A body that is never finished would otherwise stay in memory for ever.
READ_SECONDS = 30
# A client that writes its whole body before it reads would see a reset instead of the 413: what it still sends is thrown
# away for a moment, within these bounds.
DRAIN_BYTES = 32 * 1024 * 1024
DRAIN_SECONDS = 5


class TooLarge(Exception):
    """The body exceeds the limit. `more` of it is still to come, or it is already all there."""

    def __init__(self, *, more: bool) -> None:
        super().__init__()
        self.more = more


class Gone(Exception):
    """The client left in the middle of its body."""


def limit_body(app: ASGI3Application, limit: int) -> ASGI3Application:
    """`app`, called only for requests whose body has at most `limit` bytes, and only once all of it is there."""

    async def guarded(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        assert scope["type"] == "http"  # noqa: S101  The table sends nothing else here.
        try:
            async with asyncio.timeout(READ_SECONDS):
                body = await _read(scope, receive, limit)
        except TimeoutError:
            await _say(send, HTTPStatus.REQUEST_TIMEOUT, TOO_SLOW)
        except TooLarge as refusal:
            await _refuse(receive, send, more=refusal.more)
        except Gone:
            return
        else:
            await app(scope, _replay(body, receive), send)

    return guarded


async def _read(scope: HTTPScope, receive: ASGIReceiveCallable, limit: int) -> bytes:
    if _declared_length(scope) > limit:
        raise TooLarge(more=True)
    body = bytearray()
    while True:
        event = await receive()
        if event["type"] != "http.request":
            raise Gone
        body += event.get("body", b"")
        more = event.get("more_body", False)
        if len(body) > limit:
            raise TooLarge(more=more)
        if not more:
            return bytes(body)


def _declared_length(scope: HTTPScope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def _replay(body: bytes, receive: ASGIReceiveCallable) -> ASGIReceiveCallable:
    given = False

    async def replayed() -> ASGIReceiveEvent:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


async def _refuse(receive: ASGIReceiveCallable, send: ASGISendCallable, *, more: bool) -> None:
    await _say(send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, REFUSAL, more=True)
    if more:
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await _drain(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _say(send: ASGISendCallable, status: HTTPStatus, sentence: bytes, *, more: bool = False) -> None:
    await send_start(send, status, b"text/plain; charset=utf-8", len(sentence), (b"connection", b"close"))
    await send({"type": "http.response.body", "body": sentence, "more_body": more})


async def _drain(receive: ASGIReceiveCallable) -> None:
    drained = 0
    while drained < DRAIN_BYTES:
        event = await receive()
        if event["type"] != "http.request" or not event.get("more_body", False):
            return
        drained += len(event.get("body", b""))
