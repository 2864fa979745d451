"""OpenAI: one API key, tested by listing the models, which is free."""

from dataclasses import dataclass

from providerkeys.providers.base import (
    Api,
    ApiKeyProvider,
    Credential,
    Endpoint,
    Inference,
    Rule,
    Send,
    WrongKind,
)
from providerkeys.providers.verdicts import Link, Reason, Verdict

_KEYS = Link("OpenAI’s API keys", "https://platform.openai.com/api-keys")
_BILLING = Link("your OpenAI billing", "https://platform.openai.com/settings/organization/billing")
_ORGANIZATION = Link("your OpenAI organization", "https://platform.openai.com/settings/organization/general")
_LIMITS = Link("your OpenAI limits", "https://platform.openai.com/settings/organization/limits")

_REASONS = {
    "accepted": Reason(
        Verdict.VALID,
        "OpenAI accepted the key.",
        "save it. This test doesn’t check credit; see {link}.",
        _BILLING,
    ),
    "unknown_key": Reason(
        Verdict.INVALID, "OpenAI doesn’t recognize this key.", "paste it whole, or create a new key at {link}.", _KEYS
    ),
    "scopes": Reason(
        Verdict.LIMITED,
        "OpenAI knows the key, but it isn’t allowed to list models, so whether it can serve requests is unknown.",
        "allow “Models: Read” and “Model capabilities: Request” at {link}, or save it as it is.",
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
        "The key works, but a spend limit of its account is reached.",
        "raise the limit at {link}. Saving is fine.",
        _LIMITS,
    ),
    "not_a_member": Reason(
        Verdict.FORBIDDEN,
        "OpenAI knows this key, but its owner is not a member of the organization any more.",
        "create a key as a current member at {link}.",
        _KEYS,
    ),
    "ip_not_allowed": Reason(
        Verdict.FORBIDDEN,
        "OpenAI knows this key, but its project allows only listed IP addresses.",
        "add this server’s address at {link}.",
        _ORGANIZATION,
    ),
    "deactivated": Reason(
        Verdict.FORBIDDEN,
        "The OpenAI account of this key is deactivated.",
        "ask OpenAI’s support, or use a key of {link}.",
        _ORGANIZATION,
    ),
    "region": Reason(
        Verdict.FORBIDDEN,
        "OpenAI does not serve the country that this server’s address belongs to.",
        "ask the person who runs this server about its way out to the internet.",
    ),
}

_QUOTA_CODES = ("insufficient_quota", "credit_balance_exhausted")


@dataclass(frozen=True, kw_only=True)
class _OpenAI(ApiKeyProvider):
    def check(self, credential: Credential, send: Send) -> str:
        """Ask once more before a key is called restricted: in April 2026 keys with all rights were told so at times."""
        reason = super().check(credential, send)
        return super().check(credential, send) if reason == "scopes" else reason


PROVIDER = _OpenAI(
    slug="openai",
    label="OpenAI",
    order=20,
    endpoints=(Endpoint("openai", "api.openai.com"),),
    probe_path="/v1/models",
    keys_url=_KEYS.url,
    billing_url=_BILLING.url,
    docs_url="https://platform.openai.com/docs/api-reference/authentication",
    inference=Inference(
        paths={api: api.value for api in (Api.CHAT_COMPLETIONS, Api.RESPONSES, Api.EMBEDDINGS)},
        models="/v1/models",
        model_prefixes=("gpt-", "chatgpt-", "o1", "o3", "o4", "text-embedding-", "ft:gpt-"),
        example_model="gpt-6.2-sol",
    ),
    public_prefixes=("sk-proj-", "sk-svcacct-", "sk-service-", "sk-"),
    own_marks=("sk-proj-", "sk-svcacct-", "sk-service-"),
    own_shape=r"sk-[\w-]+T3BlbkFJ[\w-]+",
    shape=r"sk-(?:(?:proj|svcacct|service)-[\w-]+|[A-Za-z0-9]{20})T3BlbkFJ[\w-]+",
    loose_shape=r"sk-[\w-]{24}",
    wrong_kinds=(
        WrongKind("sk-admin-", "an OpenAI admin key", "Create a project key instead."),
        WrongKind("eyJ", "a ChatGPT sign-in token", "Create a project key instead."),
        WrongKind("org-", "the id of an OpenAI organization, not a key", "Paste a project key instead."),
        WrongKind("proj_", "the id of an OpenAI project, not a key", "Paste a project key instead."),
    ),
    reasons=_REASONS,
    # The order matters: a restricted key answers 401 or 403, and "Missing scopes" is what tells it from a wrong one.
    rules=(
        Rule(status=(401, 403), says=("Missing scopes:",), reason="scopes"),
        Rule(status=(403,), code="unsupported_country_region_territory", reason="region"),
        Rule(status=(401, 403), code="account_deactivated", reason="deactivated"),
        Rule(status=(401, 403), says=("IP not authorized",), reason="ip_not_allowed"),
        Rule(status=(401, 403), says=("must be a member of an organization",), reason="not_a_member"),
        Rule(status=(401,), reason="unknown_key"),
        *(Rule(status=(429,), code=code, reason="no_credit") for code in _QUOTA_CODES),
        Rule(status=(429,), code="organization_usage_limit_exceeded", reason="spend_limit"),
        Rule(status=(429,), code_ends="_spend_limit_exceeded", reason="spend_limit"),
        Rule(status=(429,), code="rate_limit_exceeded", reason="rate_limited"),
        Rule(status=(429,), type="insufficient_quota", reason="no_credit"),
    ),
)
