"""NET-10 at the gateway: every hostile answer at once. Each ends in bounded time and memory, with what the provider said, a
clear 502 or 504, or a cut that its caller sees; never with a fault of ours, and never with the key.
"""

import asyncio
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any, Final

import aiohttp
import pytest
from django.core import serializers
from pytest_django.fixtures import Settings

from gateway import app, forward, headers, upstream
from gateway.models import RequestRecord
from gateway.scrub import Scrubber
from organizations.access import Access
from organizations.models import ApiKey
from providerkeys.models import Draft, ProviderKey
from providerkeys.providers.base import Credential
from providerkeys.resolver import Scope
from tests.fakeproviders import hostile, samples
from tests.fakeproviders.service_accounts import token_seed
from tests.trust.canary import Canary, Search
from tests.trust.controls import Control, Plant, controls
from tests.trust.gwy import SPEAKERS, Gateway, db
from tests.trust.net_checks import Memory

FIRST_BYTE: Final = 0.8
SECONDS: Final = 8.0
MEBIBYTES: Final = 50.0
_PATIENCE: Final = 1.0
_ENOUGH: Final = 256 * 1024
_FEW: Final = 4
# How much longer than anyone alone so many at once, client and gateway in one process, may keep each other from their turn.
_IN_A_CROWD: Final = 3

# What a scenario comes to: a status, and how the answer ends. All others are passed on to their end.
_LATE: Final = {(504, "whole")}
_NO_ANSWER: Final = {(502, "whole")}
_CUT: Final = {(200, "cut")}
_LEFT: Final = {(200, "left")}
EXPECTED: Final[dict[str, set[tuple[int, str]]]] = {
    **dict.fromkeys(("slow2", "slow12", "hang", "dripheaders", "continues"), _LATE),
    **dict.fromkeys(("reset", "close", "badstatus", "badlength"), _NO_ANSWER),
    # Whichever bound is met first.
    **dict.fromkeys(("headerflood", "longheader"), _NO_ANSWER | _LATE),
    **{row.name: _NO_ANSWER for row in hostile.ROWS if row.name.startswith("redirect")},
    **dict.fromkeys(("resetbody", "cutbody", "dripbody", "trailers"), _CUT),
    **dict.fromkeys(("cutstream", "resetstream", "hangstream"), _CUT),
    # It depends on whether the head comes by itself.
    "badchunk": _CUT | _NO_ANSWER,
    **dict.fromkeys(("endless", "big", "gzipbomb"), _LEFT),
    **{f"html{status}": {(status, "whole")} for status in (401, 403, 404, 502)},
    "echo500": {(500, "whole")},
}
PROVIDERS: Final = ("openai", "anthropic", "google_vertex_ai")
EVERYTHING: Final = (*(row.name for row in hostile.ROWS), *samples.STREAM_FAULTS)


@dataclass(frozen=True)
class Asker:
    """Who asks a provider that will answer so, with which key of ours."""

    provider: str
    scenario: str
    api_key: str = field(repr=False)
    canary: Canary

    def __str__(self) -> str:
        return f"{self.provider}: {self.scenario}"

    @property
    def body(self) -> dict[str, Any]:
        said = [{"role": "user", "content": "hi"}]
        model = f"{self.provider}/{SPEAKERS[self.provider]}"
        return {"model": model, "max_tokens": 9, "messages": said, "stream": self.scenario in samples.STREAM_FAULTS}


@dataclass(frozen=True)
class Outcome:
    """What a caller saw: ``end`` is ``whole``, ``cut``, ``left`` where it had seen enough, or ``nothing`` in time."""

    asker: Asker
    end: str
    status: int = 0
    code: str = ""
    request_id: str = ""
    seen: bytes = field(default=b"", repr=False)
    seconds: float = 0.0

    @property
    def is_as_expected(self) -> bool:
        known = EXPECTED.get(self.asker.scenario, {(200, "whole")})
        # The gateway's own word is never that something is wrong with it.
        return (self.status, self.end) in known and self.code not in {"internal", "database", "stopping", "busy"}

    @property
    def is_crowded(self) -> bool:
        """Bounded as it must be, before it was what it should be: so many at once may keep each other from their turn."""
        unexpected = not self.is_as_expected and ((self.status, self.end) in _LATE or self.end in {"left", "cut"})
        return unexpected or self.seconds > SECONDS


def arranged(access: Access, scenarios: Iterable[str]) -> list[Asker]:
    """An API key and a provider key of its own for each scenario of each provider."""
    return [_asker(access, provider, scenario) for provider in PROVIDERS for scenario in scenarios]


def _asker(access: Access, provider: str, scenario: str) -> Asker:
    # At Vertex AI it happens after the sign-in, and the token is what must not be seen.
    if provider == "google_vertex_ai":
        secret = samples.key(provider, f"then{scenario}")
        canary = Canary.whole(f"token of {scenario}", token_seed(json.loads(secret)["client_email"]))
    else:
        canary = Canary.provider_key(f"{provider} key of {scenario}", provider, scenario)
        secret = canary.value
    api_key, plaintext = ApiKey.issue(access, scenario)
    credential = Credential(secret, samples.destination(provider, secret))
    ProviderKey.create(access, provider, Draft("Key", Scope.API_KEYS, frozenset({api_key.pk}), credential))
    return Asker(provider, scenario, plaintext, canary)


async def asked(gateway: Gateway, askers: Sequence[Asker], seconds: float) -> list[Outcome]:
    """What became of all of them, asked at once and waited for as long."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
        return list(await asyncio.gather(*(_ask(session, gateway.url, asker, seconds) for asker in askers)))


async def _ask(session: aiohttp.ClientSession, url: str, asker: Asker, seconds: float) -> Outcome:
    started = time.monotonic()
    path = "/v1/messages" if asker.provider == "anthropic" else "/v1/chat/completions"
    try:
        async with (
            asyncio.timeout(seconds),
            session.post(url + path, json=asker.body, headers={"x-api-key": asker.api_key}) as answer,
        ):
            body, end = await _read(answer)
    except TimeoutError:
        return Outcome(asker, end="nothing")
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return Outcome(
        asker=asker,
        end=end,
        status=answer.status,
        code=_code(body),
        request_id=answer.headers.get("x-request-id", ""),
        seen=f"{answer.status} {answer.reason}\n{head}\n\n".encode() + body,
        seconds=time.monotonic() - started,
    )


async def _read(answer: aiohttp.ClientResponse) -> tuple[bytes, str]:
    """As much of the body as shows how it goes on."""
    body, until = b"", time.monotonic() + FIRST_BYTE + _PATIENCE
    try:
        async with asyncio.timeout(until - time.monotonic()):
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > _ENOUGH:
                    return body, "left"
    except TimeoutError:
        return body, "left"
    except aiohttp.ClientError:
        return body, "cut"
    return body, "whole"


def _code(body: bytes) -> str:
    try:
        error = json.loads(body)["error"]
        return str(error.get("code") or error.get("type"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ""


SETS: Final = {"everything": EVERYTHING, **{name: (name,) for name in EVERYTHING}}


@pytest.mark.long
@pytest.mark.parametrize("scenarios", ["everything"])
def test_net_10_hostile_answers_pass_through_the_gateway(
    scenarios: str, gateway: Gateway, alice_access: Access, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.GATEWAY_FIRST_BYTE_TIMEOUT = FIRST_BYTE
    askers = arranged(alice_access, SETS[scenarios])
    memory = Memory()
    outcomes = asyncio.run(
        asked(gateway, askers, _IN_A_CROWD * SECONDS if scenarios == "everything" else 2 * FIRST_BYTE)
    )
    grown = memory.mebibytes
    # Asked again, a few at a time and with keys of their own: nobody is in their way then.
    gateway.forget()
    alone = [_asker(alice_access, one.asker.provider, one.asker.scenario) for one in outcomes if one.is_crowded]
    again = [one for few in batched(alone, _FEW) for one in asyncio.run(asked(gateway, few, SECONDS))]
    judged = [*(one for one in outcomes if not one.is_crowded), *again]
    outcomes += again
    gateway.settle()
    statuses = dict(RequestRecord.objects.values_list("pk", "status"))

    assert [str(one.asker) for one in judged if one.seconds > SECONDS] == []
    assert {str(one.asker): (one.status, one.end, one.code) for one in judged if not one.is_as_expected} == {}
    assert {one.request_id: one.status for one in outcomes} == statuses
    assert grown < MEBIBYTES
    assert leaked(outcomes, caplog.text) == set()


def leaked(outcomes: Iterable[Outcome], log: str) -> set[str]:
    """Which key was seen, and where."""
    outcomes = list(outcomes)
    search = Search(one.asker.canary for one in outcomes)
    places = {str(one.asker): one.seen for one in outcomes}
    records = serializers.serialize("json", RequestRecord.objects.all())
    everything = {**places, "log": log.encode(), "records": records.encode()}
    return {f"{hit.place}: {hit.canary}" for place, data in everything.items() for hit in search.hits(place, data)}


# Defects


class _Unlimited:
    """``asyncio``, but that nothing is waited for no longer than it takes."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    def timeout(self, _: float) -> Any:
        return asyncio.timeout(None)


def waiting_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "asyncio", _Unlimited())


def collecting_before_relaying(monkeypatch: pytest.MonkeyPatch) -> None:
    async def some(answer: upstream.Answer) -> bytes:
        return await answer._response.content.read()

    honest = forward._begin

    async def begin(exchange: Any, answer: upstream.Answer, *rest: Any) -> None:
        whole = await some(answer)
        answer._response.content.unread_data(whole)
        await honest(exchange, answer, *rest)

    monkeypatch.setattr(forward, "_begin", begin)


def failing_at_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise KeyError("an error that was not foreseen")

    monkeypatch.setattr(forward, "_mind", broken)


def ending_what_was_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller is told that all of it came."""
    honest = upstream.Answer.some

    async def some(answer: upstream.Answer) -> bytes:
        try:
            return await honest(answer)
        except upstream.Failed:
            return b""

    monkeypatch.setattr(upstream.Answer, "some", some)


def following_redirects(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = aiohttp.ClientSession.request

    def request(session: Any, *rest: Any, **options: Any) -> Any:
        return honest(session, *rest, **{**options, "allow_redirects": True})

    monkeypatch.setattr(aiohttp.ClientSession, "request", request)


def scrubbing_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scrubber, "finds", lambda *_: False)


def logging_what_the_library_says(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = upstream._reason

    def reason(error: Exception) -> str:
        app.log.warning("%s", error)
        return honest(error)

    monkeypatch.setattr(upstream, "_reason", reason)


def recording_what_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider's name for a request is taken from where it repeats the key."""
    monkeypatch.setattr(headers, "request_id", lambda received, _: received.get("x-debug", ""))


def recording_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.recorder, "put", lambda _: None)


def planted(plant: Plant, *scenarios: str) -> Iterator[Control]:
    for scenario in scenarios:
        yield Control(test_net_10_hostile_answers_pass_through_the_gateway, plant, {"scenarios": scenario})


@controls(
    [
        *planted(waiting_for_ever, "continues"),
        *planted(collecting_before_relaying, "endless"),
        *planted(failing_at_errors, "html401"),
        *planted(ending_what_was_cut, "cutstream"),
        *planted(following_redirects, "redirect302other"),
        *planted(scrubbing_nothing, "echo500", "echoinstream"),
        *planted(logging_what_the_library_says, "badstatus"),
        *planted(recording_what_was_sent, "echo500"),
        *planted(recording_nothing, "html"),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
    request.getfixturevalue("providers").reset()


__all__ = ["db"]
