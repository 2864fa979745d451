"""The door: what it refuses, how long it waits, and what it never lets out. The rest of it: the family NET."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from pytest_django.fixtures import Settings

from providerkeys.providers import http, registry, transport
from providerkeys.providers.base import Endpoint, Request, Verdict
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders

Ask = Callable[[str, str], str]


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
