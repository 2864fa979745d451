"""Anthropic, as ``provider-contracts.md`` §1.1 documents it: the models list, and every answer a key can get there."""

from typing import Any

from tests.fakeproviders.model import Ask, Provider, Reply, Route, Scenario, Service, WrongKind
from tests.fakeproviders.shape import KeyShape
from tests.fakeproviders.wire import Answer, Headers, Request, json_answer

_REQUEST_ID = "req_011CFAKEFAKEFAKEFAKEFAKE"
_MODELS = ("claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001")


def _error(
    status: int,
    kind: str,
    message: str,
    *,
    headers: dict[str, str] | None = None,
    details: dict[str, str] | None = None,
) -> Reply:
    """An error in Anthropic's envelope; ``{whole}`` in ``message`` is the key itself."""

    def reply(ask: Ask) -> Answer:
        error: dict[str, Any] = {"type": kind, "message": message.replace("{whole}", ask.credential)}
        if details:
            error["details"] = details
        return json_answer(status, {"type": "error", "error": error, "request_id": _REQUEST_ID}, headers)

    return reply


def _models(ask: Ask) -> Answer:
    asked = ask.request.query.get("limit", "")
    limit = max(int(asked), 1) if asked.isdigit() else 20
    rows = [
        {"type": "model", "id": name, "display_name": name, "created_at": "2025-09-29T00:00:00Z"}
        for name in _MODELS[:limit]
    ]
    page = {"data": rows, "has_more": limit < len(_MODELS), "first_id": rows[0]["id"], "last_id": rows[-1]["id"]}
    return json_answer(200, page)


def _edge_block(_ask: Ask) -> Answer:
    """What the front says to a country or an address that it blocks: without the outer type."""
    return json_answer(403, {"error": {"type": "forbidden", "message": "Request not allowed"}})


def _refuse(ask: Ask) -> Answer | None:
    if not ask.credential:
        return (_OAUTH if ask.request.header("authorization").startswith("Bearer ") else _NO_KEY)(ask)
    if not ask.request.header("anthropic-version"):
        return _error(400, "invalid_request_error", "anthropic-version: header is required")(ask)
    return None


def _read_key(request: Request) -> str:
    return request.header("x-api-key")


def _edge(_ask: Ask) -> Headers:
    # The real cookies are Secure; over loopback's http such a cookie would never come back and prove nothing.
    return (
        ("server", "cloudflare"),
        ("cf-ray", "8f0000000000fake-FRA"),
        ("request-id", _REQUEST_ID),
        ("anthropic-organization-id", "00000000-fake-0000-0000-000000000000"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
        ("set-cookie", "_cfuvid=fake-cookie-of-anthropic; path=/; HttpOnly"),
        ("x-robots-tag", "none"),
    )


_NO_KEY = _error(401, "authentication_error", "x-api-key header is required")
_OAUTH = _error(401, "authentication_error", "OAuth authentication is currently not supported.")
_REGAIN = "You will regain access on 2026-11-01 at 00:00 UTC."
_RATE_HEADERS = {
    "retry-after": "17",
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "0",
    "anthropic-ratelimit-requests-reset": "2026-11-01T00:00:00Z",
}

_KNOWN = (Scenario("good", "valid", "key accepted"),)

_UNKNOWN = (
    Scenario(
        "wrong",
        "invalid",
        "unknown, malformed, revoked or expired key",
        _error(401, "authentication_error", "invalid x-api-key"),
    ),
    Scenario("notfound", "invalid", "disabled or deleted key", _error(404, "not_found_error", "Not found")),
    Scenario("nokey", "invalid", "the provider saw no key", _NO_KEY),
    Scenario("oauth", "invalid", "a subscription token, not a key", _OAUTH),
    Scenario(
        "echo",
        "invalid",
        "wrong key, echoed in full",
        _error(401, "authentication_error", "invalid x-api-key: {whole}"),
    ),
)

_BLOCKED = (
    Scenario(
        "permission",
        "forbidden",
        "the key's workspace does not allow this use",
        _error(403, "permission_error", "Your API key does not have permission to use the specified resource."),
    ),
    Scenario(
        "oauth403",
        "forbidden",
        "a subscription token of an organization that does not allow it",
        _error(403, "permission_error", "OAuth authentication is currently not allowed for this organization."),
    ),
    Scenario(
        "disabled",
        "forbidden",
        "the organization is disabled",
        _error(400, "invalid_request_error", "This organization has been disabled."),
    ),
    Scenario(
        "disabled403",
        "forbidden",
        "the organization is disabled",
        _error(403, "invalid_request_error", "This organization has been disabled."),
    ),
    Scenario("region", "forbidden", "this server's country or address is blocked", _edge_block),
)

_EXHAUSTED = (
    Scenario(
        "billing",
        "limited",
        "a billing problem",
        _error(402, "billing_error", "There is an issue with your billing or payment information."),
    ),
    Scenario(
        "credit",
        "limited",
        "no credit",
        _error(
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or "
            "purchase credits.",
        ),
    ),
    Scenario(
        "usage",
        "limited",
        "the organization's own spend limit is reached",
        _error(400, "invalid_request_error", f"You have reached your specified API usage limits. {_REGAIN}"),
    ),
    Scenario(
        "workspaceusage",
        "limited",
        "the workspace's own spend limit is reached",
        _error(400, "invalid_request_error", f"You have reached your specified workspace API usage limits. {_REGAIN}"),
    ),
    Scenario(
        "spend",
        "limited",
        "the tier's spend cap is reached",
        _error(
            429,
            "rate_limit_error",
            "This request would exceed your account's monthly spend limit.",
            details={"error_code": "enforced_spend_limit_reached"},
        ),
    ),
    Scenario(
        "rate",
        "limited",
        "rate limited now",
        _error(
            429,
            "rate_limit_error",
            "This request would exceed your account's rate limit. Please try again later.",
            headers=_RATE_HEADERS,
        ),
    ),
)

_TROUBLED = (
    Scenario(
        "error500",
        "unreachable",
        "the provider has a problem; not judged",
        _error(500, "api_error", "Internal server error"),
    ),
    Scenario(
        "timeout504",
        "unreachable",
        "the provider took too long; not judged",
        _error(504, "timeout_error", "Request timed out"),
    ),
    Scenario(
        "overloaded",
        "unreachable",
        "the provider is overloaded; not judged",
        _error(529, "overloaded_error", "Overloaded"),
    ),
    Scenario(
        "odd400",
        "unreachable",
        "an answer nobody documented; not judged",
        _error(400, "invalid_request_error", "Error"),
    ),
    Scenario(
        "odd403",
        "unreachable",
        "an answer nobody documented; not judged",
        _error(403, "brand_new_error", "Something new."),
    ),
)

PROVIDER = Provider(
    slug="anthropic",
    shape=KeyShape(head="sk-ant-api03-", width=92, tail="-AA"),
    services=(
        Service(
            name="anthropic",
            host=r"api\.anthropic\.com",
            auth_header="x-api-key",
            read_credential=_read_key,
            refuse=_refuse,
            not_found=_error(404, "not_found_error", "Not found"),
            routes=(Route(name="models", method="GET", path=r"/v1/models", good=_models),),
            required=(("anthropic-version", r"2023-06-01"),),
            edge=_edge,
        ),
    ),
    scenarios=(*_KNOWN, *_UNKNOWN, *_BLOCKED, *_EXHAUSTED, *_TROUBLED),
    wrong_kinds=(
        WrongKind(prefix="sk-ant-admin", what="admin key", scenario="wrong"),
        WrongKind(prefix="sk-ant-oat", what="subscription token", scenario="good"),
        WrongKind(prefix="sk-ant-ort", what="subscription refresh token", scenario="wrong"),
    ),
)
