"""Who is let in: GWY-04…08."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from organizations.access import Access
from organizations.actors import Actor
from organizations.models import ApiKey
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
TELLING = ("sk-proj", "select", "django", "sqlite", "postgres", "digest", "sha", "0000")


def said(answer: Any) -> tuple[int, str]:
    error = answer.json()["error"]
    return answer.status_code, error.get("code") or error["type"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic YnlvazpieW9r"},
        {"Authorization": "Bearer sk-proj-FAKE"},
        {"Authorization": "Bearer byok_" + "0" * 50},
        {"Authorization": "Bearer byokc_" + "0" * 50},
        {"x-api-key": "' OR 1=1 --"},
        {"x-api-key": "*)(uid=*"},
        {"x-api-key": "byok_\u00e9".encode("utf-8").decode("latin-1")},
        {"x-goog-api-key": "byok_" + "0" * 50},
    ],
    ids=str,
)
def test_nobody_else_is_let_in_and_nothing_is_told(gateway: Gateway, headers: dict[str, str]) -> None:
    for method, path in ROUTES:
        answer = gateway.send(method, path, headers, json=BODY if method == "POST" else None)
        assert answer.status_code == 401
        assert answer.headers["x-request-id"].startswith("req_")
        told = answer.text.lower()
        assert not any(word in told for word in TELLING)


@pytest.mark.parametrize("name", ["Authorization", "x-api-key"])
def test_both_headers_open_every_route(gateway: Gateway, api_key: str, name: str) -> None:
    value = f"Bearer {api_key}" if name == "Authorization" else api_key
    for method, path in ROUTES:
        status = gateway.send(method, path, {name: value}, json=BODY if method == "POST" else None).status_code
        assert status in {200, 400, 403, 404}, "let in, and refused at most for want of a provider key or for the route"


def test_a_key_in_the_address_is_none(gateway: Gateway, api_key: str) -> None:
    assert gateway.send("POST", f"/v1/chat/completions?key={api_key}&api_key={api_key}", json=BODY).status_code == 401


def test_two_different_keys_are_none_and_the_same_twice_is_one(
    gateway: Gateway, api_key: str, alice_access: Access
) -> None:
    other = ApiKey.issue(alice_access, "other")[1]
    both = {"Authorization": f"Bearer {api_key}", "x-api-key": other}
    assert said(gateway.send("POST", "/v1/chat/completions", both, json=BODY)) == (401, "missing_api_key")
    same = {"Authorization": f"Bearer {api_key}", "x-api-key": api_key}
    assert said(gateway.send("POST", "/v1/chat/completions", same, json=BODY)) == (403, "no_provider_key")


def test_a_wrong_checksum_costs_no_query(gateway: Gateway, api_key: str) -> None:
    wrong = api_key[:-1] + ("0" if api_key[-1] != "0" else "1")
    with CaptureQueriesContext(connection) as queries:
        assert said(gateway.post(wrong)) == (401, "invalid_api_key")
    assert not queries.captured_queries


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
        assert said(gateway.post(issued[1])) == (403, "organization_suspended")


def test_a_forged_internal_header_changes_nothing(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access, charlie_access: Access
) -> None:
    own, foreign = keep(alice_access), keep(charlie_access)
    forged = {
        "x-byok-provider-key": foreign.pk,
        "x-byok-organization": foreign.organization_id,
        "x-byok-provider": "anthropic",
        "x-forwarded-host": "evil.example",
        "host": "evil.example",
        "openai-organization": "org-fake",
        "openai-project": "proj_fake",
        "api-key": "sk-fake",
        "x-amz-security-token": "fake",
        "x-goog-user-project": "fake",
    }
    answer = gateway.send("POST", "/v1/chat/completions", {**forged, "x-api-key": api_key}, json=BODY)
    assert answer.headers["x-byok-provider-key"] == own.pk
    (received,) = providers.requests(name="openai")
    sent = {name.lower() for name, _ in received.headers}
    assert not sent & (set(forged) - {"host"})


def test_what_is_asked_in_the_body_never_steers(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    keep(alice_access)
    steering: dict[str, Any] = {
        "api_base": providers.trap_url,
        "base_url": providers.trap_url,
        "api_key": "sk-fake",
        "extra_headers": {"Authorization": "Bearer sk-fake"},
        "aws_region_name": "us-east-1",
        "aws_access_key_id": "fake",
        "vertex_project": "fake",
        "organization": "org-fake",
    }
    assert gateway.post(api_key, **steering).status_code == 200
    (received,) = providers.requests(name="openai")
    assert received.name == "openai"


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


def test_a_body_over_32_mib_is_refused_before_it_is_read(gateway: Gateway, api_key: str) -> None:
    def endless() -> Any:
        for _ in range(40):
            yield b" " * (1 << 20)

    answer = gateway.send("POST", "/v1/chat/completions", {"x-api-key": api_key}, data=endless())
    assert said(answer) == (413, "body_too_large")


def test_a_large_body_passes_whole(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    keep(alice_access)
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * (9 << 20)}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "hi"}, picture]}]
    assert gateway.post(api_key, messages=messages).status_code == 200
