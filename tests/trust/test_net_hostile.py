"""NET-10: whatever comes instead of an answer: never `valid`, never longer than 12 s in all, never more than 50 MiB."""

import math
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from django.test import override_settings
from pytest_django.fixtures import Settings

from organizations.access import Access
from providerkeys import vault
from providerkeys.forms import regions
from providerkeys.models import CredentialCheck, Row, check, check_run
from providerkeys.providers import http, registry, transport
from providerkeys.providers.base import Answer, ApiKeyProvider, Credential, Provider, Request, Verdict
from tests.fakeproviders import samples
from tests.fakeproviders.client import FakeProviders
from tests.fakeproviders.fixtures import complaint
from tests.fakeproviders.samples import Sample
from tests.hostile_runs import TellRun
from tests.providerkeys.sample import letterbox, verdicts
from tests.trust.controls import Control, Plant, controls
from tests.trust.net import DRIP, SILENCE, Step, everywhere, play
from tests.trust.net_checks import LATER, Later, Memory, Outcome, ask

SECONDS: Final = 12.0
MEBIBYTES: Final = 50.0
EVERY_PROVIDER = pytest.mark.parametrize("slug", samples.PROVIDERS)
HOSTILE: Final = [one for slug in samples.PROVIDERS for one in samples.hostile(slug)]


# One run of everything at once: what never ends waits in threads of its own while the rest takes its turns.


RUN: dict[str, Outcome] = {}


@pytest.fixture(scope="module")
def at_the_stand_ins(fake_providers: FakeProviders) -> Iterator[FakeProviders]:
    with override_settings(PROVIDER_BASE_URLS=fake_providers.base_urls):
        yield fake_providers


@pytest.fixture(scope="module")
def run(at_the_stand_ins: FakeProviders) -> Mapping[str, Outcome]:
    """What came of every hostile answer, of all providers at once, as a worker's threads would meet them."""
    at_the_stand_ins.reset()
    memory = Memory()
    with ExitStack() as stack:
        servers = {later.id: stack.enter_context(play(*later.before, DRIP)) for later in LATER}
        origins = {name: f"http://127.0.0.1:{server.port}" for name, server in servers.items()}
        stack.enter_context(override_settings(PROVIDER_BASE_URLS={**at_the_stand_ins.base_urls, **origins}))
        quick, slow = ([one for one in HOSTILE if takes_long(one) is long] for long in (False, True))
        waiting = stack.enter_context(ThreadPoolExecutor(len(slow) + len(LATER)))
        turns = stack.enter_context(ThreadPoolExecutor(4))
        asked = {later.id: waiting.submit(ask, later.slug, good(later.slug), later.id) for later in LATER}
        asked |= {one.id: waiting.submit(ask, one.provider, one.key) for one in slow}
        asked |= {one.id: turns.submit(ask, one.provider, one.key) for one in quick}
        outcomes = {name: future.result() for name, future in asked.items()}
    RUN.update({name: replace(outcome, mebibytes=memory.mebibytes) for name, outcome in outcomes.items()})
    assert complaint(at_the_stand_ins.violations(), set()) == ""
    return RUN


def takes_long(sample: Sample) -> bool:
    return sample.slow or sample.scenario.endswith("slow2")


def good(slug: str) -> str:
    return samples.key(slug, "good")


def outcome_of(sample: Sample) -> Outcome:
    """That of the run; or, where a defect has made that worthless, of a check by itself."""
    if sample.id in RUN:
        return RUN[sample.id]
    memory = Memory()
    outcome = ask(sample.provider, sample.key)
    return replace(outcome, mebibytes=memory.mebibytes)


@pytest.mark.long
@pytest.mark.parametrize("sample", HOSTILE, ids=lambda sample: sample.id)
def test_net_10_a_hostile_answer_judges_nothing_in_time_and_in_little_memory(
    sample: Sample, run: Mapping[str, Outcome]
) -> None:
    outcome = outcome_of(sample)
    assert registry.get(sample.provider).verdict(outcome.reason) == sample.verdict, outcome.reason
    assert outcome.reason == "timeout" or not sample.slow, outcome.reason
    assert outcome.seconds < SECONDS
    assert outcome.mebibytes < MEBIBYTES


@pytest.mark.parametrize("later", LATER, ids=lambda later: later.id)
def test_net_10_a_later_request_has_what_is_left_of_the_time(later: Later, run: Mapping[str, Outcome]) -> None:
    outcome = run[later.id]
    assert outcome.reason == later.reason
    assert sum(step.seconds for step in later.before) + http.TOTAL_SECONDS > SECONDS, "apart, they would be in time too"
    assert http.TOTAL_SECONDS - 0.5 < outcome.seconds < SECONDS


@EVERY_PROVIDER
def test_net_10_a_providers_whole_run(slug: str, run: Mapping[str, Outcome], tell_run: TellRun) -> None:
    own = {name: outcome for name, outcome in run.items() if name.startswith(f"{slug}-")}
    longest, most = (max(getattr(one, what) for one in own.values()) for what in ("seconds", "mebibytes"))
    provider = registry.get(slug)
    tell_run(provider.order, provider.label, f"{len(own)} answers, {longest:.1f} s at most, + {most:.0f} MiB")
    verdict_of = {name: provider.verdict(outcome.reason) for name, outcome in own.items()}
    late = {one.id for one in HOSTILE if one.verdict == "valid"} | {one.id for one in LATER if one.reason == "accepted"}
    assert {name for name, verdict in verdict_of.items() if verdict is not Verdict.UNREACHABLE} == late & set(own)
    assert longest < SECONDS
    assert most < MEBIBYTES


# In small: the clock itself, and a check from its press to its end


def test_net_10_the_clock_ends_what_drips(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between two bytes is long enough for the time-out of a library, on a machine that is busy either."""
    monkeypatch.setattr(http, "TOTAL_SECONDS", 1.0)
    with play(Step(200, b" " * 30, every=0.1)) as server:
        settings.PROVIDER_BASE_URLS = everywhere(f"http://127.0.0.1:{server.port}")
        outcome = ask("openai", good("openai"))
    assert outcome.reason == "timeout"
    assert outcome.seconds < 2


MANY_REQUESTS: Final = {
    "openai": ("scope", 2),
    "xai": ("good", 2),
    "zai": ("gone404", 2),
    "google_vertex_ai": ("expired", 4),
    "bedrock": ("thenmismatch", 3),
}


@pytest.mark.parametrize("slug", MANY_REQUESTS)
def test_net_10_all_requests_of_a_check_end_at_one_moment(
    slug: str, at_the_stand_ins: FakeProviders, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario, asked = MANY_REQUESTS[slug]
    ends, honest = list[float | None](), http.send

    def send(request: Request, until: float | None = None) -> Answer:
        ends.append(until)
        return honest(request, until)

    monkeypatch.setattr(http, "send", send)
    started = time.monotonic()
    ask(slug, samples.key(slug, scenario))
    assert len(ends) == asked
    assert len(set(ends)) == 1
    assert ends[0] is not None
    assert ends[0] - started == pytest.approx(http.TOTAL_SECONDS, abs=1.0)


@pytest.mark.django_db
@EVERY_PROVIDER
def test_net_10_a_check_ends_unreachable_with_its_time(
    slug: str, alice_access: Access, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    letterbox(monkeypatch)
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.15)
    key = good(slug)
    credential = Credential(key, samples.destination(slug, key))
    print_ = vault.fingerprint(alice_access.organization.fingerprint_salt, key, credential.destination)
    pressed = CredentialCheck.press(alice_access, slug, [Row(print_, credential=credential)])
    with play(SILENCE) as server:
        settings.PROVIDER_BASE_URLS = everywhere(f"http://127.0.0.1:{server.port}")
        started = time.monotonic()
        check_run.run(pressed.pk)
    assert time.monotonic() - started < 2
    assert verdicts(pressed) == [("unreachable", "timeout")]
    assert CredentialCheck.objects.get().state == "done"


def test_net_10_a_lease_outlasts_a_row_and_a_deadline_outlasts_all_rows() -> None:
    """Else a worker that is only waiting would be taken for dead, or a check end before its last row was asked."""
    row = timedelta(seconds=http.TOTAL_SECONDS)
    database = timedelta(seconds=2)
    assert row + 2 * database < check.LEASE
    assert row * math.ceil(regions.MOST_ROWS / check_run._ROWS_AT_ONCE) + 2 * database < check.PRESSED_DEADLINE


# Defects


def anew(plant: Plant) -> Plant:
    """The defect, and nothing known from the run before it."""

    def planted(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(globals(), "RUN", {})
        plant(monkeypatch)

    planted.__name__ = plant.__name__
    return planted


def believing_any_200(monkeypatch: pytest.MonkeyPatch) -> None:
    for provider in {type(row) for row in registry.all() if isinstance(row, ApiKeyProvider)}:
        monkeypatch.setattr(provider, "classify_success", lambda *_: "accepted")
    monkeypatch.setattr("providerkeys.providers.google_oauth._token_in", lambda _: "ya29.FAKE")
    monkeypatch.setattr("providerkeys.providers.google_count_tokens._reason", lambda _: "accepted")
    monkeypatch.setattr("providerkeys.providers.bedrock._reason", lambda *_: "accepted")
    monkeypatch.setattr("providerkeys.providers.bedrock._ask_identity", lambda *_: "known")


def believing_any_401(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApiKeyProvider, "speaks", lambda *_: True)


def taking_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_ANSWER_BYTES", 90 * 1024 * 1024)


def waiting_as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport.Deadline, "_fire", lambda _: None)


def giving_each_request_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "sender", lambda: http.send)


def blaming_the_key_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Provider, "verdict", lambda *_: Verdict.INVALID)


def leasing_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "LEASE", timedelta(seconds=10))


def asking_row_after_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_run, "_ROWS_AT_ONCE", 4)


def named(*wanted: str) -> list[dict[str, Any]]:
    return [{"sample": one} for one in HOSTILE if one.id in wanted]


ANSWER = test_net_10_a_hostile_answer_judges_nothing_in_time_and_in_little_memory
_200S = ("openai-html", "anthropic-errorinside", "zai-empty", "google_vertex_ai-thenwrongjson", "bedrock-thenhtml")


@controls(
    [
        *(Control(ANSWER, anew(believing_any_200), arguments) for arguments in named(*_200S)),
        *(Control(ANSWER, anew(believing_any_401), arguments) for arguments in named("mistral-html401")),
        *(Control(ANSWER, anew(taking_all_of_it), arguments) for arguments in named("openai-gzipbomb")),
        Control(test_net_10_the_clock_ends_what_drips, waiting_as_long_as_it_takes),
        *(
            Control(
                test_net_10_all_requests_of_a_check_end_at_one_moment, giving_each_request_its_own_time, {"slug": slug}
            )
            for slug in MANY_REQUESTS
        ),
        *(
            Control(test_net_10_a_check_ends_unreachable_with_its_time, blaming_the_key_for_it, {"slug": slug})
            for slug in ("openai", "bedrock")
        ),
        *(
            Control(test_net_10_a_lease_outlasts_a_row_and_a_deadline_outlasts_all_rows, plant)
            for plant in (leasing_for_a_moment, asking_row_after_row)
        ),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
