"""The free question that proves Vertex AI: how many tokens is one word? It needs the right that inference needs."""

import json
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from providerkeys.providers.base import Answer, ErrorParts, Request, Rule, Send, undocumented
from providerkeys.providers.google_locations import ENDPOINTS

# No model is served at every location, and each is retired one day: a missing one says nothing about the key.
_MODELS: Final = ("gemini-2.5-flash", "gemini-3.5-flash", "gemini-3.1-flash-lite")
_ASK_FOR_ANOTHER: Final = frozenset({"no_model", "models_not_allowed"})
_ONE_WORD: Final = json.dumps({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}).encode()
_RULES: Final = (
    Rule(status=(403,), code="SERVICE_DISABLED", reason="api_disabled"),
    Rule(status=(403,), code="IAM_PERMISSION_DENIED", reason="no_permission"),
    Rule(status=(403,), code="CONSUMER_INVALID", reason="wrong_project"),
    Rule(status=(403,), code="USER_PROJECT_DENIED", reason="wrong_project"),
    Rule(status=(403,), code="BILLING_DISABLED", reason="billing"),
    Rule(status=(401,), type="UNAUTHENTICATED", reason="token_refused"),
    Rule(status=(404,), type="NOT_FOUND", reason="no_model"),
    Rule(status=(400,), type="FAILED_PRECONDITION", says=("vertexai.allowedModels",), reason="models_not_allowed"),
    Rule(status=(400,), type="FAILED_PRECONDITION", reason="location_refused"),
    Rule(status=(429,), reason="rate_limited"),
)


def ask(project: str, location: str, token: str, send: Send) -> str:
    """The reason code for ``project`` at ``location``, a word of the closed list. Raises ``Unreachable`` as ``send`` does."""
    reason = ""
    for model in _MODELS:
        reason = _reason(send(_request(project, location, model, token)))
        if reason not in _ASK_FOR_ANOTHER:
            break
    return reason


def _request(project: str, location: str, model: str, token: str) -> Request:
    place = f"projects/{quote(project, safe='')}/locations/{location}/publishers/google/models/{model}"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return Request(ENDPOINTS[location], f"/v1/{place}:countTokens", headers, "POST", _ONE_WORD)


def _reason(answer: Answer) -> str:
    if answer.status == HTTPStatus.OK:
        counted = answer.json_object.get("totalTokens")
        return "accepted" if type(counted) is int and "error" not in answer.json_object else "unexpected"
    error = _error_parts(answer.document)
    known = (rule.reason for rule in _RULES if error and rule.matches(answer.status, error))
    return next(known, undocumented(answer.status))


def _error_parts(document: Any) -> ErrorParts | None:
    """Status, reason and message of Google's envelope, which some of its endpoints wrap in an array."""
    if isinstance(document, list) and document:
        document = document[0]
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return None
    return ErrorParts(
        type=_text(error.get("status")), code=_error_info(error.get("details")), message=_text(error.get("message"))
    )


def _error_info(details: Any) -> str:
    listed = details if isinstance(details, list) else []
    reasons = (one.get("reason") for one in listed if isinstance(one, dict))
    return next((reason for reason in reasons if isinstance(reason, str)), "")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
