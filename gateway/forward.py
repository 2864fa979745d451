"""Carries a request to its provider, and the answer back: each candidate in turn until the first byte has gone out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from asgiref.typing import ASGISendCallable
from multidict import CIMultiDict

from gateway import cooldowns, db, headers, resolve, suspects, upstream, ways_in
from gateway.exchange import Attempt, Exchange
from gateway.headers import Pairs
from gateway.refusals import Refusal
from gateway.resolve import Candidate, SecretUnreadable
from gateway.scrub import scrub
from providerkeys.providers.base import NoWayIn, Provider, Unreachable, WayIn

_MOST_ERROR_BYTES: Final = 256 * 1024
_AUTHENTICATION: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_NEXT: Final = _AUTHENTICATION | {HTTPStatus.TOO_MANY_REQUESTS}


class Cut(Exception):
    """The answer broke off after its first byte: the caller has to see that, and nobody else is asked."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of ``provider`` at ``path`` (behind its way in), and the keys that may ask it."""

    provider: Provider
    path: str
    headers: Sequence[tuple[bytes, bytes]] = field(repr=False)
    body: bytes = field(repr=False)
    candidates: Sequence[Candidate]


async def forward(exchange: Exchange, request: Request, send: ASGISendCallable) -> None:
    """Answer with the first candidate's success, else with the provider's last word. Raises ``Refusal`` and ``Cut``."""
    error: _Error | None = None
    failed: Refusal | None = None
    for candidate in cooldowns.in_order(request.candidates):
        attempt = exchange.begin(candidate)
        try:
            way_in = await _way_in(request.provider, candidate, attempt)
            answer = await _ask(request, way_in, attempt)
        except Refusal as refusal:
            failed = refusal
            continue
        if answer.status < HTTPStatus.BAD_REQUEST:
            await _relay(exchange, answer, send)
            return
        error = await _Error.read(answer, way_in)
        _mind(candidate, answer)
        if answer.status not in _NEXT and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            break
    if error:
        await error.say(exchange, send)
    elif failed:
        raise failed


async def _way_in(provider: Provider, candidate: Candidate, attempt: Attempt) -> WayIn:
    """Raises ``Refusal``: what the caller is told should nobody else serve."""
    try:
        return await ways_in.way_in(provider, candidate)
    except SecretUnreadable:
        attempt.end(reason="unreadable")
        await db.run(lambda: resolve.stamp_unreadable(candidate))
        refusal = resolve.unreadable(provider)
    except NoWayIn as no_way_in:
        attempt.end(reason=no_way_in.reason)
        suspects.report(candidate)
        sentence = f"{provider.label} did not accept the provider key of this API key."
        refusal = Refusal(HTTPStatus.BAD_GATEWAY, "provider_key_refused", sentence)
    except Unreachable as unreachable:
        attempt.end(reason=unreachable.reason)
        refusal = _unreachable(unreachable.reason)
    raise refusal


async def _ask(request: Request, way_in: WayIn, attempt: Attempt) -> upstream.Answer:
    """The head of the provider's answer. Raises ``Refusal`` when there is none."""
    path, sent = way_in.base_path + request.path, headers.to_provider(request.headers, way_in.headers)
    try:
        answer = await upstream.send(way_in.endpoint, path, sent, request.body)
    except upstream.Failed as failed:
        attempt.end(reason=failed.reason)
        refusal = _unreachable(failed.reason)
    else:
        attempt.end(status=answer.status)
        return answer
    raise refusal


def _unreachable(reason: str) -> Refusal:
    if reason == "timeout":
        return Refusal(HTTPStatus.GATEWAY_TIMEOUT, "provider_timeout", "The provider did not answer in time.")
    return Refusal(HTTPStatus.BAD_GATEWAY, "provider_unreachable", "The provider could not be reached.")


def _mind(candidate: Candidate, answer: upstream.Answer) -> None:
    """What an error means for the next requests."""
    if answer.status in _AUTHENTICATION:
        ways_in.forget(candidate)
        suspects.report(candidate)
    if "retry-after" in answer.headers:
        cooldowns.start(candidate, answer.headers["retry-after"])


async def _relay(exchange: Exchange, answer: upstream.Answer, send: ASGISendCallable) -> None:
    """Pass the answer on as it comes. A caller who reads slowly slows the provider down, not this process."""
    try:
        await _start(exchange, answer.status, answer.headers, send, answer.headers.get("content-length"))
        try:
            more = True
            while more:
                chunk, more = await answer.chunk(), not answer.ended
                exchange.relayed(chunk)
                await send({"type": "http.response.body", "body": chunk, "more_body": more})
        except upstream.Failed as failed:
            exchange.reason = f"cut_{failed.reason}"
        if exchange.reason:
            raise Cut
    finally:
        answer.close()


class _Error:
    """A provider's error, whole, with every part of the secret taken out."""

    def __init__(self, status: int, received: Mapping[str, str], body: bytes) -> None:
        self._status, self._received, self._body = status, CIMultiDict(received), body

    @classmethod
    async def read(cls, answer: upstream.Answer, way_in: WayIn) -> "_Error":
        """Read it. Nothing passes of what can't be read to its end, or not be searched: too large, or compressed."""
        body = None
        try:
            if answer.headers.get("content-encoding", "identity") == "identity":
                body = await answer.read(_MOST_ERROR_BYTES)
        except upstream.Failed:
            pass
        finally:
            answer.close()
        given = ((name, value.encode(errors="replace")) for name, value in answer.headers.items())
        said = {name: scrub(value, way_in.secret).decode() for name, value in given}
        return cls(answer.status, said, scrub(body or b"", way_in.secret))

    async def say(self, exchange: Exchange, send: ASGISendCallable) -> None:
        self._received.pop("content-encoding", None)
        body = self._body
        if not body:
            self._received["content-type"] = "application/json"
            sentence = f"The provider answered {self._status} and nothing that can be passed on."
            body = Refusal(self._status, "provider_error", sentence).body(exchange.dialect, exchange.id)
        await _start(exchange, self._status, self._received, send, str(len(body)))
        exchange.relayed(body)
        await send({"type": "http.response.body", "body": body, "more_body": False})


async def _start(
    exchange: Exchange, status: int, received: headers.Received, send: ASGISendCallable, length: str | None
) -> None:
    exchange.status, exchange.provider_request_id = status, headers.request_id(received)
    pairs: Pairs = [*headers.to_caller(received), *headers.of(exchange)]
    if length is not None:
        pairs.append((b"content-length", length.encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs, "trailers": False})
