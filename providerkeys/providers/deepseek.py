"""DeepSeek: one API key, tested by asking for its account's balance, which is free and shows whether there is credit."""

from dataclasses import dataclass

from providerkeys.providers.base import Answer, Api, ApiKeyProvider, Endpoint, Inference, Rule
from providerkeys.providers.verdicts import Link, Reason, Verdict

_KEYS = Link("DeepSeek’s API keys", "https://platform.deepseek.com/api_keys")
_TOP_UP = Link("your DeepSeek account", "https://platform.deepseek.com/top_up")

_REASONS = {
    "accepted": Reason(Verdict.VALID, "DeepSeek accepted the key, and its account has credit.", "save it."),
    "unknown_key": Reason(
        Verdict.INVALID, "DeepSeek doesn’t recognize this key.", "paste it whole, or create a new key at {link}.", _KEYS
    ),
    "no_credit": Reason(
        Verdict.LIMITED,
        "The key works, but its account has no credit left.",
        "top up {link}. Saving is fine.",
        _TOP_UP,
    ),
}


@dataclass(frozen=True, kw_only=True)
class _DeepSeek(ApiKeyProvider):
    def speaks(self, answer: Answer) -> bool:
        """The gateway in front of the API refuses a key in plain text: “Authentication Fails (governor)”."""
        return super().speaks(answer) or answer.body.startswith(b"Authentication Fails")

    def classify_success(self, answer: Answer) -> str:
        """The balance proves the key, and says whether it may be used now."""
        said = answer.json_object
        available = said.get("is_available")
        if "error" in said or not isinstance(available, bool) or not isinstance(said.get("balance_infos"), list):
            return "unexpected"
        return "accepted" if available else "no_credit"


PROVIDER = _DeepSeek(
    slug="deepseek",
    label="DeepSeek",
    order=50,
    endpoints=(Endpoint("deepseek", "api.deepseek.com"),),
    probe_path="/user/balance",
    keys_url=_KEYS.url,
    billing_url=_TOP_UP.url,
    docs_url="https://api-docs.deepseek.com/",
    inference=Inference(
        paths={Api.CHAT_COMPLETIONS: "/chat/completions"},
        models="/models",
        model_prefixes=("deepseek-",),
        example_model="deepseek-chat",
    ),
    public_prefixes=("sk-",),
    shape=r"sk-[a-z0-9]{32}",
    reasons=_REASONS,
    # By status alone: the code of its 401 is that of a bad request.
    rules=(
        Rule(status=(401,), reason="unknown_key"),
        Rule(status=(402,), reason="no_credit"),
    ),
)
