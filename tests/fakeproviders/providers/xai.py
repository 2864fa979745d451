"""xAI, as ``provider-contracts.md`` §1.5 documents it: what it says of a key, and the models list."""

from collections.abc import Sequence
from typing import Any

from tests.fakeproviders.model import Ask, Provider, Reply, Route, Scenario, Service, WrongKind
from tests.fakeproviders.shape import KeyShape
from tests.fakeproviders.wire import Answer, Headers, Request, json_answer

_ABOUT_KEY = frozenset({"key"})
_LISTING = frozenset({"models"})
_MODELS = ("grok-4", "grok-4-fast", "grok-3", "grok-3-mini")
_ALL = ("api-key:model:*", "api-key:endpoint:*")
_USER = "00000000-fake-0000-0000-000000000000"


def _error(status: int, code: str, message: str) -> Reply:
    """An error as xAI writes it, a text beside a code that is prose; ``{key}`` is the masked key, ``{whole}`` the key."""

    def reply(ask: Ask) -> Answer:
        masked = f"{ask.credential[:2]}***{ask.credential[-2:]}"
        said = message.replace("{key}", masked).replace("{whole}", ask.credential)
        return json_answer(status, {"code": code, "error": said})

    return reply


def _about_key(acls: Sequence[str] = _ALL, **flags: Any) -> Reply:
    """What xAI says of a key that it knows: 200, whether the key is usable or not."""

    def reply(ask: Ask) -> Answer:
        known = {
            "redacted_api_key": f"xai-...{ask.credential[-4:]}",
            "user_id": _USER,
            "name": "fake key",
            "create_time": "2026-01-01T00:00:00.000000Z",
            "modify_time": "2026-01-01T00:00:00.000000Z",
            "modified_by": _USER,
            "team_id": _USER,
            "acls": list(acls),
            "api_key_id": _USER,
            "team_blocked": False,
            "api_key_blocked": False,
            "api_key_disabled": False,
        }
        return json_answer(200, {**known, **flags})

    return reply


def _models(_ask: Ask) -> Answer:
    rows = [{"id": name, "object": "model", "created": 1715367049, "owned_by": "xai"} for name in _MODELS]
    return json_answer(200, {"object": "list", "data": rows})


def _chat_alone(ask: Ask) -> Answer:
    """A key for one endpoint and one model: it may not list models."""
    rights = _about_key(("api-key:model:grok-4", "api-key:endpoint:chat"))
    return (_NO_PERMISSION if ask.request.path == "/v1/models" else rights)(ask)


def _refuse(ask: Ask) -> Answer | None:
    return None if ask.credential else _NO_KEY(ask)


def _read_key(request: Request) -> str:
    return request.bearer


def _edge(_ask: Ask) -> Headers:
    return (
        ("server", "cloudflare"),
        ("cf-ray", "8f0000000000fake-SJC"),
        ("x-request-id", "00000000-fake-0000-0000-000000000000"),
        ("set-cookie", "__cf_bm=fake-cookie-of-xai; path=/; HttpOnly"),
    )


_NOT_PERMITTED = "The caller does not have permission to execute the specified operation"
_EXHAUSTED_CODE = "Some resource has been exhausted"
_NO_KEY = _error(401, "unauthenticated:no-credentials", "No credentials were provided.")
_NO_PERMISSION = _error(403, _NOT_PERMITTED, "The API key is blocked, or lacks the right to do this.")
_WRONG = "Incorrect API key provided: {key}. You can obtain an API key from https://console.x.ai."
_NO_CREDIT = (
    "Your newly created team doesn't have any credits or licenses yet. You can purchase those on "
    "https://console.x.ai/team/00000000-fake."
)
_USED_UP = _error(
    429,
    _EXHAUSTED_CODE,
    "Your team 00000000-fake has either used all available credits or reached its monthly spending limit. To continue "
    "making API requests, please purchase more credits or raise your spending limit.",
)
_TOO_MANY = _error(429, _EXHAUSTED_CODE, "Too many requests. Please slow down.")
_BROKEN = _error(500, "The service is currently unavailable", "Internal error")

_KNOWN = (
    Scenario("good", "valid", "key accepted"),
    Scenario("chatalone", "valid", "key accepted; it is for chat alone, and may not list models", _chat_alone),
    Scenario(
        "responses", "valid", "key accepted", _about_key(("api-key:model:*", "api-key:endpoint:responses")), _ABOUT_KEY
    ),
    Scenario("modelsdown", "valid", "key accepted; the models could not be listed", _BROKEN, _LISTING),
)

_UNKNOWN = (
    Scenario("wrong", "invalid", "unknown or deleted key", _error(400, "Client specified an invalid argument", _WRONG)),
    Scenario("wrongcode", "invalid", "unknown or deleted key", _error(400, "invalid-argument", _WRONG)),
    Scenario("nokey", "invalid", "the provider saw no key", _NO_KEY),
    Scenario(
        "echo",
        "invalid",
        "wrong key, echoed in full",
        _error(400, "invalid-argument", "Incorrect API key provided: {whole}."),
    ),
)

_RESTRICTED = (
    Scenario(
        "nochat",
        "limited",
        "no right to chat or responses",
        _about_key(("api-key:model:*", "api-key:endpoint:embeddings")),
        _ABOUT_KEY,
    ),
    Scenario("nomodel", "limited", "no right to any model", _about_key(("api-key:endpoint:*",)), _ABOUT_KEY),
    Scenario("norights", "limited", "no right to anything", _about_key(()), _ABOUT_KEY),
)

_EXHAUSTED = (
    Scenario("credit", "limited", "no credit", _error(403, _NOT_PERMITTED, _NO_CREDIT), _LISTING),
    Scenario("creditcode", "limited", "no credit", _error(403, "permission-denied", _NO_CREDIT), _LISTING),
    Scenario("creditatonce", "limited", "no credit, said at once", _error(403, "permission-denied", _NO_CREDIT)),
    Scenario("usedup", "limited", "credit or spending limit used up", _USED_UP),
    Scenario("usedlisting", "limited", "credit or spending limit used up", _USED_UP, _LISTING),
    Scenario("rate", "limited", "rate limited now", _TOO_MANY),
    Scenario("ratelisting", "limited", "rate limited now", _TOO_MANY, _LISTING),
)

_BLOCKED = (
    Scenario("keyblocked", "forbidden", "the key is blocked", _about_key(api_key_blocked=True), _ABOUT_KEY),
    Scenario("keydisabled", "forbidden", "the key is disabled", _about_key(api_key_disabled=True), _ABOUT_KEY),
    Scenario("teamblocked", "forbidden", "the team is blocked", _about_key(team_blocked=True), _ABOUT_KEY),
    Scenario("blocked", "forbidden", "key or team blocked, or no permission", _NO_PERMISSION),
    Scenario("blockedlisting", "forbidden", "key or team blocked, or no permission", _NO_PERMISSION, _LISTING),
)

_TROUBLED = (
    Scenario("error500", "unreachable", "the provider has a problem; not judged", _BROKEN),
    Scenario(
        "error503",
        "unreachable",
        "the provider is overloaded; not judged",
        _error(503, "The service is currently unavailable", "Service temporarily unavailable."),
    ),
    Scenario(
        "odd400",
        "unreachable",
        "a complaint that is not about the key; not judged",
        _error(400, "Client specified an invalid argument", "The request was malformed."),
    ),
    Scenario(
        "oddflag", "unreachable", "a flag that is neither; not judged", _about_key(team_blocked="maybe"), _ABOUT_KEY
    ),
    Scenario(
        "odd404",
        "unreachable",
        "an answer nobody documented; not judged",
        _error(404, "Some requested entity was not found", "Not found."),
    ),
)

PROVIDER = Provider(
    slug="xai",
    shape=KeyShape(head="xai-", width=80, separator="_"),
    services=(
        Service(
            name="xai",
            host=r"api\.x\.ai",
            auth_header="authorization",
            read_credential=_read_key,
            refuse=_refuse,
            not_found=_error(404, "Some requested entity was not found", "Not found."),
            routes=(
                Route(name="key", method="GET", path="/v1/api-key", good=_about_key()),
                Route(name="models", method="GET", path="/v1/models", good=_models),
            ),
            edge=_edge,
        ),
    ),
    scenarios=(*_KNOWN, *_UNKNOWN, *_RESTRICTED, *_EXHAUSTED, *_BLOCKED, *_TROUBLED),
    wrong_kinds=(WrongKind(prefix="xai-token-", what="management key", scenario="wrong"),),
)
