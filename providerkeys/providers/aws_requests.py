"""Requests to AWS, signed by botocore's own signer and carried by the one door.

A client of the SDK is never made. It would take keys, profiles, endpoints and bearer tokens from the host's environment
wherever ours are blank, and costs 20 ms and a session's memory for each credential (measured: 40 rows took 200 MiB); the
signer knows nothing but what it is given.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from providerkeys.providers.aws_access_key import AccessKey
from providerkeys.providers.aws_regions import REGIONS, identity_region
from providerkeys.providers.base import Answer, Endpoint, ErrorParts, Request

IDENTITY: Final = {
    region: Endpoint("aws_sts", f"sts.{region}.amazonaws.com") for region in map(identity_region, REGIONS)
}
CONTROL: Final = {region: Endpoint("bedrock", f"bedrock.{region}.amazonaws.com") for region in REGIONS}
"""Where the models of each region are listed."""

_FORM: Final = "application/x-www-form-urlencoded; charset=utf-8"
_CALLER: Final = re.compile(
    rb"<GetCallerIdentityResponse[\s>].*<Arn>(arn:[\x21-\x3b\x3d-\x7e]+)</Arn>.*</GetCallerIdentityResponse>\s*\Z",
    re.DOTALL,
)
_CODE: Final = re.compile(rb"<Code>([A-Za-z.]{1,80})</Code>")
_MESSAGE: Final = re.compile(rb"<Message>([^<]{0,2000})</Message>")


def who_am_i(key: AccessKey, region: str) -> Request:
    """``sts:GetCallerIdentity``, which no policy can deny, for a row of ``region``."""
    place = identity_region(region)
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    unsigned = {"Content-Type": _FORM, "Accept": "text/xml"}
    return _signed(key, "sts", place, Request(IDENTITY[place], "/", unsigned, "POST", body))


def list_models(key: AccessKey, region: str) -> Request:
    """``bedrock:ListFoundationModels`` in ``region``."""
    return _signed(
        key, "bedrock", region, Request(CONTROL[region], "/foundation-models", {"Accept": "application/json"})
    )


def _signed(key: AccessKey, service: str, region: str, request: Request) -> Request:
    # The signature is over the provider's own host, wherever the connection goes.
    url = f"https://{request.endpoint.host}{request.path}"
    draft = AWSRequest(request.method, url, headers=dict(request.headers), data=request.body)
    SigV4Auth(Credentials(key.id, key.secret), service, region).add_auth(draft)
    return Request(request.endpoint, request.path, dict(draft.headers.items()), request.method, request.body)


def caller(answer: Answer) -> str:
    """The ARN of the identity that ``who_am_i`` was answered with; empty when the answer is none or not STS's own."""
    found = _CALLER.search(answer.body) if answer.media_type in _XML else None
    return found[1].decode() if found else ""


def models(answer: Answer) -> Any:
    """What ``list_models`` was answered with: a list, when the answer is Bedrock's own."""
    return answer.json_object.get("modelSummaries")


def error_of(answer: Answer) -> ErrorParts:
    """Code and message of an error of STS (XML) or Bedrock (JSON, its code in a header)."""
    if answer.media_type in _XML:
        return ErrorParts(code=_element(_CODE, answer.body), message=_element(_MESSAGE, answer.body))
    said = answer.json_object
    code = answer.headers.get("x-amzn-errortype") or _text(said, "__type") or _text(said, "code")
    return ErrorParts(
        code=code.partition(":")[0].rpartition("#")[2], message=_text(said, "message") or _text(said, "Message")
    )


def _element(pattern: re.Pattern[bytes], body: bytes) -> str:
    found = pattern.search(body)
    return found[1].decode("utf-8", "replace") if found else ""


_XML: Final = ("text/xml", "application/xml")


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""
