"""xAI, as ``provider-contracts.md`` §1.5 documents it: what it says of a key, models list, and inference."""

from collections.abc import Sequence
from typing import Any, Final

from tests.fakeproviders.inference import scenarios
from tests.fakeproviders.inference.chat import CHAT
from tests.fakeproviders.inference.responses import RESPONSES
from tests.fakeproviders.inference.routes import Dialect
from tests.fakeproviders.model import Ask, Provider, Reply, Route, Scenario, Service, Verdict, WrongKind
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


def _alone(endpoint: str, model: str = "*") -> Reply:
    """A key for one endpoint: it may do nothing elsewhere."""
    rights = _about_key((f"api-key:model:{model}", f"api-key:endpoint:{endpoint}"))
    return lambda ask: (rights if ask.request.path == "/v1/api-key" else _NO_PERMISSION)(ask)


def _refuse(ask: Ask) -> Answer | None:
    return None if ask.credential else _NO_KEY(ask)


def _read_key(request: Request) -> str:
    return request.bearer


def _complain(status: int, message: str) -> Reply:
    """An error about a request for inference, with the prose that its status has for a code."""
    return _error(
        status, _CODES.get(status, _UNAVAILABLE if status >= 500 else "Client specified an invalid argument"), message
    )


_UNAVAILABLE: Final = "The service is currently unavailable"
_CODES: Final = {
    403: "The caller does not have permission to execute the specified operation",
    404: "Some requested entity was not found",
    429: "Some resource has been exhausted",
}
_DIALECT: Final = Dialect(complain=_complain, usage="always")


def _edge(ask: Ask) -> Headers:
    return (
        ("server", "cloudflare"),
        ("cf-ray", "8f0000000000fake-SJC"),
        ("x-request-id", f"00000000-fake-0000-0000-{ask.id:012d}"),
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


def _without_rights(name: str, verdict: Verdict, description: str, about: Reply) -> Scenario:
    """A key of which xAI says ``about``, and lets it do nothing."""
    return Scenario(name, verdict, description, about, _ABOUT_KEY, inference=_NO_PERMISSION)


def _unless_asked_about(name: str, verdict: Verdict, description: str, reply: Reply) -> Scenario:
    """A key that xAI says nothing bad of, and answers with ``reply`` when it is used."""
    return Scenario(name, verdict, description, reply, _LISTING, inference=reply)


_KNOWN = (
    Scenario("good", "valid", "key accepted"),
    Scenario(
        "chatalone",
        "valid",
        "key accepted; it is for chat alone, and may not list models",
        _alone("chat", "grok-4"),
        frozenset({"key", "models", "responses"}),
    ),
    Scenario("responses", "valid", "key accepted", _alone("responses"), frozenset({"key", "chat"})),
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
        inference=_NO_PERMISSION,
    ),
    _without_rights("nomodel", "limited", "no right to any model", _about_key(("api-key:endpoint:*",))),
    _without_rights("norights", "limited", "no right to anything", _about_key(())),
)

_EXHAUSTED = (
    _unless_asked_about("credit", "limited", "no credit", _error(403, _NOT_PERMITTED, _NO_CREDIT)),
    _unless_asked_about("creditcode", "limited", "no credit", _error(403, "permission-denied", _NO_CREDIT)),
    Scenario("creditatonce", "limited", "no credit, said at once", _error(403, "permission-denied", _NO_CREDIT)),
    Scenario("usedup", "limited", "credit or spending limit used up", _USED_UP),
    _unless_asked_about("usedlisting", "limited", "credit or spending limit used up", _USED_UP),
    Scenario("rate", "limited", "rate limited now", _TOO_MANY),
    _unless_asked_about("ratelisting", "limited", "rate limited now", _TOO_MANY),
)

_BLOCKED = (
    _without_rights("keyblocked", "forbidden", "the key is blocked", _about_key(api_key_blocked=True)),
    _without_rights("keydisabled", "forbidden", "the key is disabled", _about_key(api_key_disabled=True)),
    _without_rights("teamblocked", "forbidden", "the team is blocked", _about_key(team_blocked=True)),
    Scenario("blocked", "forbidden", "key or team blocked, or no permission", _NO_PERMISSION),
    _unless_asked_about("blockedlisting", "forbidden", "key or team blocked, or no permission", _NO_PERMISSION),
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
                CHAT.at("/v1/chat/completions", _DIALECT),
                RESPONSES.at("/v1/responses", _DIALECT),
            ),
            edge=_edge,
        ),
    ),
    scenarios=(*_KNOWN, *_UNKNOWN, *_RESTRICTED, *_EXHAUSTED, *_BLOCKED, *_TROUBLED),
    family=scenarios.family(_DIALECT),
    wrong_kinds=(WrongKind(prefix="xai-token-", what="management key", scenario="wrong"),),
)
