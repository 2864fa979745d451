"""Mistral, as ``provider-contracts.md`` §1.3 documents it: models list, inference, and every answer a key can get there."""

from typing import Any, Final

from tests.fakeproviders.inference import scenarios
from tests.fakeproviders.inference.chat import CHAT
from tests.fakeproviders.inference.embeddings import EMBEDDINGS
from tests.fakeproviders.inference.routes import Dialect
from tests.fakeproviders.model import Ask, Provider, Reply, Route, Scenario, Service
from tests.fakeproviders.shape import KeyShape
from tests.fakeproviders.wire import Answer, Headers, Request, json_answer

_MODELS = ("mistral-large-latest", "mistral-medium-latest", "mistral-small-latest", "codestral-latest")


def _says(status: int, document: dict[str, Any]) -> Reply:
    return lambda _ask: json_answer(status, document)


def _error(status: int, message: str, kind: str, code: str | None = None) -> Reply:
    """An error of the application; its front and its gateway have bodies of their own."""
    return _says(status, {"object": "error", "message": message, "type": kind, "param": None, "code": code})


def _models(_ask: Ask) -> Answer:
    rows = [
        {"id": name, "object": "model", "owned_by": "mistralai", "capabilities": {"completion_chat": True}}
        for name in _MODELS
    ]
    return json_answer(200, {"object": "list", "data": rows})


def _echo(ask: Ask) -> Answer:
    return json_answer(401, {"detail": f"Invalid API Key: {ask.credential}"})


def _refuse(ask: Ask) -> Answer | None:
    return None if ask.credential else _UNAUTHORIZED(ask)


def _read_key(request: Request) -> str:
    return request.bearer


def _complain(status: int, message: str) -> Reply:
    """An error about a request for inference; ``{whole}`` in ``message`` is the key itself."""
    kind = _KINDS.get(status, "internal_server_error" if status >= 500 else "invalid_request_error")
    return lambda ask: _error(status, message.replace("{whole}", ask.credential), kind, f"{status}0")(ask)


_KINDS: Final = {404: "invalid_model", 429: "rate_limited", 503: "unreachable_backend"}
_DIALECT: Final = Dialect(complain=_complain, usage="last")


def _edge(ask: Ask) -> Headers:
    return (
        ("mistral-correlation-id", f"00000000-fake-0000-0000-{ask.id:012d}"),
        ("server", "cloudflare"),
        ("cf-ray", "8f0000000000fake-CDG"),
        ("x-kong-request-id", "fake00000000000000000000000000000"),
        ("set-cookie", "__cf_bm=fake-cookie-of-mistral; path=/; HttpOnly"),
    )


_UNAUTHORIZED = _says(401, {"detail": "Unauthorized"})

_KNOWN = (Scenario("good", "valid", "key accepted"),)

_UNKNOWN = (
    Scenario("wrong", "invalid", "unknown or revoked key", _UNAUTHORIZED),
    Scenario("badkey", "invalid", "unknown or revoked key", _says(401, {"detail": "Invalid API Key"})),
    Scenario("codestral", "invalid", "a key for Codestral alone", _UNAUTHORIZED),
    Scenario(
        "kong",
        "invalid",
        "unknown key, said by the gateway",
        _says(401, {"message": "Unauthorized", "request_id": "fake0000000000000000000000000000"}),
    ),
    Scenario("echo", "invalid", "wrong key, echoed in full", _echo),
)

_EXHAUSTED = (
    Scenario("payment", "limited", "payment required", _says(402, {"detail": "Payment required"})),
    Scenario("rate", "limited", "rate limited now", _error(429, "Rate limit exceeded", "rate_limited", "1300")),
)

_BLOCKED = (
    Scenario(
        "workspace",
        "forbidden",
        "its plan or workspace forbids this",
        _says(403, {"detail": "You do not have access to this resource."}),
    ),
)

_TROUBLED = (
    Scenario(
        "error500",
        "unreachable",
        "the provider has a problem; not judged",
        _error(500, "Internal server error", "internal_server_error", "1000"),
    ),
    Scenario(
        "error503",
        "unreachable",
        "the provider is overloaded; not judged",
        _error(503, "Service unavailable.", "unreachable_backend", "1100"),
    ),
    Scenario(
        "odd400",
        "unreachable",
        "an answer nobody documented; not judged",
        _error(400, "Invalid request", "invalid_request_error", "2000"),
    ),
    Scenario(
        "odd422",
        "unreachable",
        "a complaint about the request; not judged",
        _says(422, {"detail": [{"type": "missing", "loc": ["query", "name"], "msg": "Field required"}]}),
    ),
)

PROVIDER = Provider(
    slug="mistral",
    shape=KeyShape(head="", width=32, separator="X"),
    services=(
        Service(
            name="mistral",
            host=r"api\.mistral\.ai",
            auth_header="authorization",
            read_credential=_read_key,
            refuse=_refuse,
            not_found=_says(404, {"detail": "Not Found"}),
            routes=(
                Route(name="models", method="GET", path="/v1/models", good=_models),
                CHAT.at("/v1/chat/completions", _DIALECT),
                EMBEDDINGS.at("/v1/embeddings", _DIALECT),
            ),
            edge=_edge,
        ),
    ),
    scenarios=(*_KNOWN, *_UNKNOWN, *_EXHAUSTED, *_BLOCKED, *_TROUBLED),
    family=scenarios.family(_DIALECT),
)
