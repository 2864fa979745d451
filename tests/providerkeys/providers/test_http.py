"""The door: what it refuses, how long it waits, how much it takes, and what it never lets out."""

import logging
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django.fixtures import Settings

from providerkeys.providers import http, registry, transport
from providerkeys.providers.base import Endpoint, Request, Verdict
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders.samples import Sample

Ask = Callable[[str, str], str]

_HOSTILE = [sample for slug in samples.PROVIDERS for sample in samples.hostile(slug)]
_QUICK = [sample for sample in _HOSTILE if not sample.slow and sample.verdict == "unreachable"]
_LATE = [sample for sample in _HOSTILE if sample.verdict == "valid"]
_SECONDS = 12.0
_MEBIBYTES = 50


def _peak_mebibytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize("sample", _QUICK, ids=lambda sample: sample.id)
def test_a_hostile_answer_ends_in_time_and_in_little_memory(ask: Ask, sample: Sample) -> None:
    before, started = _peak_mebibytes(), time.monotonic()
    reason = ask(sample.provider, sample.key)
    assert time.monotonic() - started < _SECONDS
    assert _peak_mebibytes() - before < _MEBIBYTES
    assert registry.get(sample.provider).verdict(reason) == sample.verdict, reason


def test_an_answer_that_comes_late_counts(ask: Ask) -> None:
    with ThreadPoolExecutor(len(_LATE)) as threads:
        reasons = threads.map(lambda sample: ask(sample.provider, sample.key), _LATE)
    assert set(reasons) == {"accepted"}


def test_answers_that_never_end_are_ended_by_the_clock(ask: Ask) -> None:
    """All at once, as a worker's threads would meet them: each ends at 10 s, and together they take little memory."""
    slow = [sample for sample in _HOSTILE if sample.slow]
    before, started = _peak_mebibytes(), time.monotonic()
    with ThreadPoolExecutor(len(slow)) as threads:
        reasons = list(threads.map(lambda sample: ask(sample.provider, sample.key), slow))
    assert time.monotonic() - started < _SECONDS
    assert _peak_mebibytes() - before < _MEBIBYTES
    told = {sample.id: reason for sample, reason in zip(slow, reasons, strict=True)}
    assert set(told.values()) == {"timeout"}, told


def test_the_clock_bounds_a_call_however_it_drips(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.5)
    started = time.monotonic()
    assert ask("openai", samples.key("openai", "dripbody")) == "timeout"
    assert time.monotonic() - started < 2


def test_all_that_one_check_asks_shares_its_time(
    providers: CheckedProviders, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes after the time is up is not even begun; another check has its own time."""
    settings.PROVIDER_BASE_URLS = providers.base_urls
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.3)
    silent, good = (_models_for(samples.fresh_key("openai", scenario)) for scenario in ("hang", "good"))
    carry, started = http.sender(), time.monotonic()
    for request in (silent, good):
        with pytest.raises(http.Unreachable, match="timeout"):
            carry(request)
    assert time.monotonic() - started < 1
    assert len(providers.requests()) == 1
    assert http.sender()(good).status == 200


def _models_for(key: str) -> Request:
    return Request(Endpoint("openai", "api.openai.com"), "/v1/models", {"Authorization": f"Bearer {key}"})


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"])
def test_no_proxy_of_the_environment_is_used(ask: Ask, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert ask("openai", samples.key("openai", "good")) == "accepted"


def test_no_netrc_replaces_the_key(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("HOME", str(home))
    assert ask("openai", samples.key("openai", "good")) == "accepted"


@pytest.mark.parametrize(
    "scenario", [sample.scenario for sample in samples.hostile("anthropic") if "redirect" in sample.scenario]
)
def test_a_redirect_is_never_followed_with_a_key(ask: Ask, providers: CheckedProviders, scenario: str) -> None:
    key = samples.fresh_key("anthropic", scenario)
    assert ask("anthropic", key) == "redirect"
    assert len(providers.requests(credential=key)) == 1


def test_an_explicit_proxy_is_used(ask: Ask, settings: Settings) -> None:
    settings.OUTBOUND_PROXY = "http://127.0.0.1:9"
    settings.PROVIDER_BASE_URLS = {}
    assert ask("openai", samples.key("openai", "good")) == "proxy"


@pytest.fixture
def nobody_listens() -> Iterator[str]:
    """An origin where a port is taken and nobody answers connections."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def test_no_connection_is_a_reason_of_its_own(settings: Settings, nobody_listens: str) -> None:
    settings.PROVIDER_BASE_URLS = {"openai": nobody_listens}
    with pytest.raises(http.Unreachable) as raised:
        http.send(Request(Endpoint("openai", "api.openai.com"), "/v1/models", {}))
    assert raised.value.reason == "connect"


def test_a_name_that_cannot_be_looked_up_is_a_reason_of_its_own(settings: Settings) -> None:
    settings.PROVIDER_BASE_URLS = {}
    with pytest.raises(http.Unreachable) as raised:
        http.send(Request(Endpoint("nowhere", "nowhere.invalid"), "/", {}))
    assert raised.value.reason == "dns"


def test_a_look_up_that_hangs_is_left_behind(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PROVIDER_BASE_URLS = {}
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.3)
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: released.wait(5) and [])
    started = time.monotonic()
    with pytest.raises(http.Unreachable):
        http.send(Request(Endpoint("openai", "api.openai.com"), "/", {}))
    released.set()
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("scenario", ["good", "wrong", "html", "reset", "gzipbomb"])
def test_nothing_that_leaves_the_door_holds_the_key(ask: Ask, caplog: pytest.LogCaptureFixture, scenario: str) -> None:
    key = samples.fresh_key("openai", scenario)
    with caplog.at_level(logging.DEBUG):
        reason = ask("openai", key)
    assert key[-12:] not in caplog.text + reason


def test_a_failure_carries_no_request_with_it(settings: Settings, nobody_listens: str) -> None:
    settings.PROVIDER_BASE_URLS = {"openai": nobody_listens}
    with pytest.raises(http.Unreachable) as raised:
        http.send(Request(Endpoint("openai", "api.openai.com"), "/", {"Authorization": "Bearer sk-FAKE"}))
    assert raised.value.__context__ is None
    assert raised.value.__cause__ is None


def test_one_client_serves_the_whole_process() -> None:
    assert transport.client() is transport.client()


def test_the_client_keeps_no_cookie(ask: Ask) -> None:
    ask("openai", samples.key("openai", "good"))
    assert not list(transport.client().cookies)


def test_a_judgement_needs_a_declared_host() -> None:
    assert {endpoint.host for row in registry.all() for endpoint in row.endpoints} >= {"api.openai.com"}
    assert Verdict.UNREACHABLE.is_judgement is False
