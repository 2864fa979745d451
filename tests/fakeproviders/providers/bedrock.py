"""AWS Bedrock, as ``provider-contracts.md`` §2 documents it: STS and the regions, both of which verify every signature."""

import re
from datetime import UTC, datetime
from html import escape
from typing import Final

from tests.fakeproviders import hostile
from tests.fakeproviders.access_keys import AccessKeyShape
from tests.fakeproviders.model import Ask, Provider, Reply, Route, Scenario, Service, WrongKind
from tests.fakeproviders.sigv4 import Signed
from tests.fakeproviders.wire import Answer, Headers, Request, json_answer

_AT_STS: Final = frozenset({"identity"})
_AT_REGION: Final = frozenset({"models"})
_THEN: Final = "then"
_HOME: Final = {"region": "us-east-1"}
_ACCOUNT: Final = "123456789012"
_CALL: Final = b"Action=GetCallerIdentity&Version=2011-06-15"
_INVALID_TOKEN: Final = "The security token included in the request is invalid."
_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and "
    "signing method. Consult the service documentation for details."
)
_LATE: Final = "Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z (20260101T001000Z - 5 min.)"
_EARLY: Final = (
    "Signature not yet current: 20260101T001000Z is still later than 20260101T000500Z (20260101T000000Z + 5 min.)"
)
_DENIED: Final = (
    "User: arn:aws:iam::123456789012:user/fake is not authorized to perform: bedrock:ListFoundationModels because {why}"
)
# What an account has to opt in to; every other region is there from the start.
_OPT_IN: Final = re.compile(
    r"af-south-1|ap-east-2|ap-south-2|ap-southeast-[3-7]|ca-west-1|eu-central-2|eu-south-[12]|il-central-1|me-.*|mx-.*"
)


def _key_id(request: Request) -> str:
    found = re.search(r"Credential=([A-Za-z0-9]+)/", request.header("authorization"))
    return found[1] if found else ""


def _region(ask: Ask) -> str:
    return ask.request.header("host").partition(".")[2].partition(".")[0]


# STS: XML.


def _sts_error(status: int, code: str, message: str) -> Reply:
    """An error of STS; ``{whole}`` in ``message`` is the Authorization header."""

    def reply(ask: Ask) -> Answer:
        said = escape(message.replace("{whole}", ask.request.header("authorization")), quote=False)
        body = (
            '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <Error>\n    <Type>Sender</Type>\n'
            f"    <Code>{code}</Code>\n    <Message>{said}</Message>\n  </Error>\n"
            "  <RequestId>00000000-fake-0000-0000-000000000000</RequestId>\n</ErrorResponse>\n"
        )
        return Answer(status, body.encode(), "text/xml")

    return reply


def _identity(arn: str) -> Reply:
    def reply(ask: Ask) -> Answer:
        if _region(ask).startswith("us-gov-") is not (_SHAPE.scenario(ask.credential) == "gov"):
            return _unknown_id(ask)
        body = (
            '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <GetCallerIdentityResult>\n'
            f"    <Arn>{arn}</Arn>\n    <UserId>AIDAFAKEFAKEFAKEFAKE</UserId>\n    <Account>{_ACCOUNT}</Account>\n"
            "  </GetCallerIdentityResult>\n  <ResponseMetadata>\n"
            "    <RequestId>00000000-fake-0000-0000-000000000000</RequestId>\n  </ResponseMetadata>\n"
            "</GetCallerIdentityResponse>\n"
        )
        return Answer(200, body.encode(), "text/xml")

    return reply


_unknown_id: Final = _sts_error(403, "InvalidClientTokenId", _INVALID_TOKEN)
_user: Final = _identity(f"arn:aws:iam::{_ACCOUNT}:user/fake")


# A region of Bedrock: JSON, with the code in a header.


def _error(status: int, code: str, message: str) -> Reply:
    """An error of Bedrock; ``{whole}`` in ``message`` is the Authorization header."""

    def reply(ask: Ask) -> Answer:
        said = message.replace("{whole}", ask.request.header("authorization"))
        return json_answer(status, {"message": said}, {"x-amzn-errortype": f"{code}:http://internal.amazon.com/fake/"})

    return reply


_unrecognized: Final = _error(403, "UnrecognizedClientException", _INVALID_TOKEN)


def _list(count: int) -> Answer:
    rows = [
        {
            "modelArn": f"arn:aws:bedrock:us-east-1::foundation-model/example.model-{number}-v1:0",
            "modelId": f"example.model-{number}-v1:0",
            "modelName": f"Model {number}",
            "providerName": "Example",
            "inputModalities": ["TEXT"],
            "outputModalities": ["TEXT"],
            "responseStreamingSupported": True,
            "inferenceTypesSupported": ["ON_DEMAND"],
            "modelLifecycle": {"status": "ACTIVE"},
        }
        for number in range(count)
    ]
    return json_answer(200, {"modelSummaries": rows})


def _models(ask: Ask) -> Answer:
    opted_in = _SHAPE.scenario(ask.credential) == "optedin"
    return _list(3) if opted_in or not _OPT_IN.fullmatch(_region(ask)) else _unrecognized(ask)


def _many_models(_ask: Ask) -> Answer:
    return _list(500)


# What both say before anything else: whose signature it is, how old, and whether it is right.


def _objection(ask: Ask, service: str) -> tuple[str, str]:
    """What is wrong with a request's signature: a kind and its words; empty ones when nothing is."""
    signed = Signed.read(ask.request)
    if not ask.request.header("authorization"):
        return "missing", "Request is missing Authentication Token"
    if signed is None:
        return "incomplete", "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters."
    if not _SHAPE.scenario(signed.key_id):
        return "unknown", _INVALID_TOKEN
    late = signed.lateness(ask.request, datetime.now(UTC))
    if late:
        return "mismatch", late
    if (signed.service, signed.region) != (service, _region(ask)):
        return "mismatch", f"Credential should be scoped to a valid region and to the service {service}."
    right = signed.is_right(ask.request, _SHAPE.secret_of(signed.key_id))
    return ("", "") if right else ("mismatch", _MISMATCH)


def _refuse_at_sts(ask: Ask) -> Answer | None:
    kind, words = _objection(ask, "sts")
    if not kind and ask.request.method == "POST" and ask.request.body != _CALL:
        kind, words = "action", "The action or operation requested is invalid."
    codes = {
        "missing": (403, "MissingAuthenticationToken"),
        "incomplete": (400, "IncompleteSignature"),
        "unknown": (403, "InvalidClientTokenId"),
        "mismatch": (403, "SignatureDoesNotMatch"),
        "action": (400, "InvalidAction"),
    }
    return _sts_error(*codes[kind], words)(ask) if kind else None


def _refuse_in_a_region(ask: Ask) -> Answer | None:
    kind, words = _objection(ask, "bedrock")
    codes = {
        "missing": (403, "MissingAuthenticationTokenException"),
        "incomplete": (400, "IncompleteSignatureException"),
        "unknown": (403, "UnrecognizedClientException"),
        "mismatch": (403, "InvalidSignatureException"),
    }
    return _error(*codes[kind], words)(ask) if kind else None


def _first_time(trouble: Reply, then: Reply) -> Reply:
    return lambda ask: trouble(ask) if ask.nth == 1 else then(ask)


def _edge(_ask: Ask) -> Headers:
    return (("x-amzn-requestid", "00000000-fake-0000-0000-000000000000"), ("server", "fake"))


_mismatch: Final = _sts_error(403, "SignatureDoesNotMatch", _MISMATCH)
_invalid_signature: Final = _error(403, "InvalidSignatureException", _MISMATCH)

_KNOWN = (
    Scenario("good", "valid", "key accepted"),
    Scenario(
        "optedin",
        "valid",
        "key accepted in a region that the account opted in to",
        destination={"region": "eu-south-1"},
    ),
    Scenario(
        "global", "valid", "key accepted, for the row that stands for every region", destination={"region": "global"}
    ),
    Scenario("gov", "valid", "key of GovCloud accepted there", destination={"region": "us-gov-west-1"}),
    Scenario("longlist", "valid", "key accepted; five hundred models", _many_models, _AT_REGION),
    Scenario(
        "root", "valid", "key accepted; it is the root user's", _identity(f"arn:aws:iam::{_ACCOUNT}:root"), _AT_STS
    ),
    Scenario(
        "stsdenied",
        "valid",
        "key accepted; a policy around it denies even GetCallerIdentity",
        _sts_error(403, "AccessDenied", "User is not authorized with an explicit deny in a service control policy"),
        _AT_STS,
    ),
    Scenario(
        "mismatchonce",
        "valid",
        "key accepted; a wrong secret was tried just before",
        _first_time(_mismatch, _user),
        _AT_STS,
    ),
    Scenario(
        "thenmismatchonce",
        "valid",
        "key accepted; a wrong secret was tried just before",
        _first_time(_invalid_signature, _models),
        _AT_REGION,
    ),
)

_UNKNOWN = (
    Scenario("wrong", "invalid", "unknown, deleted or inactive access key id", _unknown_id, _AT_STS),
    Scenario("mistyped", "invalid", "the secret is not that of the id", _mismatch, _AT_STS),
    Scenario(
        "thenmismatch", "invalid", "the secret is not that of the id, says the region", _invalid_signature, _AT_REGION
    ),
    Scenario(
        "echo",
        "invalid",
        "wrong key, its request echoed",
        _sts_error(403, "InvalidClientTokenId", "Bad: {whole}"),
        _AT_STS,
    ),
    Scenario(
        "commercial",
        "invalid",
        "a key of no GovCloud account, used there",
        _unknown_id,
        _AT_STS,
        {"region": "us-gov-east-1"},
    ),
    Scenario(
        "expired", "invalid", "expired", _sts_error(403, "ExpiredToken", "The security token is expired"), _AT_STS
    ),
    Scenario(
        "expired400",
        "invalid",
        "expired",
        _sts_error(400, "ExpiredTokenException", "The security token is expired"),
        _AT_STS,
    ),
    Scenario(
        "thenexpired",
        "invalid",
        "expired, says the region",
        _error(403, "ExpiredTokenException", "The security token included in the request is expired"),
        _AT_REGION,
    ),
)

_SUBSCRIBE: Final = "The AWS Access Key Id needs a subscription for the service"
_BLOCKED = (
    Scenario(
        "optin",
        "forbidden",
        "the account has not opted in to the region",
        _unrecognized,
        _AT_REGION,
        {"region": "eu-south-1"},
    ),
    Scenario(
        "regiondisabled",
        "forbidden",
        "STS is not active in the region",
        _sts_error(403, "RegionDisabledException", "STS is not activated in this region for account:123456789012."),
        _AT_STS,
    ),
    Scenario(
        "subscription",
        "forbidden",
        "the account is not signed up",
        _error(403, "SubscriptionRequiredException", _SUBSCRIBE),
        _AT_REGION,
    ),
    Scenario(
        "optinrequired",
        "forbidden",
        "the account is not signed up",
        _error(403, "OptInRequired", _SUBSCRIBE),
        _AT_REGION,
    ),
    Scenario(
        "optinrequired400",
        "forbidden",
        "the account is not signed up",
        _sts_error(400, "OptInRequired", _SUBSCRIBE),
        _AT_STS,
    ),
)

_LIMITED = (
    Scenario(
        "nolist",
        "limited",
        "may not list models",
        _error(403, "AccessDeniedException", _DENIED.format(why="no identity-based policy allows the action")),
        _AT_REGION,
    ),
    Scenario(
        "nolist400",
        "limited",
        "may not list models",
        _error(400, "AccessDeniedException", _DENIED.format(why="no identity-based policy allows the action")),
        _AT_REGION,
    ),
    Scenario(
        "policy",
        "limited",
        "a policy of the organization denies the region",
        _error(403, "AccessDeniedException", _DENIED.format(why="with an explicit deny in a service control policy")),
        _AT_REGION,
    ),
    Scenario("ftu", "limited", "use case form missing", _error(404, "FTUFormNotFilled", "Form not filled"), _AT_REGION),
    Scenario(
        "usecase",
        "limited",
        "use case form missing",
        _error(404, "ResourceNotFoundException", "Model use case details have not been submitted for this account."),
        _AT_REGION,
    ),
    Scenario(
        "agreement",
        "limited",
        "agreement still being made",
        _error(403, "MPAgreementBeingCreated", "Try again later"),
        _AT_REGION,
    ),
    Scenario("throttled", "limited", "throttled", _error(429, "ThrottlingException", "Too many requests"), _AT_REGION),
    Scenario("throttledsts", "limited", "throttled", _sts_error(400, "Throttling", "Rate exceeded"), _AT_STS),
    Scenario(
        "toomany", "limited", "throttled", _error(429, "TooManyRequestsException", "Too many requests"), _AT_REGION
    ),
    Scenario(
        "quota",
        "limited",
        "quota reached",
        _error(400, "ServiceQuotaExceededException", "Your account's quota is reached"),
        _AT_REGION,
    ),
)

_TROUBLED = (
    Scenario(
        "late", "unreachable", "this server's clock is behind", _sts_error(403, "SignatureDoesNotMatch", _LATE), _AT_STS
    ),
    Scenario(
        "early",
        "unreachable",
        "this server's clock is ahead",
        _sts_error(403, "SignatureDoesNotMatch", _EARLY),
        _AT_STS,
    ),
    Scenario(
        "thenlate",
        "unreachable",
        "this server's clock is behind",
        _error(403, "InvalidSignatureException", _LATE),
        _AT_REGION,
    ),
    Scenario(
        "requestexpired",
        "unreachable",
        "this server's clock is behind",
        _sts_error(400, "RequestExpired", "Request has expired"),
        _AT_STS,
    ),
    Scenario(
        "nokey",
        "unreachable",
        "AWS saw no key",
        _sts_error(403, "MissingAuthenticationToken", "Missing token"),
        _AT_STS,
    ),
    Scenario(
        "incomplete",
        "unreachable",
        "AWS saw half a signature",
        _sts_error(400, "IncompleteSignature", "Incomplete"),
        _AT_STS,
    ),
    Scenario(
        "validation",
        "unreachable",
        "not asked like that",
        _error(400, "ValidationException", "On-demand isn't supported"),
        _AT_REGION,
    ),
    Scenario(
        "notready", "unreachable", "model not ready", _error(429, "ModelNotReadyException", "Not ready"), _AT_REGION
    ),
    Scenario(
        "modeltimeout", "unreachable", "model too slow", _error(408, "ModelTimeoutException", "Timed out"), _AT_REGION
    ),
    Scenario(
        "modelerror", "unreachable", "model failed", _error(424, "ModelErrorException", "Model error"), _AT_REGION
    ),
    Scenario(
        "error500", "unreachable", "server trouble", _error(500, "InternalServerException", "Internal"), _AT_REGION
    ),
    Scenario(
        "error503",
        "unreachable",
        "server trouble",
        _error(503, "ServiceUnavailableException", "Unavailable"),
        _AT_REGION,
    ),
    Scenario("sts500", "unreachable", "server trouble", _sts_error(500, "InternalFailure", "Internal"), _AT_STS),
    Scenario(
        "odd403",
        "unreachable",
        "an answer nobody documented",
        _error(403, "BrandNewException", "Something new."),
        _AT_REGION,
    ),
)

_SCENARIOS: Final = (*_KNOWN, *_UNKNOWN, *_BLOCKED, *_LIMITED, *_TROUBLED)
_FAMILIES: Final = (
    *(row.name for row in hostile.ROWS),
    *("gate", "gateone", "gatetwo", "slow1", "slow3"),
    *(f"status{code}" for code in range(400, 505)),
)
_STAGES: Final = ("", _THEN)
_SHAPE: Final = AccessKeyShape(
    (*(scenario.name for scenario in _SCENARIOS), *(stage + name for stage in _STAGES for name in _FAMILIES)),
    mistyped=("mistyped",),
)
_STAGED: Final = frozenset(_THEN + name for name in _FAMILIES)


def _at_sts(scenario: str) -> str:
    return "good" if scenario in _STAGED else scenario


def _in_a_region(scenario: str) -> str:
    return scenario.removeprefix(_THEN) if scenario in _STAGED else scenario


PROVIDER = Provider(
    slug="bedrock",
    shape=_SHAPE,
    services=(
        Service(
            name="aws_sts",
            host=r"sts\.(us-east-1|us-gov-(east|west)-1)\.amazonaws\.com",
            auth_header="authorization",
            read_credential=_key_id,
            refuse=_refuse_at_sts,
            not_found=_sts_error(404, "NotFound", "Not found"),
            routes=(Route(name="identity", method="POST", path="/", good=_user, accept="text/xml"),),
            edge=_edge,
            plays=_at_sts,
        ),
        Service(
            name="bedrock",
            host=r"bedrock\.[a-z]{2}(-[a-z]+)+-[0-9]+\.amazonaws\.com",
            auth_header="authorization",
            read_credential=_key_id,
            refuse=_refuse_in_a_region,
            not_found=_error(404, "UnknownOperationException", "Not found"),
            routes=(Route(name="models", method="GET", path="/foundation-models", good=_models),),
            edge=_edge,
            plays=_in_a_region,
        ),
    ),
    scenarios=_SCENARIOS,
    wrong_kinds=(
        WrongKind(prefix="ASIA", what="temporary access key id", scenario="wrong"),
        WrongKind(prefix="ABSK", what="Bedrock API key", scenario="wrong"),
    ),
    stages=_STAGES,
    destination=_HOME,
)
