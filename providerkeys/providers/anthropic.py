"""Anthropic: one API key, tested by listing one model, which is free."""

from collections.abc import Mapping
from dataclasses import dataclass

from providerkeys.providers.base import Api, ApiKeyProvider, Endpoint, Inference, Rule, WrongKind
from providerkeys.providers.verdicts import Link, Reason, Verdict

_KEYS = Link("Anthropic’s API keys", "https://platform.claude.com/settings/keys")
_BILLING = Link("your Anthropic billing", "https://platform.claude.com/settings/billing")
_LIMITS = Link("your Anthropic limits", "https://platform.claude.com/settings/limits")

_REASONS = {
    "accepted": Reason(
        Verdict.VALID,
        "Anthropic accepted the key.",
        "save it. This test doesn’t check credit; see {link}.",
        _BILLING,
    ),
    "unknown_key": Reason(
        Verdict.INVALID,
        "Anthropic doesn’t recognize this key.",
        "paste it whole, or create a new key at {link}.",
        _KEYS,
    ),
    "no_credit": Reason(
        Verdict.LIMITED,
        "The key works, but its account has no credit left.",
        "add credit at {link}. Saving is fine.",
        _BILLING,
    ),
    "spend_limit": Reason(
        Verdict.LIMITED,
        "The key works, but a spend limit of its account or workspace is reached.",
        "raise the limit at {link}. Saving is fine.",
        _LIMITS,
    ),
    "organization_disabled": Reason(
        Verdict.FORBIDDEN,
        "Anthropic knows this key, but has disabled its organization.",
        "ask Anthropic’s support, or use a key of another organization from {link}.",
        _KEYS,
    ),
    "no_permission": Reason(
        Verdict.FORBIDDEN,
        "Anthropic knows this key, but its workspace doesn’t allow this use.",
        "check the key and its workspace at {link}.",
        _KEYS,
    ),
    "blocked": Reason(
        Verdict.FORBIDDEN,
        "Anthropic refuses requests from this server’s address or country.",
        "ask the person who runs this server about its way out to the internet.",
    ),
}


@dataclass(frozen=True, kw_only=True)
class _Anthropic(ApiKeyProvider):
    def headers(self, key: str) -> Mapping[str, str]:
        return {"x-api-key": key, "anthropic-version": "2023-06-01"}


PROVIDER = _Anthropic(
    slug="anthropic",
    label="Anthropic",
    order=10,
    endpoints=(Endpoint("anthropic", "api.anthropic.com"),),
    probe_path="/v1/models?limit=1",
    keys_url=_KEYS.url,
    billing_url=_BILLING.url,
    docs_url="https://platform.claude.com/docs/en/api/overview",
    inference=Inference(
        paths={api: api.value for api in (Api.MESSAGES, Api.COUNT_TOKENS)},
        models="/v1/models?limit=1000",
        model_prefixes=("claude-",),
        example_model="claude-sonnet-5-5",
    ),
    public_prefixes=("sk-ant-api03-", "sk-ant-"),
    own_marks=("sk-ant-",),
    shape=r"sk-ant-api03-[\w-]{93}AA",
    loose_shape=r"sk-ant-[\w-]{24}",
    wrong_kinds=(
        WrongKind("sk-ant-admin", "an Anthropic admin key", "Create an API key of a workspace instead."),
        WrongKind("sk-ant-oat", "an Anthropic subscription token", "Create an API key in the Console instead."),
        WrongKind("sk-ant-ort", "an Anthropic subscription token", "Create an API key in the Console instead."),
    ),
    reasons=_REASONS,
    rules=(
        Rule(status=(401, 404), reason="unknown_key"),
        Rule(status=(400, 403), says=("organization has been disabled",), reason="organization_disabled"),
        Rule(status=(403,), type="permission_error", reason="no_permission"),
        Rule(status=(403,), type="forbidden", reason="blocked"),
        Rule(status=(402,), reason="no_credit"),
        Rule(status=(400,), says=("credit balance is too low",), reason="no_credit"),
        Rule(
            status=(400,),
            says=("reached your specified API usage limits", "reached your specified workspace API usage limits"),
            reason="spend_limit",
        ),
        Rule(status=(429,), detail="enforced_spend_limit_reached", reason="spend_limit"),
    ),
)
