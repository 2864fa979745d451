"""zAI, as ``provider-contracts.md`` §1.6 documents it: models list, inference, and its table of codes."""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.fakeproviders.inference import scenarios
from tests.fakeproviders.inference.chat import CHAT
from tests.fakeproviders.inference.embeddings import EMBEDDINGS
from tests.fakeproviders.inference.routes import Dialect
from tests.fakeproviders.model import Ask, Provider, Reply, Route, Scenario, Service, Verdict
from tests.fakeproviders.shape import API_KEY, KeyShape
from tests.fakeproviders.wire import Answer, Headers, Request, json_answer

_CHAT: Final = "/api/paas/v4/chat/completions"
_LANGUAGE: Final = ("accept-language", r"en-US,en")
_PROBES: Final = frozenset({"models", "empty"})
_MODELS = ("glm-4.6", "glm-4.5", "glm-4.5-air", "glm-4.5-flash")
_SECRET: Final = 16
_PUBLIC: Final = "facade0"
_FAKE: Final = "FAKE"
_ALPHABET: Final = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class _TwoParts(KeyShape):
    """An id of 32 hexadecimal digits, a dot, and a secret of 16 that ends in the scenario (17 for the longest names)."""

    def sample(self, scenario: str) -> str:
        return self._join(_PUBLIC * 5, "FAKE0EXAMPLE0KEY", scenario)

    def fresh(self, scenario: str) -> str:
        random = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET))
        return self._join(_PUBLIC + secrets.token_hex(16), _FAKE + random, scenario)

    def secret_parts(self, key: str) -> Mapping[str, tuple[str, ...]]:
        """Both halves. Of the second only seven characters are random, so those beside them count."""
        id_, _, secret = key.partition(".")
        start, end = len(_FAKE) - 1, len(secret) - len(self.scenario(key))
        return {API_KEY: (id_[len(_PUBLIC) :], secret[start:end])}

    def _join(self, id_: str, filler: str, scenario: str) -> str:
        end = self.separator + scenario
        if len(scenario) > _SECRET:
            raise ValueError(f"the scenario's name is too long for this provider's keys: {scenario}")
        return f"{id_[:32]}.{filler[: max(_SECRET - len(end), 0)]}{end}"


def _error(status: int, code: str, message: str) -> Reply:
    return lambda _ask: json_answer(status, {"error": {"code": code, "message": message}})


def _inside(code: int, message: str) -> Reply:
    """The other shape: a status of 200 with the error inside, its code a number."""
    return lambda _ask: json_answer(200, {"code": code, "msg": message, "success": False})


def _says(status: int, document: dict[str, Any]) -> Reply:
    return lambda _ask: json_answer(status, document)


def _models(_ask: Ask) -> Answer:
    rows = [{"id": name, "object": "model", "created": 1753632000, "owned_by": "z-ai"} for name in _MODELS]
    return json_answer(200, {"object": "list", "data": rows})


def _nothing_here(status: int) -> Reply:
    return lambda _ask: Answer(status, b"<html><h1>Nothing here</h1></html>", "text/html")


def _gone(status: int, then: Reply | None = None) -> Reply:
    """The undocumented list is not there; ``then`` is what an empty chat request gets."""

    def reply(ask: Ask) -> Answer:
        return (then or _empty_chat if ask.request.path == _CHAT else _nothing_here(status))(ask)

    return reply


def _is_empty(request: Request) -> bool:
    """Whether it is the request by which a check asks about the key: nothing is generated, nothing is paid."""
    return request.body == b"{}"


def _empty_chat(ask: Ask) -> Answer:
    """An empty request is refused for what it lacks, which shows that the key was taken."""
    return _error(400, "1214", "The messages parameter is missing.")(ask)


def _echo(ask: Ask) -> Answer:
    return _error(401, "1002", f"Authentication Token is illegal: {ask.credential}")(ask)


def _refuse(ask: Ask) -> Answer | None:
    return None if ask.credential else _NO_KEY(ask)


def _read_key(request: Request) -> str:
    return request.bearer


def _complain(status: int, message: str) -> Reply:
    """An error about a request for inference; ``{whole}`` in ``message`` is the key itself."""
    code = _CODES.get(status, "500" if status >= 500 else "1210")
    return lambda ask: _error(status, code, message.replace("{whole}", ask.credential))(ask)


_CODES: Final = {400: "1214", 401: "1000", 403: "1220", 404: "1211", 429: "1302"}
_DIALECT: Final = Dialect(complain=_complain, usage="last")


def _edge(ask: Ask) -> Headers:
    return (
        ("server", "nginx"),
        ("x-log-id", f"20260101000000fake{ask.id:014d}"),
        ("set-cookie", "acw_tc=fake-cookie-of-zai; path=/; HttpOnly"),
        ("vary", "Accept-Language"),
    )


def _coded(verdict: Verdict, status: int, description: str, *codes: str) -> tuple[Scenario, ...]:
    """A scenario for each of ``codes``, by the name ``code<number>``."""
    return tuple(
        Scenario(f"code{code}", verdict, f"{code}: {description}", _error(status, code, description)) for code in codes
    )


_NO_KEY = _error(401, "1001", "Authentication parameter not received in Header")
_EXPIRED = "token expired or incorrect"

_KNOWN = (
    Scenario("good", "valid", "key accepted"),
    Scenario("gone404", "valid", "no models list; an empty request shows that the key is taken", _gone(404), _PROBES),
    Scenario("gone405", "valid", "no models list; an empty request shows that the key is taken", _gone(405), _PROBES),
    *(
        Scenario(
            f"gone{code}", "valid", f"no models list; {code}: {what}", _gone(404, _error(400, code, what)), _PROBES
        )
        for code, what in {
            "1210": "invalid parameter",
            "1211": "unknown model",
            "1212": "unsupported method",
            "1213": "no prompt",
            "1215": "contradicting parameters",
        }.items()
    ),
)

_UNKNOWN = (
    Scenario("wrong", "invalid", "1000: authentication failed", _error(401, "1000", "Authentication Failed")),
    *_coded("invalid", 401, "token illegal", "1002"),
    *_coded("invalid", 401, "token expired", "1003"),
    *_coded("invalid", 401, "token not verified", "1004"),
    *_coded("invalid", 401, _EXPIRED, "401"),
    Scenario("inside401", "invalid", "401 inside: expired or incorrect", _inside(401, _EXPIRED)),
    Scenario("inside1000", "invalid", "1000 inside: authentication failed", _inside(1000, "Authentication Failed")),
    Scenario("nested1000", "invalid", "1000 inside, nested", _error(200, "1000", "Authentication Failed")),
    Scenario(
        "typed401", "invalid", "expired or incorrect", _says(401, {"error": {"message": _EXPIRED, "type": "401"}})
    ),
    Scenario("uncoded", "invalid", "expired or incorrect, inside", _says(200, {"msg": _EXPIRED, "success": False})),
    Scenario("gonewrong", "invalid", "no models list; 1000", _gone(404, _error(401, "1000", "Authentication Failed"))),
    Scenario("echo", "invalid", "wrong key, echoed in full", _echo),
)

_BLOCKED = (
    *_coded("forbidden", 429, "account inactive", "1110"),
    *_coded("forbidden", 401, "account doesn't exist", "1111"),
    *_coded("forbidden", 429, "account locked", "1112"),
    *_coded("forbidden", 429, "account locked for a violation", "1121"),
)

_ARREARS = "Insufficient balance or no resource package. Please recharge."

_EXHAUSTED = (
    *_coded("limited", 429, _ARREARS, "1113"),
    Scenario("inside1113", "limited", "1113 inside: no credit", _inside(1113, _ARREARS)),
    Scenario("gone1113", "limited", "no models list; 1113: no credit", _gone(404, _error(429, "1113", _ARREARS))),
    *_coded("limited", 403, "no right to this API", "1220"),
    Scenario("noright434", "limited", "434: no right to this API", _error(434, "", "No permission for this API.")),
    *_coded("limited", 429, "the plan lacks the model", "1311"),
    Scenario("rate", "limited", "1302: too many at once", _error(429, "1302", "High concurrency usage of this API")),
    *_coded("limited", 429, "too frequent", "1303"),
    *_coded("limited", 429, "daily limit", "1304"),
    *_coded("limited", 429, "too much traffic", "1305"),
    *_coded("limited", 429, "model busy", "1312"),
    *_coded("limited", 429, "usage limit reached; it will reset at 2026-11-01 00:00:00", "1308", "1310"),
    *_coded("limited", 429, "plan expired", "1309"),
    *_coded("limited", 429, "fair use", "1313"),
)

_TROUBLED = (
    Scenario("error500", "unreachable", "500: a problem; not judged", _error(500, "500", "Internal error")),
    Scenario("inside500", "unreachable", "500 inside; not judged", _inside(500, "Internal error")),
    *_coded("unreachable", 500, "a problem; not judged", "1120", "1230", "1234"),
    Scenario("nokey", "unreachable", "1001: it saw no key; not judged", _NO_KEY),
    Scenario("inside1001", "unreachable", "1001 inside; not judged", _inside(1001, "Authentication parameter missing")),
    Scenario("odd401", "unreachable", "9999: nobody documented it; not judged", _error(401, "9999", "Something new")),
    Scenario("odd200", "unreachable", "9999 inside; not judged", _inside(9999, "Something new")),
    Scenario(
        "oddlist",
        "unreachable",
        "a list that says it failed; not judged",
        _says(200, {"data": [], "success": False}),
        _PROBES,
    ),
    Scenario("auth429", "unreachable", "1000 as a limit; not judged", _error(429, "1000", "Authentication Failed")),
    Scenario("goneall", "unreachable", "neither list nor chat; not judged", _nothing_here(404)),
)

PROVIDER = Provider(
    slug="zai",
    shape=_TwoParts(head="", width=49, separator="X"),
    services=(
        Service(
            name="zai",
            host=r"api\.z\.ai",
            auth_header="authorization",
            read_credential=_read_key,
            refuse=_refuse,
            not_found=_error(404, "404", "Not Found"),
            routes=(
                Route(name="models", method="GET", path="/api/paas/v4/models", good=_models),
                Route(
                    name="empty",
                    method="POST",
                    path=_CHAT,
                    good=_empty_chat,
                    applies=_is_empty,
                    required=(_LANGUAGE, ("content-type", r"application/json")),
                ),
                CHAT.at(_CHAT, _DIALECT),
                EMBEDDINGS.at("/api/paas/v4/embeddings", _DIALECT),
            ),
            required=(_LANGUAGE,),
            edge=_edge,
        ),
    ),
    scenarios=(*_KNOWN, *_UNKNOWN, *_BLOCKED, *_EXHAUSTED, *_TROUBLED),
    family=scenarios.family(_DIALECT),
)
