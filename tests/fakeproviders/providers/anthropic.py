"""Anthropic, as ``provider-contracts.md`` §1.1 documents it: models list, inference, and every answer a key can get there."""

from typing import Any, Final

from tests.fakeproviders.inference import scenarios
from tests.fakeproviders.inference.messages import COUNT_TOKENS, MESSAGES
from tests.fakeproviders.inference.question import Question
from tests.fakeproviders.inference.routes import Dialect
from tests.fakeproviders.model import Ask, Provider, Reply, Route, Scenario, Service, WrongKind
from tests.fakeproviders.shape import KeyShape
from tests.fakeproviders.wire import Answer, Headers, Request, json_answer

_WITHOUT_SAMPLING = "2026-10-21"
_VERSIONS = ("2023-01-01", "2023-06-01", _WITHOUT_SAMPLING)
_MODELS = ("claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001")
# More than one page holds, whatever is asked for.
_MANY = (*_MODELS, *(f"claude-fake-{number:04d}" for number in range(1200)))
_LONGEST_PAGE = 1000


def _request_id(ask: Ask) -> str:
    return f"req_011CFAKE{ask.id:016d}"


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
        return json_answer(status, {"type": "error", "error": error, "request_id": _request_id(ask)}, headers)

    return reply


def _paged(names: tuple[str, ...]) -> Reply:
    """A page of ``names``: at most ``limit``, from the one after ``after_id`` on."""

    def reply(ask: Ask) -> Answer:
        asked, after = (ask.request.query.get(name, "") for name in ("limit", "after_id"))
        limit = min(max(int(asked), 1), _LONGEST_PAGE) if asked.isdigit() else 20
        left = names[names.index(after) + 1 :] if after in names else names
        rows = [
            {"type": "model", "id": name, "display_name": name, "created_at": "2025-09-29T00:00:00Z"}
            for name in left[:limit]
        ]
        ends = {"first_id": left[0], "last_id": rows[-1]["id"]} if rows else {"first_id": None, "last_id": None}
        return json_answer(200, {"data": rows, "has_more": limit < len(left), **ends})

    return reply


def _edge_block(_ask: Ask) -> Answer:
    """What the front says to a country or an address that it blocks: without the outer type."""
    return json_answer(403, {"error": {"type": "forbidden", "message": "Request not allowed"}})


def _refuse(ask: Ask) -> Answer | None:
    if not ask.credential:
        return (_OAUTH if ask.request.header("authorization").startswith("Bearer ") else _NO_KEY)(ask)
    version = ask.request.header("anthropic-version")
    if version not in _VERSIONS:
        said = f'"{version}" is not a valid version' if version else "header is required"
        return _error(400, "invalid_request_error", f"anthropic-version: {said}")(ask)
    return None


def _read_key(request: Request) -> str:
    """The key; since 2026-10-21 it may be a bearer token too, which is how Anthropic's own SDKs send it."""
    sent = request.bearer
    return request.header("x-api-key") or (sent if sent.startswith("sk-ant-api") else "")


def _object(question: Question, ask: Ask) -> str:
    """What the newer version of the API has no place for any more."""
    gone = [name for name in ("temperature", "top_p", "top_k") if name in question.document]
    newer = ask.request.header("anthropic-version") >= _WITHOUT_SAMPLING
    return f"{gone[0]}: Extra inputs are not permitted" if newer and gone else ""


def _complain(status: int, message: str) -> Reply:
    """An error about a request for inference, of the type that its status has."""
    return _error(status, _KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error"), message)


_KINDS: Final = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_DIALECT: Final = Dialect(
    complain=_complain,
    headers=(
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "49"),
        ("anthropic-ratelimit-requests-reset", "2026-11-01T00:00:00Z"),
    ),
    required=(("anthropic-version", "|".join(_VERSIONS)), ("content-type", r"application/json(?:;.*)?")),
    objects=_object,
)


def _edge(ask: Ask) -> Headers:
    # The real cookies are Secure; over loopback's http such a cookie would never come back and prove nothing.
    return (
        ("server", "cloudflare"),
        ("cf-ray", "8f0000000000fake-FRA"),
        ("request-id", _request_id(ask)),
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
            routes=(
                Route(name="models", method="GET", path=r"/v1/models", good=_paged(_MODELS)),
                MESSAGES.at(r"/v1/messages", _DIALECT),
                COUNT_TOKENS.at(r"/v1/messages/count_tokens", _DIALECT),
            ),
            required=(("anthropic-version", r"2023-06-01"),),
            edge=_edge,
        ),
    ),
    scenarios=(*_KNOWN, *_UNKNOWN, *_BLOCKED, *_EXHAUSTED, *_TROUBLED),
    beside=(
        Scenario(
            "longlist", "valid", "key accepted; two pages of models at least", _paged(_MANY), frozenset({"models"})
        ),
    ),
    family=scenarios.family(_DIALECT),
    wrong_kinds=(
        WrongKind(prefix="sk-ant-admin", what="admin key", scenario="wrong"),
        WrongKind(prefix="sk-ant-oat", what="subscription token", scenario="good"),
        WrongKind(prefix="sk-ant-ort", what="subscription refresh token", scenario="wrong"),
    ),
)
