"""Carries a request to its provider, and the answer back: each candidate in turn until the first byte has gone out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from asgiref.typing import ASGISendCallable
from django.conf import settings

from gateway import answering, cooldowns, headers, resolve, suspects, upstream, ways_in
from gateway.body import Sent
from gateway.exchange import Attempt, Exchange
from gateway.headers import Pairs
from gateway.refusals import Refusal
from gateway.resolve import Candidate, SecretUnreadable
from gateway.room import Room
from gateway.scrub import SHORTEST_IN_SUCCESS, Scrubber
from providerkeys.providers.base import NoWayIn, Provider, Unreachable, WayIn

_MOST_ERROR_BYTES: Final = 256 * 1024
_ERROR_SECONDS: Final = 10
_AUTHENTICATION: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_NEXT: Final = _AUTHENTICATION | {HTTPStatus.TOO_MANY_REQUESTS}


class Cut(Exception):
    """The answer broke off after its first byte: the caller has to see that, and nobody else is asked."""


@dataclass(slots=True)
class Request:
    """What is asked of ``provider`` at ``path`` (behind its way in), and the keys that may ask it."""

    provider: Provider
    path: str
    headers: Sequence[tuple[bytes, bytes]] = field(repr=False)
    body: Sent = field(repr=False)
    candidates: Sequence[Candidate]
    room: Room = field(repr=False)

    def is_served(self) -> None:
        """Nobody has to be sent it any more: a stream may last for much longer than its question is of use."""
        self.body = b""
        self.room.leave()


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
            request.is_served()
            await _relay(exchange, answer, way_in, send)
            return
        error = await _Error.read(answer, candidate, way_in)
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
        await resolve.stamp_unreadable(candidate)
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
    # It has been read as JSON, whatever its sender calls it or forgot to.
    sent.setdefault("content-type", "application/json")
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


async def _relay(exchange: Exchange, answer: upstream.Answer, way_in: WayIn, send: ASGISendCallable) -> None:
    """Pass the answer on as it comes. A caller who reads slowly slows the provider down, not this process."""
    scrubber = Scrubber(way_in.secret, SHORTEST_IN_SUCCESS)
    try:
        await _begin(exchange, answer, scrubber, send)
        try:
            while some := await answer.some():
                exchange.relayed(some)
                await answering.go_on(scrubber.some(some), send)
        except upstream.Failed as failed:
            exchange.reason = f"cut_{failed.reason}"
        if exchange.reason:
            raise Cut
        await answering.end(send)
    finally:
        answer.close()


async def _begin(exchange: Exchange, answer: upstream.Answer, scrubber: Scrubber, send: ASGISendCallable) -> None:
    exchange.provider_request_id = headers.request_id(answer.headers, scrubber)
    pairs = headers.to_caller(answer.headers, scrubber)
    if "content-length" in answer.headers:
        pairs.append((b"content-length", answer.headers["content-length"].encode()))
    await answering.begin(exchange, answer.status, pairs, send)


@dataclass(slots=True)
class _Error:
    """A provider's error, whole, with every part of the secret taken out."""

    candidate: Candidate
    status: int
    request_id: str
    pairs: Pairs
    body: bytes

    @classmethod
    async def read(cls, answer: upstream.Answer, candidate: Candidate, way_in: WayIn) -> "_Error":
        """Read it. Nothing passes of what can't be read to its end, or not be searched: too large, or compressed."""
        body = None
        try:
            if answer.headers.get("content-encoding", "identity") == "identity":
                body = await answer.whole(_MOST_ERROR_BYTES, min(_ERROR_SECONDS, settings.GATEWAY_FIRST_BYTE_TIMEOUT))
        except upstream.Failed:
            pass
        finally:
            answer.close()
        scrubber = Scrubber(way_in.secret)
        pairs = [pair for pair in headers.to_caller(answer.headers, scrubber) if pair[0] != b"content-encoding"]
        request_id = headers.request_id(answer.headers, scrubber)
        return cls(candidate, answer.status, request_id, pairs, scrubber.whole(body or b""))

    async def say(self, exchange: Exchange, send: ASGISendCallable) -> None:
        pairs, body = self.pairs, self.body
        if not body:
            sentence = f"The provider answered {self.status} and nothing that can be passed on."
            body = Refusal(self.status, "provider_error", sentence).body(exchange.dialect, exchange.id)
            pairs = [(b"content-type", b"application/json"), *(pair for pair in pairs if pair[0] != b"content-type")]
        exchange.speaker, exchange.provider_request_id = self.candidate, self.request_id
        exchange.relayed(body)
        await answering.begin(exchange, self.status, [*pairs, (b"content-length", str(len(body)).encode())], send)
        await answering.end(send, body)
