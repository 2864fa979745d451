"""AWS's manners: errors of STS (XML) and of a Bedrock region (JSON), and the signature that both verify first."""

import re
from datetime import UTC, datetime
from html import escape
from typing import Final

from tests.fakeproviders.access_keys import AccessKeyShape
from tests.fakeproviders.model import Ask, Reply
from tests.fakeproviders.sigv4 import Signed
from tests.fakeproviders.wire import Answer, Headers, Request, json_answer

INVALID_TOKEN: Final = "The security token included in the request is invalid."
MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and "
    "signing method. Consult the service documentation for details."
)
_CALL: Final = b"Action=GetCallerIdentity&Version=2011-06-15"


def key_id(request: Request) -> str:
    found = re.search(r"Credential=([A-Za-z0-9]+)/", request.header("authorization"))
    return found[1] if found else ""


def region_of(ask: Ask) -> str:
    return ask.request.header("host").partition(".")[2].partition(".")[0]


def sts_error(status: int, code: str, message: str) -> Reply:
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


def region_error(status: int, code: str, message: str) -> Reply:
    """An error of Bedrock; ``{whole}`` in ``message`` is the Authorization header."""

    def reply(ask: Ask) -> Answer:
        said = message.replace("{whole}", ask.request.header("authorization"))
        return json_answer(status, {"message": said}, {"x-amzn-errortype": f"{code}:http://internal.amazon.com/fake/"})

    return reply


def model_list(count: int) -> Answer:
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


def edge(_ask: Ask) -> Headers:
    return (("x-amzn-requestid", "00000000-fake-0000-0000-000000000000"), ("server", "fake"))


# What both say before anything else: whose signature it is, how old, and whether it is right.


def _objection(ask: Ask, service: str, shape: AccessKeyShape) -> tuple[str, str]:
    """What is wrong with a request's signature: a kind and its words; empty ones when nothing is."""
    signed = Signed.read(ask.request)
    if not ask.request.header("authorization"):
        return "missing", "Request is missing Authentication Token"
    if signed is None:
        return "incomplete", "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters."
    if not shape.scenario(signed.key_id):
        return "unknown", INVALID_TOKEN
    late = signed.lateness(ask.request, datetime.now(UTC))
    if late:
        return "mismatch", late
    if (signed.service, signed.region) != (service, region_of(ask)):
        return "mismatch", f"Credential should be scoped to a valid region and to the service {service}."
    right = signed.is_right(ask.request, shape.secret_of(signed.key_id))
    return ("", "") if right else ("mismatch", MISMATCH)


def refuse_at_sts(ask: Ask, shape: AccessKeyShape) -> Answer | None:
    kind, words = _objection(ask, "sts", shape)
    if not kind and ask.request.method == "POST" and ask.request.body != _CALL:
        kind, words = "action", "The action or operation requested is invalid."
    codes = {
        "missing": (403, "MissingAuthenticationToken"),
        "incomplete": (400, "IncompleteSignature"),
        "unknown": (403, "InvalidClientTokenId"),
        "mismatch": (403, "SignatureDoesNotMatch"),
        "action": (400, "InvalidAction"),
    }
    return sts_error(*codes[kind], words)(ask) if kind else None


def refuse_in_a_region(ask: Ask, shape: AccessKeyShape) -> Answer | None:
    kind, words = _objection(ask, "bedrock", shape)
    codes = {
        "missing": (403, "MissingAuthenticationTokenException"),
        "incomplete": (400, "IncompleteSignatureException"),
        "unknown": (403, "UnrecognizedClientException"),
        "mismatch": (403, "InvalidSignatureException"),
    }
    return region_error(*codes[kind], words)(ask) if kind else None
