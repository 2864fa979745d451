"""DeepSeek, as ``provider-contracts.md`` §1.4 documents it: balance, inference, and every answer a key can get there."""

from typing import Any, Final

from tests.fakeproviders.inference import scenarios
from tests.fakeproviders.inference.chat import CHAT
from tests.fakeproviders.inference.routes import Dialect
from tests.fakeproviders.model import Ask, Provider, Reply, Route, Scenario, Service
from tests.fakeproviders.shape import KeyShape
from tests.fakeproviders.wire import Answer, Headers, Request, json_answer


def _error(status: int, message: str, kind: str = "invalid_request_error") -> Reply:
    """An error in DeepSeek's envelope, whose code says the same for all; ``{key}`` is the masked key, ``{whole}`` the key."""

    def reply(ask: Ask) -> Answer:
        said = message.replace("{key}", f"****{ask.credential[-4:]}").replace("{whole}", ask.credential)
        error = {"message": said, "type": kind, "param": None, "code": "invalid_request_error"}
        return json_answer(status, {"error": error})

    return reply


def _governor(_ask: Ask) -> Answer:
    """What the front says before the application has seen the request."""
    return Answer(401, b"Authentication Fails (governor)", "text/plain; charset=utf-8")


def _balance(*, available: bool, total: str) -> Reply:
    infos: list[dict[str, Any]] = [
        {"currency": "USD", "total_balance": total, "granted_balance": "0.00", "topped_up_balance": total}
    ]
    return lambda _ask: json_answer(200, {"is_available": available, "balance_infos": infos})


def _models(_ask: Ask) -> Answer:
    rows = [{"id": name, "object": "model", "owned_by": "deepseek"} for name in ("deepseek-chat", "deepseek-reasoner")]
    return json_answer(200, {"object": "list", "data": rows})


def _refuse(ask: Ask) -> Answer | None:
    return None if ask.credential else _governor(ask)


def _read_key(request: Request) -> str:
    return request.bearer


def _complain(status: int, message: str) -> Reply:
    """An error about a request for inference, of the type that its status has."""
    return _error(status, message, _KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error"))


_KINDS: Final = {401: "authentication_error", 429: "rate_limit_error"}
_DIALECT: Final = Dialect(
    complain=_complain,
    usage="last",
    more_usage={"prompt_cache_hit_tokens": 0, "prompt_cache_miss_tokens": 0},
    waiting=(b": keep-alive\n\n", b": keep-alive\n\n"),
)


def _edge(ask: Ask) -> Headers:
    return (
        ("server", "CloudFront"),
        ("x-ds-trace-id", f"fake{ask.id:028d}"),
        ("set-cookie", "HWWAFSESID=fake-cookie-of-deepseek; path=/; HttpOnly"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
    )


_WRONG = "Authentication Fails, Your api key: {key} is invalid"

_KNOWN = (Scenario("good", "valid", "key accepted, with credit"),)

_UNKNOWN = (
    Scenario("wrong", "invalid", "unknown or deleted key", _error(401, _WRONG, "authentication_error")),
    Scenario("governor", "invalid", "malformed key, refused in plain text", _governor),
    Scenario(
        "echo",
        "invalid",
        "wrong key, echoed in full",
        _error(401, "Authentication Fails, Your api key: {whole} is invalid", "authentication_error"),
    ),
)

_EXHAUSTED = (
    Scenario(
        "nocredit",
        "limited",
        "no credit, said by the balance",
        _balance(available=False, total="0.00"),
        inference=_error(402, "Insufficient Balance", "unknown_error"),
    ),
    Scenario(
        "insufficient",
        "limited",
        "no credit",
        _error(402, "Insufficient Balance", "unknown_error"),
    ),
    Scenario("rate", "limited", "rate limited now", _error(429, "Rate limit reached.", "rate_limit_error")),
)

_TROUBLED = (
    Scenario(
        "error500", "unreachable", "the provider has a problem; not judged", _error(500, "Server Error", "server_error")
    ),
    Scenario(
        "error503",
        "unreachable",
        "the provider is overloaded; not judged",
        _error(503, "Server Overloaded", "server_error"),
    ),
    Scenario("odd400", "unreachable", "a complaint about the request; not judged", _error(400, "Invalid Format")),
    Scenario("odd422", "unreachable", "a complaint about the request; not judged", _error(422, "Invalid Parameters")),
    Scenario("odd403", "unreachable", "an answer nobody documented; not judged", _error(403, "Something new.")),
)

PROVIDER = Provider(
    slug="deepseek",
    shape=KeyShape(head="sk-", width=32, separator="q", lower=True),
    services=(
        Service(
            name="deepseek",
            host=r"api\.deepseek\.com",
            auth_header="authorization",
            read_credential=_read_key,
            refuse=_refuse,
            not_found=_error(404, "Not Found"),
            routes=(
                Route(
                    name="balance", method="GET", path="/user/balance", good=_balance(available=True, total="110.00")
                ),
                Route(name="models", method="GET", path="/models", good=_models),
                CHAT.at("/chat/completions", _DIALECT),
            ),
            edge=_edge,
        ),
    ),
    scenarios=(*_KNOWN, *_UNKNOWN, *_EXHAUSTED, *_TROUBLED),
    family=scenarios.family(_DIALECT),
)
