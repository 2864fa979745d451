"""Each documented answer, over a real socket, and the verdict that it must lead to."""

from collections.abc import Callable

import pytest

from providerkeys.providers import http, registry
from providerkeys.providers.base import Verdict
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders.port import Mode
from tests.fakeproviders.samples import Sample

Ask = Callable[[str, str], str]

_DOCUMENTED = [sample for slug in samples.PROVIDERS for sample in samples.documented(slug)]

# Where a verdict alone would not tell the next step: which of its reasons the answer must be given.
_REASONS = {
    "anthropic-disabled": "organization_disabled",
    "anthropic-disabled403": "organization_disabled",
    "anthropic-permission": "no_permission",
    "anthropic-region": "blocked",
    "anthropic-credit": "no_credit",
    "anthropic-billing": "no_credit",
    "anthropic-usage": "spend_limit",
    "anthropic-spend": "spend_limit",
    "anthropic-rate": "rate_limited",
    "anthropic-overloaded": "server_error",
    "openai-region": "region",
    "openai-rate": "rate_limited",
}


@pytest.mark.parametrize("sample", _DOCUMENTED, ids=lambda sample: sample.id)
def test_a_documented_answer_has_its_verdict(ask: Ask, sample: Sample) -> None:
    reason = ask(sample.provider, sample.key)
    provider = registry.get(sample.provider)
    assert provider.verdict(reason) == sample.verdict, f"{sample.answer} was taken for {reason}"
    assert reason == _REASONS.get(sample.id, reason)


@pytest.mark.parametrize("slug", samples.PROVIDERS)
def test_every_verdict_can_be_reached(slug: str) -> None:
    assert set(samples.one_of_each_verdict(slug)) == {verdict.value for verdict in Verdict}


@pytest.mark.parametrize("slug", samples.PROVIDERS)
@pytest.mark.parametrize("mode", ["refuse", "freeze"])
def test_a_provider_that_is_down_judges_nothing(
    ask: Ask, providers: CheckedProviders, monkeypatch: pytest.MonkeyPatch, slug: str, mode: Mode
) -> None:
    monkeypatch.setattr(http, "TOTAL_SECONDS", 1.0)
    providers.down(slug, mode)
    assert registry.get(slug).verdict(ask(slug, samples.key(slug, "good"))) is Verdict.UNREACHABLE


def test_openai_is_asked_twice_before_a_key_is_called_restricted(ask: Ask, providers: CheckedProviders) -> None:
    key = samples.fresh_key("openai", "scope")
    assert ask("openai", key) == "scopes"
    assert len(providers.requests(credential=key)) == 2


def test_openai_is_asked_once_about_a_wrong_key(ask: Ask, providers: CheckedProviders) -> None:
    key = samples.fresh_key("openai", "wrong")
    assert ask("openai", key) == "unknown_key"
    assert len(providers.requests(credential=key)) == 1
