"""AWS's side of Signature Version 4: says what is wrong with a signed request, by botocore's own signer."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.fakeproviders.wire import Request

SKEW: Final = timedelta(seconds=300)
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>[A-Za-z0-9]+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)"
    r"/aws4_request, SignedHeaders=(?P<headers>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Signed:
    """What the Authorization header says."""

    key_id: str
    date: str
    region: str
    service: str
    headers: tuple[str, ...]
    signature: str

    @classmethod
    def read(cls, request: Request) -> "Signed | None":
        """``None`` when there is no such header, or it is not signed with version 4."""
        found = _AUTHORIZATION.fullmatch(request.header("authorization"))
        if not found:
            return None
        headers = tuple(found["headers"].split(";"))
        return cls(found["id"], found["date"], found["region"], found["service"], headers, found["signature"])

    def lateness(self, request: Request, now: datetime) -> str:
        """What AWS says of a signature that is too old or from the future; empty when it is neither."""
        stamp = request.header("x-amz-date")
        signed_at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
        if signed_at < now - SKEW:
            return f"Signature expired: {stamp} is now earlier than {now - SKEW:{_STAMP}} ({now:{_STAMP}} - 5 min.)"
        if signed_at > now + SKEW:
            return f"Signature not yet current: {stamp} is still later than {now + SKEW:{_STAMP}} ({now:{_STAMP}} + 5 min.)"
        return ""

    def is_right(self, request: Request, secret: str) -> bool:
        """Whether this signature is what ``secret`` gives for the request as it arrived, its ``Host`` included."""
        if not {"host", "x-amz-date"} <= set(self.headers):
            return False
        signed = {name: ",".join(request.all(name)) for name in self.headers}
        rebuilt = AWSRequest(
            request.method, f"https://{signed['host']}{request.target}", headers=signed, data=request.body
        )
        rebuilt.context["timestamp"] = request.header("x-amz-date")
        signer = SigV4Auth(Credentials(self.key_id, secret), self.service, self.region)
        to_sign = signer.string_to_sign(rebuilt, signer.canonical_request(rebuilt))
        return bool(signer.signature(to_sign, rebuilt) == self.signature)
