"""Google Vertex AI, as ``provider-contracts.md`` §3 documents it: the token exchange, countTokens, inference, and what each
may say.

The assertion is really verified: its signature against the account's public key, audience, scope, issuer and times. The
access token names the scenario that countTokens and inference then play.
"""

import json
import re
import time
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

from tests.fakeproviders.hostile import streams
from tests.fakeproviders.inference import scenarios
from tests.fakeproviders.inference.chat import CHAT
from tests.fakeproviders.inference.routes import Dialect
from tests.fakeproviders.model import Ask, Provider, Reply, Route, Scenario, Service, Verdict
from tests.fakeproviders.service_accounts import PROJECT, TOKEN_URI, Assertion, ServiceAccountShape, token_seed
from tests.fakeproviders.wire import Answer, Headers, Request, json_answer

_AT_TOKEN: Final = frozenset({"token"})
_AT_COUNT: Final = frozenset({"countTokens"})
_AT_BOTH: Final = _AT_COUNT | {"chat"}
_PLACE: Final = r"/v1/projects/[a-z0-9.:-]+/locations/[a-z0-9-]+"
_MODELS: Final = ("gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite")
_LATER: Final = "then"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_TIMEFRAME: Final = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp "
    "values in the JWT claim."
)
_SIGNATURE: Final = "Invalid JWT Signature."


# The token exchange, at google_oauth. A credential is an account's address there.


def _assertion(request: Request) -> Assertion:
    form = parse_qs(request.body.decode("latin-1"))
    return Assertion.read(next(iter(form.get("assertion", ())), ""))


def _read_address(request: Request) -> str:
    return _assertion(request).email


def _oauth_error(status: int, error: str, description: str) -> Reply:
    """An OAuth error; ``{whole}`` in ``description`` is the assertion itself."""

    def reply(ask: Ask) -> Answer:
        said = description.replace("{whole}", _assertion(ask.request).text)
        return json_answer(status, {"error": error, "error_description": said})

    return reply


def _refuse_assertion(ask: Ask) -> Answer | None:
    error = _error_of(_assertion(ask.request), parse_qs(ask.request.body.decode("latin-1")).get("grant_type", []))
    return _oauth_error(400, *error)(ask) if error else None


def _error_of(assertion: Assertion, grants: list[str]) -> tuple[str, str] | None:
    """What is wrong with an assertion, asked in Google's order."""
    objections = (
        (grants == [_GRANT], "unsupported_grant_type", "Invalid grant_type"),
        (assertion.is_of_a_known_account, "invalid_grant", "Invalid grant: account not found"),
        (assertion.claims.get("aud") == TOKEN_URI, "invalid_grant", "Invalid JWT: Failed audience check."),
        (assertion.is_timely(time.time()), "invalid_grant", _TIMEFRAME),
        (assertion.is_signed, "invalid_grant", _SIGNATURE),
        (
            assertion.claims.get("scope") == _SCOPE,
            "invalid_scope",
            "Invalid OAuth scope or ID token audience provided.",
        ),
    )
    return next(((error, description) for holds, error, description in objections if not holds), None)


def _token(ask: Ask) -> Answer:
    """A token that is new each time, and names what countTokens is to play."""
    token = f"ya29.FAKE{token_seed(ask.credential)}-{ask.nth}-{_SHAPE.scenario(ask.credential)}"
    return json_answer(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})


def _says(status: int, document: Any) -> Reply:
    return lambda _ask: json_answer(status, document)


def _front(_ask: Ask) -> Headers:
    return (
        ("server", "scaffolding on HTTPServer2"),
        ("x-xss-protection", "0"),
        ("x-frame-options", "SAMEORIGIN"),
        ("alt-svc", 'h3=":443"; ma=2592000,h3-29=":443"; ma=2592000'),
    )


# countTokens and inference, at google_vertex_ai. A credential is an access token there.


def _read_token(request: Request) -> str:
    return request.bearer


def _envelope(code: int, status: str, message: str, reason: str = "", domain: str = "googleapis.com") -> dict[str, Any]:
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": domain,
        "metadata": {"consumer": "projects/100000000000", "service": "aiplatform.googleapis.com"},
    }
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    return {
        "error": {**error, "details": [{"@type": "type.googleapis.com/google.rpc.Help"}, info]} if reason else error
    }


def _denied(reason: str, message: str, domain: str = "googleapis.com") -> dict[str, Any]:
    return _envelope(403, "PERMISSION_DENIED", message, reason, domain)


def _missing(ask: Ask) -> Answer:
    model = ask.request.path.rpartition("/")[2].partition(":")[0]
    message = f"Publisher Model `projects/{PROJECT}/locations/global/publishers/google/models/{model}` was not found."
    return json_answer(404, _envelope(404, "NOT_FOUND", message))


def _served(ask: Ask) -> Answer:
    """The success of whichever route was asked."""
    return (_count if ask.request.path.endswith(":countTokens") else _CHAT.good)(ask)


def _at_first(reply: Reply) -> Reply:
    """``reply`` to the first question with this token, then the good answer."""
    return lambda ask: reply(ask) if ask.nth == 1 else _served(ask)


def _at_first_token(reply: Reply) -> Reply:
    """``reply`` to the first token that a client comes with, the good answer to the one that it fetches then."""
    return lambda ask: reply(ask) if _number(ask.credential) % 2 else _served(ask)


def _number(token: str) -> int:
    """Which of its account's tokens it is; 1 for what is no token of ours."""
    found = re.fullmatch(r"ya29\.\w+-(\d+)-\w+", token)
    return int(found[1]) if found else 1


def _refuse_question(ask: Ask) -> Answer | None:
    if not ask.credential.startswith("ya29."):
        return _says(401, _UNAUTHENTICATED)(ask)
    location = ask.request.path.partition("/locations/")[2].partition("/")[0]
    host = ask.request.header("host")
    if (
        location
        and host not in {f"{location}-aiplatform.googleapis.com", f"aiplatform.{location}.rep.googleapis.com"}
        and ((location, host) != ("global", "aiplatform.googleapis.com"))
    ):
        return _says(400, _envelope(400, "INVALID_ARGUMENT", "The location does not match the endpoint."))(ask)
    if not ask.request.path.endswith(":countTokens"):
        return None
    try:
        [content] = json.loads(ask.request.body)["contents"]
        known = bool(content["parts"][0]["text"])
    except (ValueError, KeyError, TypeError, IndexError):
        known = False
    return None if known else _says(400, _envelope(400, "INVALID_ARGUMENT", "Unable to parse the request."))(ask)


def _count(_ask: Ask) -> Answer:
    counted = {"totalTokens": 1, "totalBillableCharacters": 2}
    return json_answer(200, {**counted, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1}]})


def _models(_ask: Ask) -> Answer:
    rows = [
        {
            "name": f"publishers/google/models/{name}",
            "versionId": "default",
            "openSourceCategory": "PROPRIETARY",
            "launchStage": "GA",
        }
        for name in _MODELS
    ]
    return json_answer(200, {"publisherModels": rows})


def _complain(status: int, message: str) -> Reply:
    """An error about a request for inference; ``{whole}`` in ``message`` is the access token itself."""
    kind = _KINDS.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
    return lambda ask: json_answer(status, _envelope(status, kind, message.replace("{whole}", ask.credential)))


def _in_an_array(answer: Answer) -> Answer:
    """What the way to OpenAI's protocol does to every error."""
    if answer.status < HTTPStatus.BAD_REQUEST or not answer.body.startswith(b"{"):
        return answer
    return replace(answer, body=b"[%b]" % answer.body)


_KINDS: Final = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_DIALECT: Final = Dialect(complain=_complain, publishers=True, wrap=_in_an_array)
_CHAT: Final = CHAT.at(rf"{_PLACE}/endpoints/openapi/chat/completions", _DIALECT)


def _not_found(ask: Ask) -> Answer:
    return Answer(HTTPStatus.NOT_FOUND, b"<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", "text/html")


_UNAUTHENTICATED = _envelope(
    401,
    "UNAUTHENTICATED",
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential.",
)
_DISABLED_API = _denied(
    "SERVICE_DISABLED",
    "Vertex AI API has not been used in project 100000000000 before or it is disabled. Enable it by visiting "
    "https://console.developers.google.com/apis/api/aiplatform.googleapis.com/overview?project=100000000000 then retry.",
)
_IAM = _denied(
    "IAM_PERMISSION_DENIED",
    f"Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/projects/{PROJECT}/"
    "locations/global/publishers/google/models/gemini-2.5-flash' (or it may not exist).",
    "aiplatform.googleapis.com",
)
_POLICY = "Organization Policy constraint constraints/vertexai.allowedModels violated for projects/100000000000."
_LOCATION = "User location is not supported for the API use."


def _unauthenticated(reason: str) -> Reply:
    message = "Request had invalid authentication credentials."
    return _says(401, _envelope(401, "UNAUTHENTICATED", message, reason))


def _token_scenario(name: str, verdict: Verdict, description: str, reply: Reply) -> Scenario:
    return Scenario(name, verdict, description, reply, _AT_TOKEN)


def _count_scenario(name: str, verdict: Verdict, description: str, reply: Reply) -> Scenario:
    return Scenario(name, verdict, description, reply, _AT_BOTH)


_EXCHANGE = (
    _token_scenario(
        "wrong",
        "invalid",
        "the service account was deleted",
        _oauth_error(400, "invalid_grant", "Invalid grant: account not found"),
    ),
    _token_scenario(
        "deleted",
        "invalid",
        "the service account was deleted",
        _oauth_error(400, "invalid_grant", "Invalid email or User ID"),
    ),
    # Its file holds a key that the account had before: the signature is really another's.
    _token_scenario("rotated", "invalid", "the key was deleted", _oauth_error(400, "invalid_grant", _SIGNATURE)),
    _token_scenario(
        "echo",
        "invalid",
        "the key was deleted; the assertion is echoed in full",
        _oauth_error(400, "invalid_grant", _SIGNATURE + " {whole}"),
    ),
    _token_scenario("grant", "invalid", "another invalid grant", _oauth_error(400, "invalid_grant", "Bad Request")),
    _token_scenario(
        "clock", "unreachable", "this server's clock is off", _oauth_error(400, "invalid_grant", _TIMEFRAME)
    ),
    _token_scenario(
        "disabled",
        "forbidden",
        "the service account is disabled",
        _oauth_error(401, "disabled_client", "The OAuth client was disabled."),
    ),
    _token_scenario(
        "unauthorized",
        "forbidden",
        "a policy keeps it from signing in",
        _oauth_error(
            401,
            "unauthorized_client",
            "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of "
            "the scopes requested.",
        ),
    ),
    _token_scenario(
        "badscope",
        "unreachable",
        "our own mistake; not judged",
        _oauth_error(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided."),
    ),
    _token_scenario(
        "tokenrate",
        "unreachable",
        "sign-ins are limited; not judged",
        _oauth_error(429, "rate_limit_exceeded", "Quota exceeded."),
    ),
    _token_scenario(
        "token500",
        "unreachable",
        "a problem of Google's; not judged",
        _oauth_error(500, "internal_failure", "Backend Error"),
    ),
    _token_scenario(
        "token503",
        "unreachable",
        "a problem of Google's; not judged",
        _oauth_error(503, "temporarily_unavailable", "Backend Error"),
    ),
    _token_scenario(
        "oddtoken",
        "unreachable",
        "an error that nobody documented; not judged",
        _oauth_error(400, "brand_new_error", "Something new."),
    ),
    _token_scenario("notoken", "unreachable", "a success without a token", _says(200, {"token_type": "Bearer"})),
    _token_scenario(
        "splittoken",
        "unreachable",
        "a token that would split a header",
        _says(200, {"access_token": "ya29.FAKE\r\nX-Evil: 1", "expires_in": 3599, "token_type": "Bearer"}),
    ),
)

_GOOD = (
    Scenario("good", "valid", "the key works, and may use Vertex AI", on=_AT_COUNT),
    Scenario("gone1", "valid", "the first model is gone; another is not", _at_first(_missing), _AT_COUNT),
    _count_scenario(
        "stale",
        "valid",
        "the first token is refused, a new one is not",
        _at_first_token(_unauthenticated("ACCESS_TOKEN_EXPIRED")),
    ),
)

_REFUSED = (
    _count_scenario("expired", "invalid", "token refused twice", _unauthenticated("ACCESS_TOKEN_EXPIRED")),
    _count_scenario("account", "invalid", "the account is gone", _unauthenticated("ACCOUNT_STATE_INVALID")),
    _count_scenario("nobody", "invalid", "token refused twice, without a reason", _says(401, _UNAUTHENTICATED)),
    _count_scenario("apidisabled", "forbidden", "the Vertex AI API is not enabled", _says(403, _DISABLED_API)),
    _count_scenario("wrapped", "forbidden", "the same, wrapped in an array", _says(403, [_DISABLED_API])),
    _count_scenario("iam", "forbidden", "the role Vertex AI User is missing", _says(403, _IAM)),
    _count_scenario(
        "consumer",
        "forbidden",
        "the project doesn't exist for this account",
        _says(403, _denied("CONSUMER_INVALID", f"Permission denied on resource project {PROJECT}.")),
    ),
    _count_scenario(
        "userproject",
        "forbidden",
        "the account may not use this project",
        _says(403, _denied("USER_PROJECT_DENIED", f"Caller does not have required permission to use {PROJECT}.")),
    ),
)

_LIMITED = (
    _count_scenario(
        "billing",
        "limited",
        "billing is disabled in the project",
        _says(403, _denied("BILLING_DISABLED", "This API method requires billing to be enabled.")),
    ),
    _count_scenario("gone", "limited", "no model that is asked for is served here", _missing),
    _count_scenario(
        "location",
        "limited",
        "not served at this location",
        _says(400, _envelope(400, "FAILED_PRECONDITION", _LOCATION)),
    ),
    _count_scenario(
        "models",
        "limited",
        "a policy allows other models only",
        _says(400, _envelope(400, "FAILED_PRECONDITION", _POLICY)),
    ),
    _count_scenario(
        "rate",
        "limited",
        "rate limited now",
        _says(429, _envelope(429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later.")),
    ),
)

_TROUBLED = (
    _count_scenario(
        "error500",
        "unreachable",
        "a problem of Google's; not judged",
        _says(500, _envelope(500, "INTERNAL", "Internal error encountered.")),
    ),
    _count_scenario(
        "error503",
        "unreachable",
        "a problem of Google's; not judged",
        _says(503, _envelope(503, "UNAVAILABLE", "The service is currently unavailable.")),
    ),
    _count_scenario(
        "odd400",
        "unreachable",
        "an error that nobody documented; not judged",
        _says(400, _envelope(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")),
    ),
    _count_scenario(
        "odd403",
        "unreachable",
        "a reason that nobody documented; not judged",
        _says(403, _denied("BRAND_NEW_REASON", "Something new.")),
    ),
    Scenario("nocount", "unreachable", "a success without a number", _says(200, {"totalTokens": "1"}), _AT_COUNT),
)
_SCENARIOS = (*_GOOD, *_EXCHANGE, *_REFUSED, *_LIMITED, *_TROUBLED)
_OF_VERTEX: Final = frozenset(known.name for known in _SCENARIOS)
# Nothing of these happens at the exchange, so they need no prefix to be put off.
_OF_INFERENCE: Final = re.compile(r"fails\d+|rate\d+|flaky\d+|first\w+|gatestream\w*|" + "|".join(streams.ACTS))
_SHAPE = ServiceAccountShape()


def _plays_exchange(scenario: str) -> str:
    """What is to happen at countTokens lets the exchange succeed."""
    return "good" if scenario.startswith(_LATER) else scenario


def _plays_count(scenario: str) -> str:
    """What has happened at the exchange, slowly perhaps, is over."""
    if scenario.startswith(_LATER):
        return scenario.removeprefix(_LATER)
    return scenario if scenario in _OF_VERTEX or _OF_INFERENCE.fullmatch(scenario) else "good"


PROVIDER = Provider(
    slug="google_vertex_ai",
    shape=_SHAPE,
    services=(
        Service(
            name="google_vertex_ai",
            host=r"(?:[a-z]+-[a-z]+\d+-)?aiplatform\.googleapis\.com|aiplatform\.(?:us|eu)\.rep\.googleapis\.com",
            auth_header="authorization",
            read_credential=_read_token,
            plays=_plays_count,
            refuse=_refuse_question,
            not_found=_not_found,
            routes=(
                Route(
                    name="countTokens",
                    method="POST",
                    path=rf"{_PLACE}/publishers/google/models/[a-z0-9.-]+:countTokens",
                    good=_count,
                    required=(("content-type", r"application/json"),),
                ),
                Route(name="models", method="GET", path=r"/v1beta1/publishers/google/models", good=_models),
                _CHAT,
            ),
            edge=_front,
        ),
        Service(
            name="google_oauth",
            host=r"oauth2\.googleapis\.com",
            auth_header="",
            read_credential=_read_address,
            plays=_plays_exchange,
            refuse=_refuse_assertion,
            not_found=_not_found,
            routes=(Route(name="token", method="POST", path=r"/token", good=_token),),
            required=(
                ("content-type", r"application/x-www-form-urlencoded"),
                ("x-goog-api-client", r"gl-python/\S+ auth/\S+ auth-request-type/at cred-type/sa"),
            ),
            edge=_front,
            credential_in_body=True,
        ),
    ),
    scenarios=_SCENARIOS,
    stages=("", _LATER),
    family=scenarios.family(_DIALECT),
)
