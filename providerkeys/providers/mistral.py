"""Mistral: one API key, tested by listing the models, which is free."""

from providerkeys.providers.base import Api, ApiKeyProvider, Endpoint, Inference, Rule
from providerkeys.providers.verdicts import Link, Reason, Verdict

_KEYS = Link("Mistral’s API keys", "https://console.mistral.ai/api-keys")
_BILLING = Link("your Mistral billing", "https://admin.mistral.ai/organization/billing")

_REASONS = {
    "accepted": Reason(
        Verdict.VALID,
        "Mistral accepted the key.",
        "save it. This test doesn’t check credit; see {link}.",
        _BILLING,
    ),
    "unknown_key": Reason(
        Verdict.INVALID,
        "Mistral doesn’t recognize this key.",
        "paste it whole, or create a new key at {link}. A key that was made for Codestral alone works only there, never here.",
        _KEYS,
    ),
    "no_credit": Reason(
        Verdict.LIMITED,
        "The key works, but its account has to pay before it serves.",
        "add a payment method or credit at {link}. Saving is fine.",
        _BILLING,
    ),
    "no_permission": Reason(
        Verdict.FORBIDDEN,
        "Mistral knows this key, but its plan or workspace doesn’t allow this use.",
        "check the key and its workspace at {link}.",
        _KEYS,
    ),
}

PROVIDER = ApiKeyProvider(
    slug="mistral",
    label="Mistral",
    order=40,
    endpoints=(Endpoint("mistral", "api.mistral.ai"),),
    probe_path="/v1/models",
    keys_url=_KEYS.url,
    billing_url=_BILLING.url,
    docs_url="https://docs.mistral.ai/api",
    inference=Inference(
        paths={api: api.value for api in (Api.CHAT_COMPLETIONS, Api.EMBEDDINGS)},
        models="/v1/models",
        model_prefixes=("mistral-", "ministral-", "magistral-", "codestral-", "devstral-", "pixtral-", "open-mistral-"),
        example_model="mistral-large-latest",
    ),
    shape=r"[A-Za-z0-9]{32}",
    reasons=_REASONS,
    # The status alone tells: the body of a 401 is only a sentence, and has had three shapes.
    rules=(
        Rule(status=(401,), reason="unknown_key"),
        Rule(status=(402,), reason="no_credit"),
        Rule(status=(403,), reason="no_permission"),
    ),
)
