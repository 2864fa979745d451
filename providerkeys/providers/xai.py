"""xAI: one API key, tested by what xAI says about the key itself and then by listing the models; both are free.

The first answer tells whether the key or its team is blocked and what the key may do, but not whether the team has
credit; the list of models does.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from providerkeys.providers.base import (
    Answer,
    Api,
    ApiKeyProvider,
    Credential,
    Endpoint,
    Inference,
    Request,
    Rule,
    Send,
    Unreachable,
    WrongKind,
)
from providerkeys.providers.verdicts import Link, Reason, Verdict

_KEYS = Link("xAI’s API keys", "https://console.x.ai/team/default/api-keys")
_BILLING = Link("your xAI billing", "https://console.x.ai/team/default/billing")

_REASONS = {
    "accepted": Reason(
        Verdict.VALID,
        "xAI accepted the key.",
        "save it. This test doesn’t check how much credit is left; see {link}.",
        _BILLING,
    ),
    "unknown_key": Reason(
        Verdict.INVALID, "xAI doesn’t recognize this key.", "paste it whole, or create a new key at {link}.", _KEYS
    ),
    "no_credit": Reason(
        Verdict.LIMITED,
        "The key works, but its team has no credit or has reached its spending limit.",
        "buy credit at {link}; an X Premium subscription is no API credit. Saving is fine.",
        _BILLING,
    ),
    "no_endpoint_right": Reason(
        Verdict.LIMITED,
        "The key works, but it may use neither the chat nor the responses endpoint.",
        "allow all endpoints, or chat and responses, for this key at {link}. Saving is fine.",
        _KEYS,
    ),
    "no_model_right": Reason(
        Verdict.LIMITED,
        "The key works, but it may use no model.",
        "allow all models, or those that you need, for this key at {link}. Saving is fine.",
        _KEYS,
    ),
    "no_rights": Reason(
        Verdict.LIMITED,
        "The key works, but it may use no model, and neither the chat nor the responses endpoint.",
        "allow models and endpoints for this key at {link}. Saving is fine.",
        _KEYS,
    ),
    "key_blocked": Reason(
        Verdict.FORBIDDEN, "xAI knows this key, but has blocked it.", "create a new key at {link}.", _KEYS
    ),
    "key_disabled": Reason(
        Verdict.FORBIDDEN,
        "xAI knows this key, but it is disabled.",
        "enable it or create a new key at {link}.",
        _KEYS,
    ),
    "team_blocked": Reason(
        Verdict.FORBIDDEN,
        "xAI knows this key, but has blocked its team.",
        "ask xAI’s support, or use a key of another team from {link}.",
        _KEYS,
    ),
    "no_permission": Reason(
        Verdict.FORBIDDEN,
        "xAI knows this key, but refuses it: the key or its team is blocked, or lacks the right.",
        "check the key and its rights at {link}.",
        _KEYS,
    ),
}

_FLAGS = {"team_blocked": "team_blocked", "api_key_blocked": "key_blocked", "api_key_disabled": "key_disabled"}
_ALL_ENDPOINTS = "api-key:endpoint:*"


@dataclass(frozen=True, kw_only=True)
class _XAI(ApiKeyProvider):
    def check(self, credential: Credential, send: Send) -> str:
        """Ask about the key, then for the models: what is not judged there leaves the first answer standing."""
        answer = self.probe(credential.secret, send)
        reason = self.classify(answer)
        if reason != "accepted":
            return reason
        second = self._ask_for_models(credential.secret, send)
        # A key for chat alone may not list models, and says nothing by that.
        excused = second == "no_permission" and _ALL_ENDPOINTS not in answer.json_object["acls"]
        return second if self.verdict(second).is_judgement and not excused else reason

    def _ask_for_models(self, key: str, send: Send) -> str:
        try:
            answer = send(Request(self.endpoints[0], "/v1/models", self.headers(key)))
        except Unreachable as unreachable:
            return unreachable.reason
        return "accepted" if answer.status == HTTPStatus.OK else self.classify(answer)

    def classify_success(self, answer: Answer) -> str:
        """A status of 200 comes for blocked and disabled keys too, and for keys without rights."""
        said = answer.json_object
        acls = said.get("acls")
        if "error" in said or not isinstance(acls, list):
            return "unexpected"
        flags = {reason: said.get(flag, False) for flag, reason in _FLAGS.items()}
        if not all(isinstance(flag, bool) for flag in flags.values()):
            return "unexpected"
        return next((reason for reason, flag in flags.items() if flag), "") or _lacking(acls)


def _lacking(acls: list[Any]) -> str:
    """What a key with these ``acls`` lacks for inference, as a reason; ``accepted`` when it lacks nothing."""
    may_call = any(name == "*" or "chat" in name or "responses" in name for name in _named(acls, "endpoint"))
    may_use_a_model = any(_named(acls, "model"))
    lacks = {(True, True): "accepted", (False, True): "no_endpoint_right", (True, False): "no_model_right"}
    return lacks.get((may_call, may_use_a_model), "no_rights")


def _named(acls: list[Any], kind: str) -> list[str]:
    """What ``acls`` name of ``kind``: ``*``, or single endpoints or models."""
    start = f"api-key:{kind}:"
    return [acl.removeprefix(start) for acl in acls if isinstance(acl, str) and acl.startswith(start)]


PROVIDER = _XAI(
    slug="xai",
    label="xAI",
    order=60,
    endpoints=(Endpoint("xai", "api.x.ai"),),
    probe_path="/v1/api-key",
    keys_url=_KEYS.url,
    billing_url=_BILLING.url,
    docs_url="https://docs.x.ai/docs/overview",
    inference=Inference(
        paths={api: api.value for api in (Api.CHAT_COMPLETIONS, Api.RESPONSES)},
        models="/v1/models",
        model_prefixes=("grok-",),
        example_model="grok-4",
    ),
    public_prefixes=("xai-",),
    own_marks=("xai-",),
    shape=r"xai-[0-9A-Za-z_]{80}",
    wrong_kinds=(WrongKind("xai-token-", "an xAI management key", "Create an API key instead."),),
    reasons=_REASONS,
    # The order matters. A wrong key is a 400 with these words; any other 400 would be this check's own mistake.
    rules=(
        Rule(status=(400,), says=("Incorrect API key",), reason="unknown_key"),
        Rule(status=(401,), reason="unknown_key"),
        Rule(status=(403,), says=("credits or licenses",), reason="no_credit"),
        Rule(status=(403,), reason="no_permission"),
        Rule(status=(429,), says=("used all available credits",), reason="no_credit"),
    ),
)
