"""GWY-12, -13, -15: no caller steers where a key goes, no provider gives it away, and what can't be opened is not sent."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import pytest
from cryptography.fernet import Fernet
from django.test import override_settings

from gateway import app, headers, resolve, scrub, upstream
from gateway.scrub import Scrubber
from organizations.access import Access
from organizations.models import AuditEvent
from providerkeys import vault
from providerkeys.models import ProviderKey
from providerkeys.providers.base import Credential, Endpoint
from providerkeys.vault import Sealed, SecretUnreadable
from tests.fakeproviders.fixtures import CheckedProviders
from tests.gateway.stand import forget
from tests.gateway.wire import answer, saying
from tests.trust.controls import Control, controls
from tests.trust.gwy import (
    SPEAKERS,
    Gateway,
    api_key,
    ask,
    code,
    complete,
    db,
    keep,
    row,
    secret_of,
    windows,
)
from tests.trust.net import Server, everywhere

# GWY-12


def steering(target: str) -> dict[str, Any]:
    """What libraries take for an order to go elsewhere, or as somebody else."""
    return {
        "api_base": target,
        "base_url": target,
        "endpoint": target,
        "api_key": "sk-fake",
        "headers": {"Authorization": "Bearer sk-fake", "host": "evil.example"},
        "extra_headers": {"Authorization": "Bearer sk-fake"},
        "extra_body": {"api_base": target},
        "organization": "org-fake",
        "provider": "mistral",
        "custom_llm_provider": "mistral",
        "aws_region_name": "us-east-1",
        "aws_access_key_id": "fake",
        "aws_secret_access_key": "fake",
        "aws_bedrock_runtime_endpoint": target,
        "vertex_project": "fake",
        "vertex_location": "../../evil",
        "vertex_credentials": "{}",
        "region": "evil.example/#",
        "azure_endpoint": target,
        "mock_response": "made up",
        "fallbacks": ["mistral/mistral-large-latest"],
        "user_config": {"model_list": [{"litellm_params": {"api_base": target}}]},
    }


@pytest.mark.parametrize("provider", SPEAKERS)
def test_gwy_12_no_field_or_header_steers(
    provider: str, gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    """The request goes to the provider that the model names, at its own path, with the key of the organization."""
    key = keep(alice_access, provider)
    path = "/v1/messages" if provider == "anthropic" else "/v1/chat/completions"
    body = {"model": f"{provider}/{SPEAKERS[provider]}", "max_tokens": 64, **steering(providers.trap_url)}
    given = {f"x-{name.replace('_', '-')}": str(value)[:100] for name, value in steering(providers.trap_url).items()}
    query = f"?api_base={providers.trap_url}&key=fake&beta=true&project=fake"
    asked = ask(gateway, {**given, "x-api-key": api_key, "x-goog-user-project": "fake"}, path + query, **body)
    assert (asked.status_code, asked.headers["x-byok-provider-key"]) == (200, key.pk)
    received = [one for one in providers.requests() if one.name != "google_oauth"]
    assert [(one.name, one.query) for one in received] == [(provider, {})]
    assert "evil" not in received[0].path
    if provider != "google_vertex_ai":
        assert received[0].credential == secret_of(key)
    assert providers.violations() == []


MODELS: Final = (
    "../../v1/files",
    "gpt-4o?key=x",
    "gpt-4o#@evil.example",
    "https://evil.example/gpt-4o",
    "gpt-4o\r\nhost: evil.example",
    "%2e%2e%2ffiles",
)


@pytest.mark.parametrize("model", MODELS)
def test_gwy_12_no_model_steers(
    model: str, gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    keep(alice_access)
    gateway.post(api_key, model=f"openai/{model}")
    (received,) = providers.requests()
    assert (received.name, received.path, received.query) == ("openai", "/v1/chat/completions", {})
    assert json.loads(received.body or b"")["model"] == model
    assert received.header("host") == "api.openai.com"


# GWY-13

# Each provider, and the scenario in which it repeats what it was sent. At Vertex AI that is a token.
ECHOES: Final = (
    *(f"{provider} echo500" for provider in SPEAKERS if provider != "google_vertex_ai"),
    *(f"{provider} echo" for provider in ("openai", "anthropic", "xai")),
    "google_vertex_ai thenecho500",
)
IN_STREAMS: Final = tuple(
    f"{provider} {'then' if provider == 'google_vertex_ai' else ''}echoinstream" for provider in SPEAKERS
)


def shown(got: Any) -> str:
    """All that a caller sees of an answer."""
    return "\n".join([got.text, *(f"{name}: {value}" for name, value in got.headers.items())])


@pytest.mark.parametrize("echo", ECHOES)
def test_gwy_13_an_error_that_repeats_the_key(
    echo: str, gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    """It passes, with every part of what was sent masked."""
    provider, _, scenario = echo.partition(" ")
    keep(alice_access, provider, scenario)
    got = complete(gateway, api_key, provider)
    assert got.status_code in {400, 401, 500}
    sent = providers.requests(name=provider)[-1].credential
    assert "********" in got.text
    assert not [part for part in windows(sent) if part in shown(got)]


@pytest.mark.parametrize("echo", IN_STREAMS)
def test_gwy_13_a_stream_that_repeats_the_key(
    echo: str, gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    """A success is scrubbed as it passes, of longer parts."""
    provider, _, scenario = echo.partition(" ")
    keep(alice_access, provider, scenario)
    got = complete(gateway, api_key, provider, stream=True)
    assert got.status_code == 200
    sent = providers.requests(name=provider)[-1].credential
    assert "Your key is ****" in got.text
    assert not [part for part in windows(sent, 16) if part in shown(got)]


@contextmanager
def telling(settings: Any, secret: str, status: int) -> Iterator[Server]:
    """A provider that repeats the key in each header that passes, and in halves in its body."""
    headers_ = [f"{name}: {secret}" for name in ("x-request-id", "x-ratelimit-key", "openai-version", "retry-after")]
    body = json.dumps({"whole": secret, "half": secret[: len(secret) // 2], "other": secret[len(secret) // 2 :]})
    with saying(answer(body.encode(), status, *headers_)) as server:
        settings.PROVIDER_BASE_URLS = everywhere(f"http://127.0.0.1:{server.port}")
        yield server


@pytest.mark.parametrize("status", [200, 400, 500])
def test_gwy_13_headers_that_repeat_the_key(
    status: int, gateway: Gateway, settings: Any, api_key: str, alice_access: Access
) -> None:
    secret = secret_of(keep(alice_access))
    with telling(settings, secret, status):
        got = complete(gateway, api_key, "openai")
    assert got.status_code == status
    assert got.headers["x-byok-provider-request-id"] == "*" * len(secret)
    assert not [part for part in windows(secret) if part in shown(got)]


# GWY-15


def flipped(token: str) -> str:
    at = len(token) // 2
    return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]


def of_another_key(token: str) -> str:
    return Fernet(Fernet.generate_key()).encrypt(b'{"secret": "foreign"}').decode()


UNREADABLE: Final[dict[str, Callable[[str], str]]] = {
    "a byte flipped": flipped,
    "cut short": lambda token: token[:-8],
    "of another key": of_another_key,
    "joined": lambda token: token + token,
}


def spoil(key: ProviderKey, how: str, other: ProviderKey) -> None:
    """Write something into a key's row that can't be opened there."""
    stored = key.credentials
    assert stored
    if how in UNREADABLE:
        row(ProviderKey, key.pk, credentials=Sealed(UNREADABLE[how](stored._token)))
    elif how == "of another row":
        row(ProviderKey, key.pk, credentials=other.credentials)
    elif how == "of another destination":
        row(ProviderKey, key.pk, destination={"location": "eu"})
    elif how == "of another version":
        row(ProviderKey, key.pk, credentials_version=key.credentials_version + 1)
    elif how == "of another provider":
        row(ProviderKey, key.pk, provider="openai")


WAYS: Final = (*UNREADABLE, "of another row", "of another destination", "of another version")


@pytest.mark.parametrize("how", WAYS)
def test_gwy_15_what_cannot_be_opened_is_stamped_and_never_sent(
    how: str, gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    key = keep(alice_access)
    other = keep(alice_access, "mistral")
    spoil(key, how, other)
    assert [code(gateway.post(api_key)) for _ in range(2)] == [(503, "unreadable")] * 2
    key.refresh_from_db()
    assert key.unreadable_at
    assert AuditEvent.objects.filter(action="provider_key.unreadable", target_id=key.pk).count() == 1
    assert providers.requests() == []
    assert providers.violations() == []


def test_gwy_15_a_key_that_was_moved_to_another_provider_is_not_sent_there(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    key = keep(alice_access, "mistral")
    spoil(key, "of another provider", key)
    assert code(gateway.post(api_key)) == (503, "unreadable")
    assert providers.requests() == []


def test_gwy_15_the_next_key_of_the_tier_serves(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    broken, good = keep(alice_access), keep(alice_access)
    spoil(broken, "a byte flipped", good)
    served = gateway.post(api_key)
    assert (served.status_code, served.headers["x-byok-provider-key"]) == (200, good.pk)
    assert served.headers["x-byok-attempts"] == "2"
    assert [one.credential for one in providers.requests()] == [secret_of(good)]


def test_gwy_15_with_other_keys_of_ours_nothing_is_sent(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    """A process that was given the wrong ``CREDENTIAL_KEYS`` says so, and stamps nothing: it is not the row's fault."""
    key = keep(alice_access)
    forget()
    with override_settings(CREDENTIAL_KEYS=[Fernet.generate_key().decode()]):
        assert code(gateway.post(api_key)) == (503, "unreadable")
    key.refresh_from_db()
    assert key.unreadable_at is None
    assert providers.requests() == []


# Defects


def going_where_the_body_says(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = upstream._send

    async def send(endpoint: Endpoint, path: str, sent: Any, body: Any, mine: Any) -> Any:
        target = json.loads(bytes(body)).get("base_url")
        return await honest(_At(target, endpoint.host) if target else endpoint, path, sent, body, mine)

    monkeypatch.setattr(upstream, "_send", send)


class _At(Endpoint):
    """An endpoint that is somewhere else: its name is where."""

    @property
    def origin(self) -> str:
        return self.name


def passing_the_query_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_query", lambda scope: f"?{scope['query_string'].decode()}")


def the_model_in_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = upstream._send

    async def send(endpoint: Endpoint, path: str, sent: Any, body: Any, mine: Any) -> Any:
        model = json.loads(bytes(body))["model"].partition("\r")[0]
        return await honest(endpoint, f"{path}/{model}", sent, body, mine)

    monkeypatch.setattr(upstream, "_send", send)


def scrubbing_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scrubber, "finds", lambda *_: False)


def scrubbing_whole_keys_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def whole(scrubber: Scrubber, text: bytes) -> bytes:
        return text.replace(scrubber._secret, b"*" * len(scrubber._secret))

    monkeypatch.setattr(Scrubber, "whole", whole)


def scrubbing_no_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "request_id", lambda received, _: received.get("x-request-id", ""))


def scrubbing_no_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scrubber, "some", lambda _, chunk: chunk)


def hiding_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those do who show the beginning and the end."""
    monkeypatch.setattr(scrub.Scrubber, "_masked", lambda self, text: text.replace(self._secret[12:-12], b"********"))


def sending_what_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the library does: what can't be opened is taken for the value."""
    honest = resolve.Candidate.open

    def opened(candidate: resolve.Candidate) -> Credential:
        try:
            return honest(candidate)
        except SecretUnreadable:
            assert candidate.credentials
            return Credential(candidate.credentials._token, candidate.destination)

    monkeypatch.setattr(resolve.Candidate, "open", opened)


def stamping_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_: Any) -> None:
        return

    monkeypatch.setattr(resolve, "stamp_unreadable", nothing)


def binding_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What opens is taken, whatever it was sealed for."""
    monkeypatch.setattr(vault, "_binding", lambda _: {})
    monkeypatch.setattr(vault, "_decrypt", _secret_alone(vault._decrypt))


def _secret_alone(honest: Callable[[Sealed], dict[str, Any]]) -> Callable[[Sealed], dict[str, Any]]:
    return lambda sealed: {"secret": honest(sealed).get("secret")}


def stamping_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "keys_verified", cache(lambda: True))


@controls(
    [
        Control(test_gwy_12_no_field_or_header_steers, going_where_the_body_says, {"provider": "openai"}),
        Control(test_gwy_12_no_field_or_header_steers, passing_the_query_on, {"provider": "anthropic"}),
        Control(test_gwy_12_no_model_steers, the_model_in_the_path, {"model": MODELS[0]}),
        *(
            Control(test_gwy_13_an_error_that_repeats_the_key, plant, {"echo": "openai echo"})
            for plant in (scrubbing_nothing, hiding_half)
        ),
        Control(
            test_gwy_13_an_error_that_repeats_the_key,
            scrubbing_nothing,
            {"echo": "google_vertex_ai thenecho500"},
        ),
        *(
            Control(test_gwy_13_a_stream_that_repeats_the_key, plant, {"echo": "openai echoinstream"})
            for plant in (scrubbing_nothing, scrubbing_no_streams, hiding_half)
        ),
        *(
            Control(test_gwy_13_headers_that_repeat_the_key, plant, {"status": status})
            for plant, status in (
                (scrubbing_no_headers, 200),
                (scrubbing_no_headers, 500),
                (scrubbing_whole_keys_alone, 400),
                (scrubbing_no_streams, 200),
            )
        ),
        *(
            Control(test_gwy_15_what_cannot_be_opened_is_stamped_and_never_sent, plant, {"how": how})
            for how in WAYS
            for plant in ((sending_what_is_stored, stamping_nothing) if how in UNREADABLE else (binding_nothing,))
        ),
        Control(test_gwy_15_a_key_that_was_moved_to_another_provider_is_not_sent_there, binding_nothing),
        Control(test_gwy_15_the_next_key_of_the_tier_serves, sending_what_is_stored),
        Control(test_gwy_15_with_other_keys_of_ours_nothing_is_sent, sending_what_is_stored),
        Control(test_gwy_15_with_other_keys_of_ours_nothing_is_sent, stamping_in_any_case),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
    request.getfixturevalue("providers").reset()


__all__ = ["api_key", "db"]
