"""CHK-08: each answer has the verdict of its contract, and what is not the key's fault is never called `invalid`."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from organizations.access import Access
from providerkeys.models import CredentialCheck, ProviderKey
from providerkeys.providers import base, http, registry, transport
from providerkeys.providers.base import ApiKeyProvider, Credential, Provider, Rule
from providerkeys.providers.verdicts import Reason, Verdict
from providerkeys.tasks import run_check
from tests.fakeproviders import providers as stand_ins
from tests.fakeproviders import samples
from tests.fakeproviders.model import Ask
from tests.fakeproviders.samples import Sample
from tests.fakeproviders.wire import Request
from tests.providerkeys.sample import Answerer, Door, again, answer, letterbox, pressed, replaced, silent, stored, typed
from tests.trust.controls import Control, Plant, controls

pytestmark = [pytest.mark.django_db, pytest.mark.database]

DOCUMENTED = [sample for slug in samples.PROVIDERS for sample in samples.documented(slug)]
EVERY_PROVIDER = pytest.mark.parametrize("provider", registry.all(), ids=lambda provider: provider.slug)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    letterbox(monkeypatch)
    return Door.instead(monkeypatch)


def stand_in(slug: str) -> Answerer:
    """The provider's stand-in, answering each key with its own scenario, without a socket."""
    provider, asked = stand_ins.get(slug), Counter[str]()
    (service, *_) = provider.services

    def reply(request: http.Request) -> http.Answer:
        came = Request(request.method, request.path, tuple((k.lower(), v) for k, v in request.headers.items()))
        key = service.read_credential(came)
        asked[key] += 1
        said = provider.answer(service, Ask(came, key, asked[key]), provider.scenario_name(key))
        return http.Answer(said.status, said.content_type, said.body)

    return reply


# Each documented answer


@pytest.mark.parametrize("sample", DOCUMENTED, ids=lambda sample: sample.id)
def test_chk_08_a_documented_answer_has_its_verdict(sample: Sample, alice_access: Access, door: Door) -> None:
    door.answers = stand_in(sample.provider)
    check = CredentialCheck.press(alice_access, sample.provider, [typed(alice_access, sample.key)])
    run_check(check.pk)
    assert again(check).verdict == sample.verdict
    assert set(door.secrets) == {sample.key}


# Whatever the answer

OFTEN = [100, 200, 204, 302, 400, 401, 402, 403, 404, 407, 429, 500, 503, 529]
_PAGE = b"<!doctype html><title>Proxy sign-in required</title>"
GARBAGE = [b"", _PAGE, b"{", b"[]", b"null", b"0", b'"text"', b"{}", b"\xff\xfe"]
SHAPES: list[Any] = [
    {"error": None},
    {"error": []},
    {"error": {}},
    {"error": "text"},
    {"error": {"type": 1, "code": [], "message": {}, "details": "text"}},
    {"data": []},
    {"data": {}, "object": "list"},
    {"data": [], "error": {"code": "invalid_api_key"}},
    {"code": 401, "msg": "token expired or incorrect", "success": False},
]


def bodies(provider: Provider) -> Iterator[bytes]:
    """Garbage, and every body that this provider is known to send: each may come with any status."""
    yield from GARBAGE
    yield from (json.dumps(shape).encode() for shape in SHAPES)
    if provider.slug in samples.PROVIDERS:
        yield from (first_body(provider, sample.key) for sample in samples.documented(provider.slug))


def first_body(provider: Provider, key: str) -> bytes:
    """What the stand-in says to the first probe with ``key``."""
    reply, said = stand_in(provider.slug), list[http.Answer]()

    def send(request: http.Request) -> http.Answer:
        said.append(reply(request))
        return said[-1]

    provider.check(Credential(key), send)
    return said[0].body


def verdict_of(provider: Provider, said: http.Answer) -> Verdict:
    return provider.verdict(provider.check(Credential(samples.key("openai", "good")), lambda _: said))


def assert_fair(provider: Provider, said: http.Answer) -> None:
    """What must hold of every provider and every answer."""
    verdict = verdict_of(provider, said)
    excerpt = f"{said.status} {said.content_type} {said.body[:80]!r} is {verdict}"
    if said.status == 429:
        assert verdict in {Verdict.LIMITED, Verdict.UNREACHABLE}, excerpt
    elif not 400 <= said.status < 500 and said.status != 200:
        assert verdict is Verdict.UNREACHABLE, excerpt
    if said.status != 200:
        assert verdict is not Verdict.VALID, excerpt
    if not isinstance(said.document, dict):
        assert verdict is Verdict.UNREACHABLE, excerpt


@EVERY_PROVIDER
@pytest.mark.parametrize("content_type", ["application/json", "text/html; charset=utf-8", ""])
def test_chk_08_any_status_with_any_known_body(provider: Provider, content_type: str) -> None:
    for body in set(bodies(provider)):
        for status in range(100, 600) if content_type == "application/json" else OFTEN:
            assert_fair(provider, http.Answer(status, content_type, body))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(
    [
        "invalid_api_key",
        "insufficient_quota",
        "authentication_error",
        "forbidden",
        "Missing scopes: x",
        "_limit_exceeded",
    ]
)
ERRORS = st.fixed_dictionaries(
    {"error": st.dictionaries(st.sampled_from(["type", "code", "message", "details"]), WORDS | JSON)}
)
ANY_BODY = st.binary(max_size=80) | (JSON | ERRORS).map(lambda document: json.dumps(document).encode())
ANY_STATUS = st.integers(100, 599) | st.sampled_from(OFTEN)
ANY_TYPE = st.sampled_from(["application/json", "application/json; charset=utf-8", "text/html", ""])


@EVERY_PROVIDER
def test_chk_08_any_status_with_any_body_at_all(provider: Provider) -> None:
    @settings(derandomize=True, deadline=None, max_examples=500, database=None)
    @given(st.builds(http.Answer, ANY_STATUS, ANY_TYPE, ANY_BODY))
    def holds(said: http.Answer) -> None:
        assert_fair(provider, said)

    holds()


# No answer


def kinds_of(error: type[requests.RequestException]) -> Iterator[type[requests.RequestException]]:
    yield error
    for kind in error.__subclasses__():
        yield from kinds_of(kind)


NETWORK = ["dns", "connect", "proxy", "tls", "reset", "timeout", "too_large", "redirect"]


@EVERY_PROVIDER
@pytest.mark.parametrize("reason", [*NETWORK, "a reason of another version"])
def test_chk_08_no_answer_is_unreachable(reason: str, provider: Provider, alice_access: Access, door: Door) -> None:
    def fail(_: http.Request) -> http.Answer:
        raise http.Unreachable(reason)

    door.answers = fail
    check = CredentialCheck.press(alice_access, provider.slug, [typed(alice_access)])
    run_check(check.pk)
    (shown,) = again(check).results_now
    assert (shown.verdict, door.probes) == ("unreachable", 1)
    assert shown.sentence.endswith("The key was not judged.") or reason not in NETWORK


@EVERY_PROVIDER
def test_chk_08_each_way_in_which_the_network_fails_is_unreachable(provider: Provider) -> None:
    for kind in set(kinds_of(requests.RequestException)):
        if kind is not requests.exceptions.JSONDecodeError:  # Never raised: no answer is parsed by the library.
            assert provider.verdict(transport.reason_of(kind())) is Verdict.UNREACHABLE, kind


# What stands


@pytest.mark.parametrize("before", ["valid", "limited", "invalid", "forbidden"])
@pytest.mark.parametrize(
    "answers",
    [silent, lambda _: answer(500, {}), lambda _: http.Answer(401, "text/html", _PAGE)],
    ids=["silent", "500", "page"],
)
def test_chk_08_unreachable_keeps_the_last_verdict(
    answers: Answerer, before: str, alice_access: Access, door: Door
) -> None:
    sample = samples.one_of_each_verdict("openai")[before]  # type: ignore[index]
    door.answers = stand_in("openai")
    key = stored(alice_access, sample.key)
    run_check(pressed(alice_access, key).pk)
    judged = again(key)
    assert judged.verdict == judged.last_check_verdict == before

    door.answers = answers
    check = pressed(alice_access, key)
    run_check(check.pk)
    after = again(key)
    assert (after.verdict, after.reason, after.verdict_at) == (judged.verdict, judged.reason, judged.verdict_at)
    assert (after.last_check_verdict, after.last_check_at) == ("unreachable", again(check).finished_at)
    assert after.last_check_reason != judged.last_check_reason


def test_chk_08_unreachable_keeps_nothing_of_another_secret(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    run_check(pressed(alice_access, key).pk)
    replaced(alice_access, key, samples.key("openai", "html"))
    door.answers = silent
    run_check(pressed(alice_access, again(key)).pk)
    assert (again(key).verdict, again(key).last_check_verdict) == ("", "unreachable")


# Controls


def blaming_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_undocumented", lambda _: "unknown_key")


def believing_any_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApiKeyProvider, "speaks", lambda *_: True)


def believing_any_200(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApiKeyProvider, "classify_success", lambda *_: "accepted")


def reading_the_status_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rule, "matches", lambda rule, status, _: status in rule.status)


def reading_the_words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    matches = Rule.matches
    monkeypatch.setattr(Rule, "matches", lambda rule, _, error: matches(rule, rule.status[0], error))


def judging_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Reason(Verdict.INVALID, "The key is wrong.", "type another.")
    monkeypatch.setattr(Provider, "reason", lambda *_: wrong)


def calling_everything_a_judgement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Verdict, "is_judgement", property(lambda _: True))


def keeping_the_former_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProviderKey, "forget_verdict", lambda _: None)


OPENAI = registry.get("openai")
WRONG, BUSY = (sample for sample in samples.documented("openai") if sample.scenario in {"wrong", "error503"})
ANY_KNOWN, ANY_AT_ALL = test_chk_08_any_status_with_any_known_body, test_chk_08_any_status_with_any_body_at_all
PLANTED: list[tuple[Any, Plant, dict[str, Any]]] = [
    (test_chk_08_a_documented_answer_has_its_verdict, reading_the_status_alone, {"sample": WRONG}),
    (test_chk_08_a_documented_answer_has_its_verdict, blaming_the_key, {"sample": BUSY}),
    (ANY_KNOWN, reading_the_words_alone, {"provider": OPENAI, "content_type": "application/json"}),
    (ANY_KNOWN, blaming_the_key, {"provider": OPENAI, "content_type": ""}),
    (ANY_KNOWN, believing_any_page, {"provider": OPENAI, "content_type": "text/html"}),
    (ANY_AT_ALL, reading_the_words_alone, {"provider": OPENAI}),
    (ANY_AT_ALL, believing_any_200, {"provider": OPENAI}),
    (test_chk_08_no_answer_is_unreachable, judging_without_an_answer, {"provider": OPENAI, "reason": "dns"}),
    (
        test_chk_08_each_way_in_which_the_network_fails_is_unreachable,
        judging_without_an_answer,
        {"provider": OPENAI},
    ),
    (
        test_chk_08_unreachable_keeps_the_last_verdict,
        calling_everything_a_judgement,
        {"answers": silent, "before": "valid"},
    ),
    (test_chk_08_unreachable_keeps_nothing_of_another_secret, keeping_the_former_verdict, {}),
]


@controls(Control(*planted) for planted in PLANTED)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
