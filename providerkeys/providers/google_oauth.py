"""An access token for a service account: google-auth signs, the door carries, and nobody else is asked.

google-auth is handed one key, one address and a transport of ours, so neither environment variables nor a metadata
server can speak for this host. It never sees an answer that is no token: it would ask three times at a 5xx, and put
whatever was said into the text of its exceptions.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from google.auth import crypt
from google.oauth2 import service_account as google

from providerkeys.providers import rsa_pem
from providerkeys.providers.base import Answer, Endpoint, ErrorParts, Request, Rule, Send, Unreachable, undocumented
from providerkeys.providers.service_account import TOKEN_URI, ServiceAccount

TOKEN_SECONDS: Final = 3600 - 600
"""For how long a token may be used: it lasts for an hour, and one that is about to end would fail a long request."""

ENDPOINT: Final = Endpoint("google_oauth", "oauth2.googleapis.com")

_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_SENDABLE: Final = r"[\x21-\x7e]{1,8192}"
# The order matters: a signature made by a wrong clock is an invalid_grant too, and no fault of the key.
_RULES: Final = (
    Rule(status=(400,), code="invalid_grant", says=("reasonable timeframe", "short-lived token"), reason="clock"),
    Rule(status=(400,), code="invalid_grant", says=("Invalid JWT Signature",), reason="key_deleted"),
    Rule(
        status=(400,),
        code="invalid_grant",
        says=("account not found", "Invalid email or User ID"),
        reason="account_deleted",
    ),
    Rule(status=(400,), code="invalid_grant", reason="not_recognised"),
    Rule(status=(400, 401), code="disabled_client", reason="account_disabled"),
    Rule(status=(400, 401), code="unauthorized_client", reason="policy"),
    Rule(status=(429,), reason="tokens_limited"),
)


class NoToken(Exception):
    """Google gave no token. ``reason`` is a code of the provider's; there is no other content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def access_token(account: ServiceAccount, send: Send) -> str:
    """Exchange a signed assertion for an access token. Raises ``NoToken``, and ``Unreachable`` as ``send`` does."""
    carrier = _Carrier(send)
    signer = crypt.RSASigner(rsa_pem.load("private_key", account.private_key), account.private_key_id)  # type: ignore[no-untyped-call]
    google.Credentials(signer, account.client_email, TOKEN_URI, scopes=[_SCOPE]).refresh(carrier)  # type: ignore[no-untyped-call]
    # Google's answer, not what the library holds: a token that it made by itself would prove nothing.
    return carrier.token


@dataclass(slots=True)
class _Carrier:
    """The transport that google-auth is given: takes its one request through the door."""

    send: Send
    token: str = field(default="", repr=False)

    def __call__(
        self, url: str, method: str = "GET", body: bytes = b"", headers: Mapping[str, str] | None = None, **_: Any
    ) -> "_Response":
        if (method, url) != ("POST", TOKEN_URI):
            raise Unreachable("unexpected")
        answer = self.send(Request(ENDPOINT, "/token", dict(headers or {}), "POST", body))
        self.token = _token_in(answer)
        return _Response(json.dumps({"access_token": self.token}).encode())


@dataclass(frozen=True, slots=True)
class _Response:
    """What google-auth reads of a token: put together anew."""

    data: bytes = field(repr=False)
    status: int = HTTPStatus.OK


def _token_in(answer: Answer) -> str:
    if answer.status != HTTPStatus.OK:
        raise NoToken(_reason(answer))
    document = answer.json_object
    token = document.get("access_token")
    if "error" in document or not isinstance(token, str) or not re.fullmatch(_SENDABLE, token):
        raise NoToken("unexpected")
    return token


def _reason(answer: Answer) -> str:
    document = answer.document
    # Only Google's own form of an error is its word: a proxy's page must not condemn a key.
    if not isinstance(document, dict) or not isinstance(document.get("error"), str):
        return undocumented(answer.status)
    said = document.get("error_description")
    error = ErrorParts(code=document["error"], message=said if isinstance(said, str) else "")
    known = (rule.reason for rule in _RULES if rule.matches(answer.status, error))
    return next(known, undocumented(answer.status))
