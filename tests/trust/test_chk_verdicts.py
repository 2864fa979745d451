"""CHK-08: each answer has the verdict of its contract, and what is not the key's fault is never called `invalid`."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import pytest
import requests
from botocore.auth import SigV4Auth
from google.auth.crypt import RSASigner
from hypothesis import given, settings
from hypothesis import strategies as st

from organizations.access import Access
from providerkeys.models import CredentialCheck, ProviderKey
from providerkeys.providers import base, bedrock, google_oauth, http, registry, service_account, transport
from providerkeys.providers.base import ApiKeyProvider, Credential, Provider, Rule
from providerkeys.providers.verdicts import Reason, Verdict
from providerkeys.tasks import run_check
from tests.fakeproviders import providers as stand_ins
from tests.fakeproviders import samples
from tests.fakeproviders.samples import Sample
from tests.providerkeys.offline import Offline
from tests.providerkeys.providers.contract import steps
from tests.providerkeys.sample import Answerer, Door, again, answer, letterbox, pressed, replaced, silent, stored, typed
from tests.trust.controls import Control, Plant, controls

pytestmark = [pytest.mark.django_db, pytest.mark.database]

DOCUMENTED: Final = [sample for slug in samples.PROVIDERS for sample in samples.documented(slug)]
EVERY_PROVIDER = pytest.mark.parametrize("provider", registry.all(), ids=lambda provider: provider.slug)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    letterbox(monkeypatch)
    return Door.instead(monkeypatch)


@cache
def credential(provider: str, key: str = "") -> Credential:
    """The sample ``key`` where it is used; without one, a good one."""
    key = key or samples.key(provider, "good")
    return Credential(key, samples.destination(provider, key))


def check_of(access: Access, provider: str, key: str = "") -> CredentialCheck:
    """A press with that credential, and the worker's answer to it."""
    typed_in = credential(provider, key)
    check = CredentialCheck.press(access, provider, [typed(access, typed_in.secret, typed_in.destination)])
    run_check(check.pk)
    return again(check)


# Each documented answer


@pytest.mark.parametrize("sample", DOCUMENTED, ids=lambda sample: sample.id)
def test_chk_08_a_documented_answer_has_its_verdict(
    sample: Sample, alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    letterbox(monkeypatch)
    stand_in = Offline()
    monkeypatch.setattr(http, "send", stand_in)
    assert check_of(alice_access, sample.provider, sample.key).verdict == sample.verdict
    assert stand_in.credentials[0] == stand_ins.get(sample.provider).shape.arrives(sample.key)


# Whatever the answer

OFTEN: Final = (100, 200, 204, 302, 400, 401, 402, 403, 404, 407, 408, 424, 429, 434, 500, 503, 529)
# The answers of a provider that is asked more than once take longer; each body meets every tenth status there.
_SELDOM: Final = 10
JSON_TYPE: Final = "application/json"
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


@dataclass(frozen=True)
class Known:
    """What a provider is known to say: its bodies, each with the headers that belong to it, and the verdicts by status."""

    bodies: Mapping[bytes, Mapping[str, str]]
    verdicts: Mapping[int, set[Verdict]]
    good: list[http.Answer]
    """The answers that prove a good credential, in their order."""


@cache
def known(slug: str) -> Known:
    provider, good = registry.get(slug), Offline()
    bodies: dict[bytes, Mapping[str, str]] = {}
    verdicts: dict[int, set[Verdict]] = {}
    provider.check(credential(slug), good)
    for sample in samples.documented(slug):
        said = Offline()
        provider.check(credential(slug, sample.key), said)
        bodies |= {one.body: one.headers for one in said.answers}
        verdicts.setdefault(said.answers[-1].status, set()).add(Verdict(sample.verdict))
    return Known(bodies, verdicts, good.answers[: steps(provider)])


@pytest.fixture(scope="module", autouse=True)
def _learned() -> None:
    """What is known is learned before any defect is planted."""
    for slug in samples.PROVIDERS:
        known(slug)


def bodies(provider: Provider) -> Iterator[tuple[bytes, Mapping[str, str]]]:
    """Garbage, and every body that this provider is known to send: each may come with any status."""
    yield from ((body, {}) for body in GARBAGE)
    yield from ((json.dumps(shape).encode(), {}) for shape in SHAPES)
    yield from known(provider.slug).bodies.items()


@dataclass
class Replay:
    """Answers ``before`` one after the other, and then always ``said``."""

    before: list[http.Answer]
    said: http.Answer
    asked: int = 0

    def __call__(self, _: http.Request) -> http.Answer:
        self.asked += 1
        return self.before[self.asked - 1] if self.asked <= len(self.before) else self.said


def verdicts_of(provider: Provider, said: http.Answer) -> Iterator[Verdict]:
    """What the provider's file makes of ``said``: as its first answer, and as each after good ones."""
    good = known(provider.slug).good
    for place in range(len(good)):
        yield provider.verdict(provider.check(credential(provider.slug), Replay(good[:place], said)))


def assert_fair(provider: Provider, said: http.Answer) -> None:
    """What must hold of every provider and every answer, unless it is documented otherwise."""
    for verdict in verdicts_of(provider, said):
        assert verdict in fair(provider, said), f"{said.status} {said.content_type} {said.body[:80]!r} is {verdict}"


def fair(provider: Provider, said: http.Answer) -> Collection[Verdict]:
    documented = known(provider.slug).verdicts.get(said.status, set())
    if not isinstance(said.document, dict) and said.body not in known(provider.slug).bodies:
        return {Verdict.UNREACHABLE}
    if said.status == 200:
        return Verdict
    if said.status == 429:
        return {Verdict.LIMITED, Verdict.UNREACHABLE} | documented - {Verdict.INVALID, Verdict.VALID}
    if 400 <= said.status < 500:
        return {*Verdict} - {Verdict.VALID} | documented
    return {Verdict.UNREACHABLE}


@pytest.fixture
def unsigned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signature, and to read a key again and again, take most of the time of a check whose answer takes none."""
    monkeypatch.setattr(RSASigner, "sign", lambda *_: b"signature")
    monkeypatch.setattr(SigV4Auth, "add_auth", lambda *_: None)
    monkeypatch.setattr(service_account, "parse", cache(service_account.parse))


@EVERY_PROVIDER
@pytest.mark.parametrize("content_type", [JSON_TYPE, "text/html; charset=utf-8", "text/xml", ""])
def test_chk_08_any_status_with_any_known_body(provider: Provider, content_type: str, unsigned: None) -> None:
    every = 1 if len(known(provider.slug).good) == 1 else _SELDOM
    for place, (body, headers) in enumerate(bodies(provider)):
        statuses = {*OFTEN, *(range(100 + place % every, 600, every) if content_type == JSON_TYPE else ())}
        document = http.Answer(200, content_type, body).document
        for status in statuses:
            said = http.Answer(status, content_type, body, headers)
            # It is the same with each status; to parse it each time takes longer than all that is judged.
            vars(said)["document"] = document
            assert_fair(provider, said)


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


@cache
def any_answers() -> list[http.Answer]:
    drawn: list[http.Answer] = []

    @settings(derandomize=True, deadline=None, max_examples=500, database=None)
    @given(st.builds(http.Answer, ANY_STATUS, ANY_TYPE, ANY_BODY))
    def draw(said: http.Answer) -> None:
        drawn.append(said)

    draw()
    return drawn


@pytest.mark.long
@EVERY_PROVIDER
def test_chk_08_any_status_with_any_body_at_all(provider: Provider, unsigned: None) -> None:
    assert len(any_answers()) >= 500
    for said in any_answers():
        assert_fair(provider, said)


# No answer


def kinds_of(error: type[requests.RequestException]) -> Iterator[type[requests.RequestException]]:
    yield error
    for kind in error.__subclasses__():
        yield from kinds_of(kind)


NETWORK = ["dns", "connect", "proxy", "tls", "reset", "timeout", "too_large", "redirect"]


@EVERY_PROVIDER
@pytest.mark.parametrize("reason", [*NETWORK, "a reason of another version"])
def test_chk_08_no_answer_is_unreachable(reason: str, provider: Provider, alice_access: Access, door: Door) -> None:
    """To the first question, and to each that follows good answers."""
    good = known(provider.slug).good
    for place in range(len(good)):
        asked = iter(good[:place])

        def fail(_: http.Request, answers: Iterator[http.Answer] = asked) -> http.Answer:
            for said in answers:
                return said
            raise http.Unreachable(reason)

        door.answers, before = fail, door.probes
        (shown,) = check_of(alice_access, provider.slug).results_now
        assert (shown.verdict, door.probes - before) == ("unreachable", place + 1)
        assert "The key was not judged." in shown.sentence or reason not in NETWORK


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
    door.answers = Offline()
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
    monkeypatch.setattr(base, "undocumented", lambda _: "unknown_key")
    monkeypatch.setattr(bedrock, "undocumented", lambda _: "unknown_id")
    monkeypatch.setattr(google_oauth, "undocumented", lambda _: "not_recognised")


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


def judging_the_key_by_its_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bedrock, "CONTROL_RULES", (Rule(status=(403, 429), reason="unknown_id"),))


OPENAI, BEDROCK, GOOGLE = (registry.get(slug) for slug in ("openai", "bedrock", "google_vertex_ai"))
WRONG, BUSY = (sample for sample in DOCUMENTED if sample.id in {"openai-wrong", "openai-error503"})
STS_BUSY, TOKENS_BUSY = (
    sample for sample in DOCUMENTED if sample.id in {"bedrock-sts500", "google_vertex_ai-token500"}
)
ANY_KNOWN, ANY_AT_ALL = test_chk_08_any_status_with_any_known_body, test_chk_08_any_status_with_any_body_at_all
PLANTED: list[tuple[Any, Plant, dict[str, Any]]] = [
    (test_chk_08_a_documented_answer_has_its_verdict, reading_the_status_alone, {"sample": WRONG}),
    (test_chk_08_a_documented_answer_has_its_verdict, blaming_the_key, {"sample": BUSY}),
    (test_chk_08_a_documented_answer_has_its_verdict, blaming_the_key, {"sample": STS_BUSY}),
    (test_chk_08_a_documented_answer_has_its_verdict, blaming_the_key, {"sample": TOKENS_BUSY}),
    (ANY_KNOWN, blaming_the_key, {"provider": BEDROCK, "content_type": JSON_TYPE}),
    (ANY_KNOWN, blaming_the_key, {"provider": GOOGLE, "content_type": JSON_TYPE}),
    (ANY_KNOWN, judging_the_key_by_its_region, {"provider": BEDROCK, "content_type": JSON_TYPE}),
    (ANY_KNOWN, reading_the_words_alone, {"provider": OPENAI, "content_type": JSON_TYPE}),
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
