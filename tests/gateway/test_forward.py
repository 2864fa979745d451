"""How a request reaches its provider, and what comes back: pass-through, failover, streams, errors."""

import json
import threading
import time
from itertools import pairwise
from typing import Any

import pytest
import requests
from django.test import override_settings

from gateway.models import RequestRecord
from organizations.access import Access
from providerkeys import vault
from providerkeys.models import CredentialCheck, ProviderKey
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.gateway.conftest import SAID, Gateway, keep
from tests.processes import eventually

SPEAKERS = {
    "openai": "gpt-4o",
    "mistral": "mistral-large-latest",
    "deepseek": "deepseek-chat",
    "xai": "grok-4",
    "zai": "glm-4.6",
    "google_vertex_ai": "gemini-2.5-flash",
}


@pytest.mark.parametrize(("provider", "model"), SPEAKERS.items())
def test_a_completion_of_every_provider_that_speaks_openais_protocol(
    gateway: Gateway, api_key: str, alice_access: Access, provider: str, model: str
) -> None:
    key = keep(alice_access, provider)
    answer = gateway.post(api_key, model=f"{provider}/{model}")
    assert answer.status_code == 200, answer.text
    assert SAID in answer.json()["choices"][0]["message"]["content"]
    assert answer.headers["x-byok-provider"] == provider
    assert answer.headers["x-byok-provider-key"] == key.pk
    assert answer.headers["x-byok-attempts"] == "1"
    assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(("provider", "model"), SPEAKERS.items())
def test_a_stream_of_every_provider_that_speaks_openais_protocol(
    gateway: Gateway, api_key: str, alice_access: Access, provider: str, model: str
) -> None:
    keep(alice_access, provider)
    answer = gateway.post(api_key, model=f"{provider}/{model}", stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.rstrip().endswith("data: [DONE]")


def test_a_message_of_anthropic(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    keep(alice_access, "anthropic")
    body = {"model": "claude-sonnet-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": SAID}]}
    headers = {"x-api-key": api_key, "anthropic-beta": "fake-2026-01-01", "anthropic-version": "2023-01-01"}
    answer = gateway.send("POST", "/v1/messages?beta=true", headers, json=body)
    assert SAID in answer.json()["content"][0]["text"]
    (received,) = providers.requests(name="anthropic")
    sent = {name.lower(): value for name, value in received.headers}
    assert (sent["anthropic-beta"], sent["anthropic-version"]) == ("fake-2026-01-01", "2023-01-01")
    assert received.query == {"beta": "true"}


def test_only_the_model_changes_on_the_way(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    keep(alice_access)
    sent = '{ "messages":[{"role":"user","content":"caf\\u00e9 ☕"}],\n "temperature":0.10,"model" :"openai/gpt-4o" }'
    headers = {"Authorization": f"Bearer {api_key}", "content-type": "application/json; charset=utf-8"}
    assert gateway.send("POST", "/v1/chat/completions", headers, data=sent.encode()).status_code == 200
    (received,) = providers.requests(name="openai")
    assert received.body == sent.replace("openai/gpt-4o", "gpt-4o").encode()
    assert dict(received.headers)["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("scenario", ["wrong", "region", "rate", "error500", "reset", "close", "redirect302other"])
def test_the_next_key_serves_where_one_fails_before_the_first_byte(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access, scenario: str
) -> None:
    keep(alice_access, scenario=scenario)
    good = keep(alice_access)
    answer = gateway.post(api_key)
    assert (answer.status_code, answer.headers["x-byok-provider-key"]) == (200, good.pk)
    assert answer.headers["x-byok-attempts"] == "2"
    if scenario.startswith("redirect"):
        assert len(providers.requests()) == 2


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_no_other_key_is_asked_about_what_the_caller_got_wrong(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access, status: int
) -> None:
    first = keep(alice_access, scenario=f"status{status}")
    keep(alice_access)
    answer = gateway.post(api_key)
    assert (answer.status_code, answer.headers["x-byok-provider-key"]) == (status, first.pk)
    assert len(providers.requests()) == 1


def test_the_last_providers_word_is_what_the_caller_sees(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    keep(alice_access, scenario="error500")
    last = keep(alice_access, scenario="rate")
    answer = gateway.post(api_key)
    assert (answer.status_code, answer.headers["x-byok-provider-key"]) == (429, last.pk)
    assert answer.headers["retry-after"] == "20"
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"


def test_an_answer_is_told_of_the_key_that_got_it(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    """Also where another one was tried in vain after it."""
    limited = keep(alice_access, scenario="rate")
    keep(alice_access, scenario="close")
    answer = gateway.post(api_key)
    assert (answer.status_code, answer.headers["x-byok-provider-key"]) == (429, limited.pk)
    assert answer.headers["x-byok-attempts"] == "2"
    gateway.record()
    assert RequestRecord.objects.get().provider_key_id == limited.pk


def test_a_key_that_was_told_to_wait_is_left_alone_meanwhile(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    keep(alice_access, scenario="rate")
    good = keep(alice_access)
    assert gateway.post(api_key).headers["x-byok-attempts"] == "2"
    again = gateway.post(api_key)
    assert (again.headers["x-byok-provider-key"], again.headers["x-byok-attempts"]) == (good.pk, "1")


def test_alone_it_is_asked_all_the_same(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    keep(alice_access, scenario="rate")
    assert [gateway.post(api_key).status_code for _ in range(2)] == [429, 429]


def test_no_second_provider_after_the_first_byte(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    keep(alice_access, scenario="cutstream")
    keep(alice_access)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        gateway.post(api_key, stream=True)
    assert len(providers.requests()) == 1


def test_an_error_in_a_stream_is_kept(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    keep(alice_access, scenario="errorinstream")
    answer = gateway.post(api_key, stream=True)
    assert answer.status_code == 200
    assert '"error"' in answer.text


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_provider_that_repeats_the_key_is_scrubbed(
    gateway: Gateway, api_key: str, alice_access: Access, provider: str
) -> None:
    key = keep(alice_access, provider, "echo")
    path = "/v1/messages" if provider == "anthropic" else "/v1/chat/completions"
    answer = gateway.post(api_key, path, model=f"{provider}/claude-x", max_tokens=9)
    assert answer.status_code == 401
    assert "********" in answer.text
    secret = samples.fresh_key(provider, "echo")
    assert not any(part in answer.text for part in _windows(_secret_of(key))), "no eight characters in a row"
    assert secret not in answer.text


@pytest.mark.parametrize(("provider", "model"), [*SPEAKERS.items(), ("anthropic", "claude-sonnet-5-5")])
def test_a_stream_that_repeats_the_key_is_scrubbed_too(
    gateway: Gateway, api_key: str, alice_access: Access, provider: str, model: str
) -> None:
    """As it passes: its length and its pace stay."""
    key = keep(alice_access, provider, "thenechoinstream" if provider == "google_vertex_ai" else "echoinstream")
    path = "/v1/messages" if provider == "anthropic" else "/v1/chat/completions"
    answer = gateway.post(api_key, path, model=f"{provider}/{model}", max_tokens=9, stream=True)
    assert answer.status_code == 200
    assert "Your key is " in answer.text
    assert "****************" in answer.text
    assert _secret_of(key) not in answer.text
    assert "ya29." not in answer.text


def test_a_status_that_python_has_no_name_for_passes(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    keep(alice_access, scenario="status529")
    assert gateway.post(api_key).status_code == 529


def _secret_of(key: ProviderKey) -> str:
    return vault.reveal(key, vault.Purpose.GATEWAY)


def _windows(secret: str) -> list[str]:
    return [secret[at : at + 8] for at in range(len(secret) - 7)]


@pytest.mark.parametrize("scenario", ["close", "redirect302"])
def test_no_answer_is_said_so(gateway: Gateway, api_key: str, alice_access: Access, scenario: str) -> None:
    keep(alice_access, scenario=scenario)
    answer = gateway.post(api_key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "provider_unreachable")


def test_a_silent_provider_is_given_its_time_and_no_more(
    gateway: Gateway, api_key: str, alice_access: Access, settings: Any
) -> None:
    settings.GATEWAY_FIRST_BYTE_TIMEOUT = 0.3
    keep(alice_access, scenario="hang")
    started = time.monotonic()
    answer = gateway.post(api_key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "provider_timeout")
    assert time.monotonic() - started < 8


@pytest.mark.parametrize("mode", ["refuse", "freeze"])
@override_settings(GATEWAY_FIRST_BYTE_TIMEOUT=0.3)
def test_a_provider_that_is_down_costs_one_answer(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access, mode: Any
) -> None:
    keep(alice_access)
    providers.down("openai", mode)
    try:
        assert gateway.post(api_key).status_code in {502, 504}
    finally:
        providers.up("openai")
    assert gateway.post(api_key).status_code == 200


class TestStreams:
    def test_events_come_as_they_are_sent(self, gateway: Gateway, api_key: str, alice_access: Access) -> None:
        keep(alice_access)
        body = {"model": "openai/gpt-4o-every100x5", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
        headers = {"Authorization": f"Bearer {api_key}"}
        with requests.post(
            gateway.url + "/v1/chat/completions", json=body, headers=headers, stream=True, timeout=20
        ) as got:
            lines = got.iter_lines(chunk_size=1)
            times = [time.monotonic() for line in lines if line.startswith(b"data:")]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert len(times) >= 5
        assert times[-1] - times[0] > 0.35, "not all at its end"
        assert max(gaps) < 0.3, "three periods: nothing is held back"

    def test_a_caller_who_leaves_takes_the_provider_along(
        self, gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
    ) -> None:
        key = keep(alice_access)
        body = {"model": "openai/gpt-4o-every50x200", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
        headers = {"Authorization": f"Bearer {api_key}"}
        got = requests.post(gateway.url + "/v1/chat/completions", json=body, headers=headers, stream=True, timeout=20)
        next(got.iter_content(1))
        got.close()
        left = time.monotonic()
        eventually(lambda: providers.requests(name="openai")[0].outcome == "left", 3)
        assert time.monotonic() - left < 1.5
        assert key

    def test_a_caller_who_leaves_before_the_first_byte_does_too(
        self, gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
    ) -> None:
        keep(alice_access, scenario="hang")
        body = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
        headers = {"Authorization": f"Bearer {api_key}"}
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.post(gateway.url + "/v1/chat/completions", json=body, headers=headers, timeout=0.3)
        eventually(lambda: providers.requests(name="openai")[0].outcome == "left", 3)

    def test_a_slow_reader_slows_the_provider_and_fills_no_memory(
        self, gateway: Gateway, api_key: str, alice_access: Access
    ) -> None:
        keep(alice_access)
        body = {"model": "openai/gpt-4o-size20000", "messages": [{"role": "user", "content": "hi"}]}
        headers = {"Authorization": f"Bearer {api_key}"}
        with requests.post(
            gateway.url + "/v1/chat/completions", json=body, headers=headers, stream=True, timeout=20
        ) as got:
            got.raw.read(1)
            threading.Event().wait(0.3)
            assert json.loads(b"{" + got.raw.read())


def test_a_refused_key_is_checked_again_once(
    gateway: Gateway, api_key: str, alice_access: Access, providers: CheckedProviders
) -> None:
    key = keep(alice_access, scenario="wrong")
    for _ in range(3):
        assert gateway.post(api_key).status_code == 401
    eventually(lambda: CredentialCheck.objects.filter(provider_key=key).count() == 1, 5)
    check = CredentialCheck.objects.get(provider_key=key)
    assert check.automatic
    assert check.requested_by is None


def test_a_rate_limit_is_no_reason_to_check_again(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    key = keep(alice_access, scenario="rate")
    assert gateway.post(api_key).status_code == 429
    gateway.record()
    assert not CredentialCheck.objects.filter(provider_key=key).exists()
