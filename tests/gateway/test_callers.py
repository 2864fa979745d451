"""What a caller is told: of its key, its route, its model and its body. Who is let in is GWY's to say."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from gateway.room import Room
from organizations.access import Access
from organizations.actors import Actor
from organizations.models import ApiKey
from providerkeys.providers import registry
from providerkeys.providers.base import Api, Inference, Provider
from tests.fakeproviders.fixtures import CheckedProviders
from tests.gateway.conftest import Gateway, keep

BODY = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
ROUTES = (
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/responses"),
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/messages"),
    ("POST", "/v1/messages/count_tokens"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/openai/gpt-4o"),
)


def said(answer: Any) -> tuple[int, str]:
    error = answer.json()["error"]
    return answer.status_code, error.get("code") or error["type"]


class TestAKeyThatWasGood:
    @pytest.fixture
    def issued(self, alice_access: Access) -> tuple[ApiKey, str]:
        return ApiKey.issue(alice_access, "production")

    def test_disabled(self, gateway: Gateway, issued: tuple[ApiKey, str], alice_access: Access) -> None:
        issued[0].disable(alice_access)
        assert said(gateway.post(issued[1])) == (401, "api_key_disabled")

    def test_expired(self, gateway: Gateway, alice_access: Access) -> None:
        _, plaintext = ApiKey.issue(alice_access, "old", timezone.now() - timedelta(seconds=1))
        assert said(gateway.post(plaintext)) == (401, "api_key_expired")

    def test_deleted(self, gateway: Gateway, issued: tuple[ApiKey, str], alice_access: Access) -> None:
        issued[0].delete_by(alice_access)
        assert said(gateway.post(issued[1])) == (401, "invalid_api_key")

    def test_of_a_suspended_organization(
        self, gateway: Gateway, issued: tuple[ApiKey, str], alice_access: Access
    ) -> None:
        alice_access.organization.suspend(Actor.system("test"))
        assert said(gateway.post(issued[1])) == (403, "suspended")


def test_methods_and_routes(gateway: Gateway, api_key: str) -> None:
    mine = {"x-api-key": api_key}
    for method, path in ROUTES:
        other = "GET" if method == "POST" else "POST"
        answer = gateway.send(other, path, mine)
        assert (answer.status_code, answer.headers["allow"]) == (405, method)
    for path in ("/v1/", "/v1/completions", "/v1/chat/completions/", "/v1/modelsx", "/v1/files"):
        answer = gateway.send("POST", path, mine, json=BODY)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/json"


def test_errors_are_in_the_shape_of_the_callers_api(gateway: Gateway, api_key: str) -> None:
    openai = gateway.send("POST", "/v1/chat/completions", {"x-api-key": api_key}, data=b'{"model": nonsense}')
    assert openai.json() == {
        "error": {
            "message": "The request body is not valid JSON.",
            "type": "invalid_request_error",
            "param": None,
            "code": "malformed_json",
        }
    }
    anthropic = gateway.send("POST", "/v1/messages", {"x-api-key": api_key}, data=b'{"model": nonsense}')
    assert anthropic.json() == {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "The request body is not valid JSON."},
        "request_id": anthropic.headers["x-request-id"],
    }


@pytest.mark.parametrize(
    ("path", "model", "sentence"),
    [
        ("/v1/chat/completions", "gpt-4o", "Did you mean `openai/gpt-4o`?"),
        ("/v1/chat/completions", "claude-sonnet-5-5", "Did you mean `anthropic/claude-sonnet-5-5`?"),
        (
            "/v1/chat/completions",
            "who-knows",
            "one of `openai`, `google_vertex_ai`, `mistral`, `deepseek`, `xai`, `zai`",
        ),
        ("/v1/chat/completions", "nobody/gpt-4o", "Name the provider"),
        ("/v1/chat/completions", "openai/", "Name a model of OpenAI"),
        ("/v1/chat/completions", "anthropic/claude-x", "Its models are served at `/v1/messages`"),
        ("/v1/chat/completions", "bedrock/us.amazon.nova-lite-v1:0", "not served by this gateway yet"),
        ("/v1/embeddings", "deepseek/deepseek-chat", "not served at `/v1/embeddings`"),
        ("/v1/messages", "openai/gpt-4o", "not served at `/v1/messages`"),
        ("/v1/messages", "gpt-4o", "Did you mean"),
    ],
)
def test_a_model_that_is_not_served_here(gateway: Gateway, api_key: str, path: str, model: str, sentence: str) -> None:
    answer = gateway.post(api_key, path, model=model)
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]["message"]


def taken_at(gateway: Gateway, api_key: str, slug: str) -> list[str]:
    """The routes at which a model of this provider is looked for a key to serve it: there is none."""
    return [api for api in Api if said(gateway.post(api_key, api, model=f"{slug}/some-model"))[0] == 403]


def is_called_unserved(gateway: Gateway, api_key: str, slug: str) -> set[bool]:
    """Whether callers are told, at each route, that this provider isn't served yet."""
    told = [gateway.post(api_key, api, model=f"{slug}/some-model").json()["error"]["message"] for api in Api]
    return {"not served by this gateway yet" in message for message in told}


@pytest.mark.parametrize("provider", registry.all(), ids=lambda provider: provider.slug)
def test_the_registry_knows_of_each_provider_whether_it_is_routed(
    gateway: Gateway, api_key: str, provider: Provider
) -> None:
    assert bool(taken_at(gateway, api_key, provider.slug)) is provider.is_routed
    assert is_called_unserved(gateway, api_key, provider.slug) == {not provider.is_routed}


def test_a_provider_that_loses_its_routes_is_routed_no_more(
    gateway: Gateway, api_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: both follow from the one attribute."""
    openai = replace(registry.get("openai"), inference=Inference())
    monkeypatch.setattr(registry, "_by_slug", lambda: {"openai": openai})

    assert not openai.is_routed
    assert taken_at(gateway, api_key, "openai") == []
    assert is_called_unserved(gateway, api_key, "openai") == {True}


def test_a_body_over_32_mib_is_refused_before_it_is_read(gateway: Gateway, api_key: str) -> None:
    def endless() -> Any:
        for _ in range(40):
            yield b" " * (1 << 20)

    answer = gateway.send("POST", "/v1/chat/completions", {"x-api-key": api_key}, data=endless())
    assert said(answer) == (413, "body_too_large")


def test_a_large_body_passes_whole_and_to_the_next_key_too(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    keep(alice_access, scenario="fails500")
    keep(alice_access)
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * (9 << 20)}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "hi"}, picture]}]
    assert gateway.post(api_key, messages=messages).status_code == 200
    first, second = providers.requests(name="openai")
    assert first.body_length > 9 << 20
    assert (first.body_length, first.body_sha256) == (second.body_length, second.body_sha256)
    assert Room.taken == 0
