"""AWS Bedrock, as ``provider-contracts.md`` §2 documents it: STS and the regions, both of which verify every signature."""

import re
from typing import Final

from tests.fakeproviders import hostile
from tests.fakeproviders.access_keys import AccessKeyShape
from tests.fakeproviders.aws import (
    INVALID_TOKEN,
    MISMATCH,
    edge,
    key_id,
    model_list,
    refuse_at_sts,
    refuse_in_a_region,
    region_error,
    region_of,
    sts_error,
)
from tests.fakeproviders.model import Ask, Provider, Reply, Route, Scenario, Service, WrongKind
from tests.fakeproviders.wire import Answer

_AT_STS: Final = frozenset({"identity"})
_AT_REGION: Final = frozenset({"models"})
_THEN: Final = "then"
_HOME: Final = {"region": "us-east-1"}
_ACCOUNT: Final = "123456789012"
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


# STS: XML.


def _identity(arn: str) -> Reply:
    def reply(ask: Ask) -> Answer:
        if region_of(ask).startswith("us-gov-") is not (_SHAPE.scenario(ask.credential) == "gov"):
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


_unknown_id: Final = sts_error(403, "InvalidClientTokenId", INVALID_TOKEN)
_user: Final = _identity(f"arn:aws:iam::{_ACCOUNT}:user/fake")


# A region of Bedrock: JSON, with the code in a header.


_unrecognized: Final = region_error(403, "UnrecognizedClientException", INVALID_TOKEN)


def _models(ask: Ask) -> Answer:
    opted_in = _SHAPE.scenario(ask.credential) == "optedin"
    return model_list(3) if opted_in or not _OPT_IN.fullmatch(region_of(ask)) else _unrecognized(ask)


def _many_models(_ask: Ask) -> Answer:
    return model_list(500)


def _first_time(trouble: Reply, then: Reply) -> Reply:
    return lambda ask: trouble(ask) if ask.nth == 1 else then(ask)


_mismatch: Final = sts_error(403, "SignatureDoesNotMatch", MISMATCH)
_invalid_signature: Final = region_error(403, "InvalidSignatureException", MISMATCH)

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
        sts_error(403, "AccessDenied", "User is not authorized with an explicit deny in a service control policy"),
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
        sts_error(403, "InvalidClientTokenId", "Bad: {whole}"),
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
    Scenario("expired", "invalid", "expired", sts_error(403, "ExpiredToken", "The security token is expired"), _AT_STS),
    Scenario(
        "expired400",
        "invalid",
        "expired",
        sts_error(400, "ExpiredTokenException", "The security token is expired"),
        _AT_STS,
    ),
    Scenario(
        "thenexpired",
        "invalid",
        "expired, says the region",
        region_error(403, "ExpiredTokenException", "The security token included in the request is expired"),
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
        sts_error(403, "RegionDisabledException", "STS is not activated in this region for account:123456789012."),
        _AT_STS,
    ),
    Scenario(
        "subscription",
        "forbidden",
        "the account is not signed up",
        region_error(403, "SubscriptionRequiredException", _SUBSCRIBE),
        _AT_REGION,
    ),
    Scenario(
        "optinrequired",
        "forbidden",
        "the account is not signed up",
        region_error(403, "OptInRequired", _SUBSCRIBE),
        _AT_REGION,
    ),
    Scenario(
        "optinrequired400",
        "forbidden",
        "the account is not signed up",
        sts_error(400, "OptInRequired", _SUBSCRIBE),
        _AT_STS,
    ),
)

_LIMITED = (
    Scenario(
        "nolist",
        "limited",
        "may not list models",
        region_error(403, "AccessDeniedException", _DENIED.format(why="no identity-based policy allows the action")),
        _AT_REGION,
    ),
    Scenario(
        "nolist400",
        "limited",
        "may not list models",
        region_error(400, "AccessDeniedException", _DENIED.format(why="no identity-based policy allows the action")),
        _AT_REGION,
    ),
    Scenario(
        "policy",
        "limited",
        "a policy of the organization denies the region",
        region_error(
            403, "AccessDeniedException", _DENIED.format(why="with an explicit deny in a service control policy")
        ),
        _AT_REGION,
    ),
    Scenario(
        "ftu", "limited", "use case form missing", region_error(404, "FTUFormNotFilled", "Form not filled"), _AT_REGION
    ),
    Scenario(
        "usecase",
        "limited",
        "use case form missing",
        region_error(
            404, "ResourceNotFoundException", "Model use case details have not been submitted for this account."
        ),
        _AT_REGION,
    ),
    Scenario(
        "agreement",
        "limited",
        "agreement still being made",
        region_error(403, "MPAgreementBeingCreated", "Try again later"),
        _AT_REGION,
    ),
    Scenario(
        "throttled", "limited", "throttled", region_error(429, "ThrottlingException", "Too many requests"), _AT_REGION
    ),
    Scenario("throttledsts", "limited", "throttled", sts_error(400, "Throttling", "Rate exceeded"), _AT_STS),
    Scenario(
        "toomany",
        "limited",
        "throttled",
        region_error(429, "TooManyRequestsException", "Too many requests"),
        _AT_REGION,
    ),
    Scenario(
        "quota",
        "limited",
        "quota reached",
        region_error(400, "ServiceQuotaExceededException", "Your account's quota is reached"),
        _AT_REGION,
    ),
)

_TROUBLED = (
    Scenario(
        "late", "unreachable", "this server's clock is behind", sts_error(403, "SignatureDoesNotMatch", _LATE), _AT_STS
    ),
    Scenario(
        "early",
        "unreachable",
        "this server's clock is ahead",
        sts_error(403, "SignatureDoesNotMatch", _EARLY),
        _AT_STS,
    ),
    Scenario(
        "thenlate",
        "unreachable",
        "this server's clock is behind",
        region_error(403, "InvalidSignatureException", _LATE),
        _AT_REGION,
    ),
    Scenario(
        "requestexpired",
        "unreachable",
        "this server's clock is behind",
        sts_error(400, "RequestExpired", "Request has expired"),
        _AT_STS,
    ),
    Scenario(
        "nokey",
        "unreachable",
        "AWS saw no key",
        sts_error(403, "MissingAuthenticationToken", "Missing token"),
        _AT_STS,
    ),
    Scenario(
        "incomplete",
        "unreachable",
        "AWS saw half a signature",
        sts_error(400, "IncompleteSignature", "Incomplete"),
        _AT_STS,
    ),
    Scenario(
        "validation",
        "unreachable",
        "not asked like that",
        region_error(400, "ValidationException", "On-demand isn't supported"),
        _AT_REGION,
    ),
    Scenario(
        "notready",
        "unreachable",
        "model not ready",
        region_error(429, "ModelNotReadyException", "Not ready"),
        _AT_REGION,
    ),
    Scenario(
        "modeltimeout",
        "unreachable",
        "model too slow",
        region_error(408, "ModelTimeoutException", "Timed out"),
        _AT_REGION,
    ),
    Scenario(
        "modelerror", "unreachable", "model failed", region_error(424, "ModelErrorException", "Model error"), _AT_REGION
    ),
    Scenario(
        "error500",
        "unreachable",
        "server trouble",
        region_error(500, "InternalServerException", "Internal"),
        _AT_REGION,
    ),
    Scenario(
        "error503",
        "unreachable",
        "server trouble",
        region_error(503, "ServiceUnavailableException", "Unavailable"),
        _AT_REGION,
    ),
    Scenario("sts500", "unreachable", "server trouble", sts_error(500, "InternalFailure", "Internal"), _AT_STS),
    Scenario(
        "odd403",
        "unreachable",
        "an answer nobody documented",
        region_error(403, "BrandNewException", "Something new."),
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
            read_credential=key_id,
            refuse=lambda ask: refuse_at_sts(ask, _SHAPE),
            not_found=sts_error(404, "NotFound", "Not found"),
            routes=(Route(name="identity", method="POST", path="/", good=_user, accept="text/xml"),),
            edge=edge,
            plays=_at_sts,
        ),
        Service(
            name="bedrock",
            host=r"bedrock\.[a-z]{2}(-[a-z]+)+-[0-9]+\.amazonaws\.com",
            auth_header="authorization",
            read_credential=key_id,
            refuse=lambda ask: refuse_in_a_region(ask, _SHAPE),
            not_found=region_error(404, "UnknownOperationException", "Not found"),
            routes=(Route(name="models", method="GET", path="/foundation-models", good=_models),),
            edge=edge,
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
