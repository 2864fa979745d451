"""OpenAI, as ``provider-contracts.md`` §1.2 documents it: models list, inference, and every answer a key can get there."""

from typing import Any, Final

from tests.fakeproviders.inference import scenarios
from tests.fakeproviders.inference.chat import CHAT
from tests.fakeproviders.inference.embeddings import EMBEDDINGS
from tests.fakeproviders.inference.responses import RESPONSES
from tests.fakeproviders.inference.routes import Dialect
from tests.fakeproviders.model import Ask, Provider, Reply, Route, Scenario, Service, WrongKind
from tests.fakeproviders.shape import KeyShape
from tests.fakeproviders.wire import Answer, Headers, Request, json_answer

_LISTING = frozenset({"models"})
_MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "o3", "o4-mini", "text-embedding-3-small", "whisper-1")
_FINE_TUNED = tuple(f"ft:gpt-4o-mini-2024-07-18:example::{number:08d}" for number in range(1000))
_QUOTA = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
    "read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors."
)
_SCOPE = (
    "You have insufficient permissions for this operation. Missing scopes: {scope}. Check that you have the correct role "
    "in your organization (Reader, Writer, Owner) and project (Member, Owner), and if you're using a restricted API key, "
    "that it has the necessary scopes."
)


def _masked(key: str) -> str:
    """A key as the real error messages echo it."""
    return f"{key[:8]}{'*' * max(len(key) - 12, 3)}{key[-4:]}"


def _error(
    status: int, message: str, kind: str, code: str | None = None, headers: dict[str, str] | None = None
) -> Reply:
    """An error in OpenAI's envelope; ``{key}`` in ``message`` is the masked key, ``{whole}`` the key itself."""

    def reply(ask: Ask) -> Answer:
        said = message.replace("{key}", _masked(ask.credential)).replace("{whole}", ask.credential)
        return json_answer(status, {"error": {"message": said, "type": kind, "param": None, "code": code}}, headers)

    return reply


def _missing_scope(status: int, scope: str = "api.model.read") -> Reply:
    return _error(status, _SCOPE.format(scope=scope), "invalid_request_error")


def _plain_string(status: int) -> Reply:
    return lambda _ask: json_answer(status, {"error": _SCOPE.format(scope="api.model.read")})


def _missing_scope_once(ask: Ask) -> Answer:
    """A known incident: keys with every right are told now and then that they lack one."""
    return _missing_scope(401)(ask) if ask.nth == 1 else _models(ask)


def _list(names: tuple[str, ...]) -> Answer:
    rows: list[dict[str, Any]] = [
        {"id": name, "object": "model", "created": 1715367049, "owned_by": "system"} for name in names
    ]
    return json_answer(200, {"object": "list", "data": rows})


def _models(_ask: Ask) -> Answer:
    return _list(_MODELS)


def _many_models(_ask: Ask) -> Answer:
    return _list(_MODELS + _FINE_TUNED)


def _quota(code: str, message: str = _QUOTA) -> Reply:
    return _error(429, message, "insufficient_quota", code)


def _rate(kind: str, code: str, message: str) -> Reply:
    limits = {
        "retry-after": "20",
        "retry-after-ms": "20000",
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "20s",
    }
    return _error(429, message, kind, code, limits)


def _read_key(request: Request) -> str:
    return request.bearer


_NO_KEY = _error(
    401,
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
    "(i.e. Authorization: Bearer YOUR_KEY). You can obtain an API key from https://platform.openai.com/account/api-keys.",
    "invalid_request_error",
)


def _refuse(ask: Ask) -> Answer | None:
    return None if ask.credential else _NO_KEY(ask)


def _not_found(ask: Ask) -> Answer:
    message = f"Invalid URL ({ask.request.method} {ask.request.path})"
    return _error(404, message, "invalid_request_error")(ask)


def _complain(status: int, message: str) -> Reply:
    """An error about a request for inference, its type and code as this status mostly has them."""
    kind, code = _KINDS.get(status, ("server_error" if status >= 500 else "invalid_request_error", None))
    return _error(status, message, kind, code)


_KINDS: Final[dict[int, tuple[str, str | None]]] = {
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("tokens", "rate_limit_exceeded"),
    503: ("service_unavailable_error", "server_is_overloaded"),
}
_DIALECT: Final = Dialect(
    complain=_complain,
    headers=(
        ("openai-organization", "fake-organization"),
        ("x-ratelimit-limit-requests", "500"),
        ("x-ratelimit-remaining-requests", "499"),
        ("x-ratelimit-reset-requests", "120ms"),
    ),
)


def _edge(ask: Ask) -> Headers:
    # The real cookies are Secure; over loopback's http such a cookie would never come back and prove nothing.
    return (
        ("server", "cloudflare"),
        ("cf-ray", "8f0000000000fake-FRA"),
        ("x-request-id", f"req_fake{ask.id:028d}"),
        ("openai-version", "2020-10-01"),
        ("openai-processing-ms", "42"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
        ("set-cookie", "__cf_bm=fake-cookie-of-openai; path=/; HttpOnly"),
        ("alt-svc", 'h3=":443"; ma=86400'),
    )


_WRONG = "Incorrect API key provided: {key}. You can find your API key at https://platform.openai.com/account/api-keys."
_DEACTIVATED = (
    "The OpenAI account associated with this API key has been deactivated. If you believe this is an error, please "
    "contact us through our help center at https://help.openai.com/."
)

_KNOWN = (
    Scenario("good", "valid", "key accepted"),
    Scenario("longlist", "valid", "key accepted; an account with a thousand fine-tuned models", _many_models, _LISTING),
    Scenario(
        "scopeonce", "valid", "key accepted; the first answer was the known false alarm", _missing_scope_once, _LISTING
    ),
)

_UNKNOWN = (
    Scenario(
        "wrong",
        "invalid",
        "unknown, revoked or expired key",
        _error(401, _WRONG, "invalid_request_error", "invalid_api_key"),
    ),
    Scenario("nokey", "invalid", "the provider saw no key", _NO_KEY),
    Scenario(
        "echo",
        "invalid",
        "wrong key, echoed in full",
        _error(401, "Incorrect API key provided: {whole}.", "invalid_request_error", "invalid_api_key"),
    ),
)

_RESTRICTED = (
    Scenario("scope", "limited", "restricted key without Models: Read", _missing_scope(401), _LISTING),
    Scenario("scope403", "limited", "restricted key without Models: Read", _missing_scope(403), _LISTING),
    Scenario("scopestring", "limited", "restricted key without Models: Read", _plain_string(401), _LISTING),
    Scenario("scopestring403", "limited", "restricted key without Models: Read", _plain_string(403), _LISTING),
    Scenario("modelrequest", "limited", "restricted key without inference", _missing_scope(401, "model.request")),
)

_BLOCKED = (
    Scenario(
        "notmember",
        "forbidden",
        "the key's owner left the organization",
        _error(401, "You must be a member of an organization to use the API.", "invalid_request_error"),
    ),
    Scenario(
        "ip",
        "forbidden",
        "this server's address is not on the IP allowlist",
        _error(401, "IP not authorized.", "invalid_request_error"),
    ),
    Scenario(
        "deactivated",
        "forbidden",
        "the account is deactivated",
        _error(401, _DEACTIVATED, "invalid_request_error", "account_deactivated"),
    ),
    Scenario(
        "deactivated403",
        "forbidden",
        "the account is deactivated",
        _error(403, _DEACTIVATED, "invalid_request_error", "account_deactivated"),
    ),
    Scenario(
        "region",
        "forbidden",
        "this server's country is not served",
        _error(
            403,
            "Country, region, or territory not supported",
            "request_forbidden",
            "unsupported_country_region_territory",
        ),
    ),
)

_EXHAUSTED = (
    Scenario("quota", "limited", "no credit", _quota("insufficient_quota")),
    Scenario(
        "credit",
        "limited",
        "no prepaid credit left",
        _quota("credit_balance_exhausted", "Your organization has no prepaid credits remaining."),
    ),
    Scenario(
        "orgspend",
        "limited",
        "the organization's monthly spend limit is reached",
        _quota("organization_spend_limit_exceeded", "Your organization has reached its monthly spend limit."),
    ),
    Scenario(
        "projectspend",
        "limited",
        "the project's monthly spend limit is reached",
        _quota("project_spend_limit_exceeded", "Your project has reached its monthly spend limit."),
    ),
    Scenario(
        "orgusage",
        "limited",
        "the organization's usage limit is reached",
        _quota("organization_usage_limit_exceeded", "Your organization has reached its usage limit."),
    ),
    Scenario("quotatype", "limited", "no credit, said by the type alone", _error(429, _QUOTA, "insufficient_quota")),
    Scenario(
        "rate",
        "limited",
        "rate limited now",
        _rate("requests", "rate_limit_exceeded", "Rate limit reached for requests. Please try again in 20s."),
    ),
    Scenario(
        "ratetokens",
        "limited",
        "rate limited now",
        _rate("tokens", "rate_limit_exceeded", "Rate limit reached on tokens per min (TPM): Limit 30000."),
    ),
    Scenario(
        "slowdown",
        "limited",
        "rate limited now",
        _rate("rate_limit_error", "slow_down", "Your request rate has increased too fast. Please slow down."),
    ),
)

_TROUBLED = (
    Scenario(
        "error500",
        "unreachable",
        "the provider has a problem; not judged",
        _error(500, "The server had an error while processing your request. Sorry about that!", "server_error"),
    ),
    Scenario(
        "error503",
        "unreachable",
        "the provider is overloaded; not judged",
        _error(
            503,
            "The engine is currently overloaded, please try again later.",
            "service_unavailable_error",
            "server_is_overloaded",
        ),
    ),
    Scenario(
        "odd400",
        "unreachable",
        "an answer nobody documented; not judged",
        _error(400, "We could not parse your request.", "invalid_request_error"),
    ),
    Scenario(
        "odd403",
        "unreachable",
        "an answer nobody documented; not judged",
        _error(403, "Something new.", "request_forbidden", "brand_new_code"),
    ),
)

PROVIDER = Provider(
    slug="openai",
    shape=KeyShape(head="sk-proj-", width=156, mark="T3BlbkFJ"),
    services=(
        Service(
            name="openai",
            host=r"api\.openai\.com",
            auth_header="authorization",
            read_credential=_read_key,
            refuse=_refuse,
            not_found=_not_found,
            routes=(
                Route(name="models", method="GET", path=r"/v1/models", good=_models),
                CHAT.at(r"/v1/chat/completions", _DIALECT),
                RESPONSES.at(r"/v1/responses", _DIALECT),
                EMBEDDINGS.at(r"/v1/embeddings", _DIALECT),
            ),
            edge=_edge,
        ),
    ),
    scenarios=(*_KNOWN, *_UNKNOWN, *_RESTRICTED, *_BLOCKED, *_EXHAUSTED, *_TROUBLED),
    beside=(
        Scenario(
            "noinference",
            "valid",
            "restricted key without inference that lists models",
            inference=_missing_scope(401, "model.request"),
        ),
    ),
    family=scenarios.family(_DIALECT),
    wrong_kinds=(
        WrongKind(prefix="sk-admin-", what="admin key", scenario="scope"),
        WrongKind(prefix="eyJ", what="ChatGPT sign-in token", scenario="scope403"),
    ),
)
