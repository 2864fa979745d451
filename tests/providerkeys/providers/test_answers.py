"""Each documented answer, over a real socket, and the verdict that it must lead to."""

from collections.abc import Callable

import pytest

from providerkeys.providers import http, registry
from providerkeys.providers.base import Verdict
from providerkeys.providers.verdicts import common_reasons
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders.port import Mode
from tests.fakeproviders.samples import Sample
from tests.verdict_table import TellVerdict

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
    "mistral-kong": "unknown_key",
    "mistral-payment": "no_credit",
    "mistral-rate": "rate_limited",
    "mistral-error503": "server_error",
    "mistral-odd422": "unexpected",
    "deepseek-governor": "unknown_key",
    "deepseek-nocredit": "no_credit",
    "deepseek-insufficient": "no_credit",
    "deepseek-rate": "rate_limited",
    "xai-nochat": "no_endpoint_right",
    "xai-nomodel": "no_model_right",
    "xai-norights": "no_rights",
    "xai-credit": "no_credit",
    "xai-creditcode": "no_credit",
    "xai-creditatonce": "no_credit",
    "xai-usedup": "no_credit",
    "xai-usedlisting": "no_credit",
    "xai-rate": "rate_limited",
    "xai-ratelisting": "rate_limited",
    "xai-keyblocked": "key_blocked",
    "xai-keydisabled": "key_disabled",
    "xai-teamblocked": "team_blocked",
    "xai-blocked": "no_permission",
    "xai-odd400": "unexpected",
    "zai-code1110": "account_inactive",
    "zai-code1111": "account_inactive",
    "zai-code1112": "account_locked",
    "zai-code1121": "account_locked",
    "zai-code1113": "no_credit",
    "zai-inside1113": "no_credit",
    "zai-gone1113": "no_credit",
    "zai-code1220": "no_right",
    "zai-code1311": "no_right",
    "zai-noright434": "no_right",
    "zai-rate": "rate_limited",
    "zai-code1303": "rate_limited",
    "zai-code1304": "rate_limited",
    "zai-code1305": "rate_limited",
    "zai-code1312": "rate_limited",
    "zai-code1308": "plan_used_up",
    "zai-code1310": "plan_used_up",
    "zai-code1309": "plan_expired",
    "zai-code1313": "fair_use",
    "zai-code1120": "server_error",
    "zai-inside500": "server_error",
    "zai-nokey": "unexpected",
    "zai-inside1001": "unexpected",
}


@pytest.mark.parametrize("sample", _DOCUMENTED, ids=lambda sample: sample.id)
def test_a_documented_answer_has_its_verdict(ask: Ask, sample: Sample, tell_verdict: TellVerdict) -> None:
    reason = ask(sample.provider, sample.key)
    provider = registry.get(sample.provider)
    answer = f"{sample.answer[:3]} {sample.description}"
    tell_verdict(provider.order, provider.label, answer, provider.verdict(reason))
    assert provider.verdict(reason) == sample.verdict, f"{sample.answer} was taken for {reason}"
    assert reason == _REASONS.get(sample.id, reason)


@pytest.mark.parametrize("slug", samples.PROVIDERS)
def test_every_reason_of_a_file_is_reached_by_an_answer(ask: Ask, slug: str) -> None:
    reached = {ask(slug, sample.key) for sample in samples.documented(slug)}
    own = set(registry.get(slug).reasons) - set(common_reasons(slug))
    assert own <= reached


def test_a_reason_that_is_asserted_belongs_to_a_sample() -> None:
    assert set(_REASONS) <= {sample.id for sample in _DOCUMENTED}


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
