"""The programs on an API key's page: each runs as it stands, once the key stands where the page says."""

import io
import re
import subprocess
from contextlib import redirect_stdout
from html import unescape
from typing import Any

import pytest
import requests

from organizations.access import Access
from organizations.models import ApiKey
from providerkeys.models import ProviderKey
from providerkeys.providers import registry
from providerkeys.providers.base import Api
from providerkeys.views.snippets import PLACEHOLDER
from tests.gateway.conftest import Gateway, db, keep
from tests.providerkeys.conftest import Console, alices, text

pytestmark = pytest.mark.long


def programs(page: str) -> dict[str, str]:
    found = re.findall(r'<pre id="snippet-(\w+)"[^>]*><code>(.*?)</code></pre>', page, re.DOTALL)
    return {slug: unescape(code) for slug, code in found}


def said_by(program: str) -> str:
    said = io.StringIO()
    with redirect_stdout(said):
        exec(program, {})
    return said.getvalue().strip()


def test_each_program_of_the_page_runs(
    gateway: Gateway, alices: Console, alice_access: Access, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.GATEWAY_URL = gateway.url
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    api_key, plaintext = ApiKey.issue(alice_access, "production")
    keep(alice_access, "anthropic")
    keep(alice_access, "mistral", api_keys=(api_key,))

    page = text(alices.get(f"api-keys/{api_key.pk}/"))
    found = programs(page)
    assert set(found) == {"openai", "anthropic", "curl"}
    assert all(code.count(PLACEHOLDER) == 1 for code in found.values())
    assert 'model="mistral/mistral-large-latest"' in found["openai"]

    ready = {slug: code.replace(PLACEHOLDER, plaintext) for slug, code in found.items()}
    assert said_by(ready["openai"])
    assert said_by(ready["anthropic"])
    asked = subprocess.run(["sh", "-c", ready["curl"]], capture_output=True, text=True, timeout=20, check=True)
    assert '"choices"' in asked.stdout


def test_the_first_one_that_works_is_open_and_the_new_keys_page_names_a_model(
    gateway: Gateway, alices: Console, alice_access: Access
) -> None:
    def opened(api_key: ApiKey) -> list[str]:
        page = text(alices.get(f"api-keys/{api_key.pk}/"))
        return re.findall(r"<details[^>]* open>\s*<summary>.*?</svg>(.*?)</summary>", page, re.DOTALL)

    api_key, _ = ApiKey.issue(alice_access, "production")
    assert opened(api_key) == ["OpenAI SDK"]
    assert "as in <code>" not in text(alices.post("api-keys/new/", {"name": "first"}))
    keep(alice_access, "anthropic")
    assert opened(api_key) == ["Anthropic SDK"]
    assert "as in <code>anthropic/claude-" in text(alices.post("api-keys/new/", {"name": "second"}))


def test_a_program_that_no_provider_key_serves_is_not_shown(
    gateway: Gateway, alices: Console, alice_access: Access
) -> None:
    api_key, _ = ApiKey.issue(alice_access, "production")
    assert programs(text(alices.get(f"api-keys/{api_key.pk}/"))) == {}
    keep(alice_access, "anthropic")
    keep(alice_access, "openai").disable(alice_access)
    found = programs(text(alices.get(f"api-keys/{api_key.pk}/")))
    assert set(found) == {"anthropic", "curl"}
    assert "/v1/messages" in found["curl"]


def test_what_would_fail_is_only_shown_where_nothing_else_serves(
    gateway: Gateway, alices: Console, alice_access: Access
) -> None:
    api_key, _ = ApiKey.issue(alice_access, "production")

    def models() -> set[str]:
        return set(re.findall(r'"?model"?[=:] ?"(\w+)/', "".join(found().values())))

    def found() -> dict[str, str]:
        return programs(text(alices.get(f"api-keys/{api_key.pk}/")))

    failing = keep(alice_access, "openai")
    ProviderKey.objects.filter(pk=failing.pk).update(verdict="invalid")
    assert models() == {"openai"}
    keep(alice_access, "mistral")
    assert models() == {"mistral"}
    # With one behind it that doesn't fail it serves.
    keep(alice_access, "openai")
    assert "openai" in models()
    # A protocol that only a failing key speaks is served, too.
    ProviderKey.objects.filter(pk=keep(alice_access, "anthropic").pk).update(verdict="invalid")
    assert {"anthropic", "openai"} <= models()
    assert "anthropic" in found()


def test_every_provider_that_is_served_has_an_example_of_its_models() -> None:
    for provider in registry.all():
        speaks = {Api.CHAT_COMPLETIONS, Api.MESSAGES} & set(provider.inference.paths)
        assert bool(provider.inference.example_model) is bool(speaks), provider.slug
        assert provider.inference.example_model.startswith(provider.inference.model_prefixes or "")


__all__ = ["alices", "db"]


def test_the_page_says_where_to_read_who_was_billed(gateway: Gateway, alices: Console, alice_access: Access) -> None:
    api_key, plaintext = ApiKey.issue(alice_access, "production")
    for provider in ("openai", "anthropic"):
        keep(alice_access, provider)
    page = text(alices.get(f"api-keys/{api_key.pk}/"))
    [(header, place)] = re.findall(r'header <code>([\w-]+)</code> of an answer .*?<a href="([^"]+)">BYOK</a>', page)

    said = [{"role": "user", "content": "hi"}]
    answer = requests.post(
        f"{gateway.url}/v1/chat/completions",
        json={"model": "openai/gpt-4o", "messages": said},
        headers={"x-api-key": plaintext},
        timeout=20,
    )

    billed = ProviderKey.objects.get(provider="openai")
    assert answer.headers[header] == billed.pk
    assert re.findall(r'id="row-(pk_\w+)"', text(alices.client.get(f"{place}?q={billed.pk}"))) == [billed.pk]
