"""The gateway as an ASGI callable, beside Django and never inside its request handler.

A request walks: route → authenticate → body → name the provider → resolve → forward → record.
"""

import asyncio
import logging
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Final

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope
from django.db import DatabaseError

from gateway import body, catalog, headers, names, resolve, upstream
from gateway.authenticate import authenticate
from gateway.body import Body, CallerLeft
from gateway.exchange import Exchange
from gateway.forward import Cut, Request, forward
from gateway.record import Recorder
from gateway.refusals import Dialect, Refusal
from providerkeys.providers.base import Api

log = logging.getLogger(__name__)

recorder = Recorder()
_APIS: Final = {api.value: api for api in Api}
_MODELS: Final = "/v1/models"
PATHS: Final = (*_APIS, _MODELS, f"{_MODELS}/")
"""Where the gateway answers: whole paths, and all below one that ends in a slash, for ids contain slashes."""


async def open_gateway() -> None:
    """What lives as long as the process: the client and the recorder."""
    await upstream.open_client()
    recorder.open()


async def close_gateway() -> None:
    """Write what is still to be recorded, and hang up."""
    await recorder.close()
    await upstream.close_client()


async def gateway(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Answer one request."""
    assert scope["type"] == "http"  # noqa: S101 -- the table sends nothing else here.
    api = _APIS.get(scope["path"])
    exchange = Exchange(api, _dialect(scope, api))
    try:
        await _serve(exchange, scope, receive, send)
    except Refusal as refusal:
        await _refuse(exchange, refusal, send)
    except (CallerLeft, Cut):
        # Returning without an end makes the server hang up: the caller sees that something is missing.
        exchange.reason = exchange.reason or "caller_left"
    except DatabaseError as error:
        log.warning("request %s: the database is away (%s)", exchange.id, type(error).__name__)
        sentence = "The gateway can’t look this up right now. Try again in a moment."
        await _refuse(exchange, Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "database", sentence, retry_after=1), send)
    finally:
        exchange.end()
        recorder.put(exchange)


async def _serve(exchange: Exchange, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    _refuse_other_methods(exchange.api, scope["method"])
    exchange.caller = caller = await authenticate(list(scope["headers"]))
    if exchange.api is None:
        await catalog.answer(exchange, caller, scope["path"].removeprefix(_MODELS).lstrip("/"), send)
        return
    sent = Body.parse(await body.read(scope, receive))
    exchange.stream, exchange.model = sent.stream, sent.model
    provider, exchange.model = names.provider_and_model(exchange.api, sent.model)
    exchange.provider = provider.slug
    candidates = await resolve.candidates(caller, provider)
    path = provider.inference.paths[exchange.api] + _query(scope)
    request = Request(provider, path, list(scope["headers"]), sent.with_model(exchange.model), candidates)
    await _unless_caller_leaves(forward(exchange, request, send), receive)


async def _unless_caller_leaves(work: Coroutine[None, None, None], receive: ASGIReceiveCallable) -> None:
    """Await ``work``; drop it as soon as the caller hangs up, which closes the connection to the provider too."""
    mine = asyncio.current_task()
    assert mine  # noqa: S101 -- this is a coroutine.
    leaving = asyncio.ensure_future(_until_caller_leaves(receive))
    leaving.add_done_callback(lambda gone: None if gone.cancelled() else mine.cancel() and None)
    try:
        await work
    except asyncio.CancelledError:
        if not leaving.done():
            raise
        mine.uncancel()
    finally:
        leaving.cancel()
    if leaving.done() and not leaving.cancelled():
        raise CallerLeft


async def _until_caller_leaves(receive: ASGIReceiveCallable) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _query(scope: HTTPScope) -> str:
    # Anthropic's SDK asks for beta features so; nothing else of a query passes.
    return "?beta=true" if scope["query_string"] == b"beta=true" else ""


def _refuse_other_methods(api: Api | None, method: str) -> None:
    allowed = "POST" if api else "GET"
    if method != allowed:
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", f"Use {allowed}.")


def _dialect(scope: HTTPScope, api: Api | None) -> Dialect:
    """Anthropic's SDK names its version everywhere; at ``/v1/models`` only that tells whose list is meant."""
    if api in {Api.MESSAGES, Api.COUNT_TOKENS}:
        return Dialect.ANTHROPIC
    asked = api is None and any(name == b"anthropic-version" for name, _ in scope["headers"])
    return Dialect.ANTHROPIC if asked else Dialect.OPENAI


async def _refuse(exchange: Exchange, refusal: Refusal, send: ASGISendCallable) -> None:
    exchange.status, exchange.reason = refusal.status, refusal.reason
    said = refusal.body(exchange.dialect, exchange.id)
    pairs = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(said)).encode()),
        *headers.of(exchange),
    ]
    if refusal.retry_after:
        pairs.append((b"retry-after", str(refusal.retry_after).encode()))
    if refusal.status == HTTPStatus.METHOD_NOT_ALLOWED:
        pairs.append((b"allow", b"POST" if exchange.api else b"GET"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": pairs, "trailers": False})
    await send({"type": "http.response.body", "body": said, "more_body": False})
