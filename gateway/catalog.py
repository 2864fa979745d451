"""``GET /v1/models``: what a caller's provider keys can be asked for, under the names that the gateway takes."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from typing import Any, Final

from asgiref.typing import ASGISendCallable

from gateway import answering, headers, resolve, upstream, ways_in
from gateway.authenticate import Caller
from gateway.cache import Cache
from gateway.exchange import Exchange
from gateway.refusals import Dialect, Refusal
from gateway.resolve import Candidate, SecretUnreadable
from providerkeys.providers import registry
from providerkeys.providers.base import Api, NoWayIn, Provider, Unreachable

_KEPT: Final = 300.0
_FAILURE_KEPT: Final = 30.0
_WAIT: Final = 10.0
_MOST_BYTES: Final = 1024 * 1024
_MOST_MODELS: Final = 1000
_LONGEST_ID: Final = 200

_lists: Cache[tuple[str, int], tuple[str, ...]] = Cache(1000, lambda ids: _KEPT if ids else _FAILURE_KEPT)


async def answer(exchange: Exchange, caller: Caller, wanted: str, send: ASGISendCallable) -> None:
    """All models, or the one whose id is ``wanted``. Raises ``Refusal`` (404) for one that no key serves."""
    asked = [one for one in registry.all() if one.inference.models and _speaks(one, exchange.dialect)]
    found = await asyncio.gather(*(_models(caller, provider) for provider in asked))
    rows = [_row(exchange.dialect, model) for models in found for model in models]
    if wanted:
        row = next((row for row in rows if row["id"] == wanted), None)
        if row is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "unknown_model", "None of this API key’s provider keys has this model.")
        await _say(exchange, row, send)
    else:
        await _say(exchange, _list(exchange.dialect, rows), send)


def _speaks(provider: Provider, dialect: Dialect) -> bool:
    return dialect == Dialect.OPENAI or Api.MESSAGES in provider.inference.paths


async def _models(caller: Caller, provider: Provider) -> Sequence[str]:
    """The ids of the models of the key that is tried first; none where no key serves or its provider says nothing."""
    try:
        first, *_ = await resolve.candidates(caller, provider)
    except Refusal:
        return ()
    return await _lists.get((first.id, first.credentials_version), lambda: _ask(provider, first)) or ()


async def _ask(provider: Provider, candidate: Candidate) -> tuple[str, ...]:
    try:
        async with asyncio.timeout(_WAIT):
            way_in = await ways_in.way_in(provider, candidate)
            sent = headers.to_provider((), {"accept": "application/json", **way_in.headers})
            found = await upstream.send(way_in.endpoint, provider.inference.models, sent)
            try:
                body = await found.whole(_MOST_BYTES, _WAIT) if found.status == HTTPStatus.OK else None
            finally:
                found.close()
    except (SecretUnreadable, NoWayIn, Unreachable, upstream.Failed, TimeoutError):
        return ()
    ids = (model for model in provider.models_in(_document(body)) if len(model) <= _LONGEST_ID)
    return tuple(f"{provider.slug}/{model}" for model in islice(ids, _MOST_MODELS))


def _document(body: bytes | None) -> Any:
    try:
        return json.loads(body or b"")
    except (ValueError, RecursionError):
        return None


def _row(dialect: Dialect, model: str) -> dict[str, Any]:
    if dialect == Dialect.ANTHROPIC:
        return {"type": "model", "id": model, "display_name": model, "created_at": "1970-01-01T00:00:00Z"}
    return {"id": model, "object": "model", "created": 0, "owned_by": model.partition("/")[0]}


def _list(dialect: Dialect, rows: list[dict[str, Any]]) -> dict[str, Any]:
    if dialect == Dialect.ANTHROPIC:
        first, last = (rows[0]["id"], rows[-1]["id"]) if rows else (None, None)
        return {"data": rows, "has_more": False, "first_id": first, "last_id": last}
    return {"object": "list", "data": rows}


async def _say(exchange: Exchange, document: Mapping[str, Any], send: ASGISendCallable) -> None:
    body = json.dumps(document).encode()
    exchange.relayed(body)
    await answering.say(exchange, HTTPStatus.OK, body, send)


def clear() -> None:
    """Ask again at the next request: for tests."""
    _lists.clear()
