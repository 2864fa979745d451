"""The gateway as an ASGI callable, beside Django and never inside its request handler.

A request walks: route → authenticate → body → name the provider → resolve → forward → record.
"""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Coroutine
from http import HTTPStatus
from typing import Final

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

from gateway import answering, body, catalog, db, names, resolve, upstream
from gateway.authenticate import Caller, authenticate
from gateway.body import Body, CallerLeft, Sent
from gateway.exchange import Exchange
from gateway.forward import Cut, Request, forward
from gateway.record import Recorder
from gateway.refusals import Dialect, Refusal
from gateway.room import Room
from providerkeys.providers.base import Api

log = logging.getLogger(__name__)

recorder = Recorder()
_APIS: Final = {api.value: api for api in Api}
_MODELS: Final = "/v1/models"
PATHS: Final = (*_APIS, _MODELS, f"{_MODELS}/")
"""Where the gateway answers: whole paths, and all below one that ends in a slash, for ids contain slashes."""
_LONGEST_MODEL: Final = 1000
"""Characters of a model's id that are kept until they are written down."""

_AWAY: Final = "The gateway can’t look this up right now. Try again in a moment."
_STOPPING: Final = "The gateway is being restarted. Try again in a moment."
_INTERNAL: Final = "Something went wrong in the gateway. Name this request to its support."


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
        await _answer(exchange, scope, receive, send)
    finally:
        exchange.end()
        recorder.put(exchange)


async def _answer(exchange: Exchange, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Whatever happens, the caller gets an answer, or sees that there is none.

    Returning without an end makes the server hang up: the caller sees that something is missing.
    """
    try:
        await _serve(exchange, scope, receive, send)
    except Refusal as refusal:
        await _refuse(exchange, refusal, send)
    except (CallerLeft, Cut):
        exchange.reason = exchange.reason or "caller_left"
    except asyncio.CancelledError:
        # The server is being stopped, and has waited for as long as it was told to.
        await _give_up(exchange, Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "stopping", _STOPPING, retry_after=1), send)
    except db.Failure as error:
        log.warning("request %s: the database is away (%s)", exchange.id, type(error).__name__)
        await _give_up(exchange, Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "database", _AWAY, retry_after=1), send)
    except Exception as error:  # noqa: BLE001 -- its text may hold anything that was on the way.
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("request %s failed: %s at\n%s", exchange.id, type(error).__name__, where)  # noqa: TRY400
        await _give_up(exchange, Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", _INTERNAL), send)


async def _serve(exchange: Exchange, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    _refuse_other_methods(exchange.api, scope["method"])
    exchange.caller = caller = await authenticate(list(scope["headers"]))
    caller.refuse_unusable()
    exchange.admitted = True
    if exchange.api is None:
        await catalog.answer(exchange, caller, scope["path"].removeprefix(_MODELS).lstrip("/"), send)
        return
    with Room(caller.organization_id) as room:
        # No name here keeps hold of the body: the request alone has it, and lets go of it.
        asking = _request(exchange, caller, scope, await body.read(scope, receive, room), room)
        await _unless_caller_leaves(_carry(exchange, asking, send), receive)


async def _carry(exchange: Exchange, asking: Awaitable[Request], send: ASGISendCallable) -> None:
    await forward(exchange, await asking, send)


async def _request(exchange: Exchange, caller: Caller, scope: HTTPScope, sent: Sent, room: Room) -> Request:
    """What is to be sent, and to whom. Raises ``Refusal``."""
    assert exchange.api  # noqa: S101 -- the other routes are answered elsewhere.
    asked = await Body.of(sent)
    exchange.stream = asked.stream
    # What names no provider of ours is not written down: it may be anything, a pasted key too.
    provider, model = names.provider_and_model(exchange.api, asked.model)
    exchange.provider, exchange.model = provider.slug, model[:_LONGEST_MODEL]
    candidates = await resolve.candidates(caller, provider)
    path = provider.inference.paths[exchange.api] + _query(scope)
    return Request(provider, path, list(scope["headers"]), asked.with_model(model), candidates, room)


async def _unless_caller_leaves(work: Coroutine[None, None, None], receive: ASGIReceiveCallable) -> None:
    """Await ``work``; drop it as soon as the caller hangs up, which closes the connection to the provider too."""
    mine = asyncio.current_task()
    assert mine  # noqa: S101 -- this is a coroutine.
    leaving = asyncio.ensure_future(_until_caller_leaves(receive))
    leaving.add_done_callback(lambda gone: None if gone.cancelled() else mine.cancel() and None)
    try:
        await work
    except asyncio.CancelledError:
        # The server may have been stopped, too: then there is more than one reason.
        if not leaving.done() or mine.uncancel():
            raise
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
    exchange.reason = refusal.recorded or refusal.reason
    more = []
    if refusal.retry_after:
        more.append((b"retry-after", str(refusal.retry_after).encode()))
    if refusal.status == HTTPStatus.METHOD_NOT_ALLOWED:
        more.append((b"allow", b"POST" if exchange.api else b"GET"))
    await answering.say(exchange, refusal.status, refusal.body(exchange.dialect, exchange.id), send, more)


async def _give_up(exchange: Exchange, refusal: Refusal, send: ASGISendCallable) -> None:
    """Refuse, or where an answer has begun leave it without its end."""
    exchange.reason = refusal.reason
    if not exchange.begun:
        await _refuse(exchange, refusal, send)
