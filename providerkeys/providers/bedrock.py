"""AWS Bedrock: access keys of IAM users, one a region. STS says whether AWS knows a key, the region whether Bedrock does.

Both requests are free. STS is asked once about each key, however many regions it is used in.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from django.conf import settings

from providerkeys.providers import aws_requests
from providerkeys.providers.aws_access_key import AccessKey
from providerkeys.providers.aws_regions import CHOICES, GLOBAL, REGIONS, identity_region
from providerkeys.providers.base import (
    Answer,
    Check,
    Credential,
    CredentialKind,
    Endpoint,
    Provider,
    Request,
    Rule,
    Send,
    Unreachable,
    undocumented,
)
from providerkeys.providers.bedrock_reasons import BILLING, CONTROL_RULES, IDENTITY_RULES, KEYS, REASONS
from providerkeys.providers.verdicts import Reason

_KNOWN: Final = "known"
_ROOT: Final = "known_root"


@dataclass(frozen=True, kw_only=True)
class _Bedrock(Provider):
    credential: CredentialKind = CredentialKind.IAM_REGIONS
    regions: tuple[str, ...] = CHOICES

    def begin(self) -> Check:
        """One attempt at a check: what STS says of a key is asked once in it and holds for all rows."""
        return _Attempt().check

    def check(self, credential: Credential, send: Send) -> str:
        """See ``Provider.check``."""
        return self.begin()(credential, send)

    def hint(self, credential: Credential) -> str:
        """Of the access key id, never of the secret."""
        key = AccessKey.read(credential.secret)
        return key.hint if key else "••••"

    def reason(self, code: str) -> Reason:
        """A row for ``global`` is tested in a region that stands for it, and its sentence says in which."""
        plain, _, place = code.partition("@")
        reason = super().reason(plain)
        return replace(reason, sentence=f"{reason.sentence} Tested in {place}.") if place else reason


@dataclass
class _Identity:
    """What STS says of one key; the first of its rows asks, the others wait for the answer."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    reason: str = ""


@dataclass(frozen=True)
class _Attempt:
    _identities: dict[tuple[AccessKey, str], _Identity] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def check(self, credential: Credential, send: Send) -> str:
        region = credential.destination.get("region", "")
        if region != GLOBAL:
            return self._check_in(region, credential, send)
        place = settings.BEDROCK_GLOBAL_REGION
        try:
            return f"{self._check_in(place, credential, send)}@{place}"
        except Unreachable as unreachable:
            return f"{unreachable.reason}@{place}"

    def _check_in(self, region: str, credential: Credential, send: Send) -> str:
        key = AccessKey.read(credential.secret)
        if key is None or region not in REGIONS:
            # Saved by a version with other rules. What can't be trusted is not sent.
            return "unreadable"
        identity = self._identity(key, region, send)
        if identity not in {_KNOWN, _ROOT}:
            return identity
        reason = _ask(lambda: aws_requests.list_models(key, region), send, CONTROL_RULES, _listed)
        return "accepted_root" if (identity, reason) == (_ROOT, "accepted") else reason

    def _identity(self, key: AccessKey, region: str, send: Send) -> str:
        with self._guard:
            identity = self._identities.setdefault((key, identity_region(region)), _Identity())
        with identity.turn:
            identity.reason = identity.reason or _ask_identity(key, region, send)
        return identity.reason


def _ask_identity(key: AccessKey, region: str, send: Send) -> str:
    try:
        return _ask(lambda: aws_requests.who_am_i(key, region), send, IDENTITY_RULES, _recognized)
    except Unreachable as unreachable:
        # Kept as an answer: a network that is down need not be waited for by each row.
        return unreachable.reason


def _ask(request: Callable[[], Request], send: Send, rules: Sequence[Rule], success: Callable[[Answer], str]) -> str:
    """Send a request and name its answer. AWS may refuse the right secret right after a wrong one, so it is asked again."""
    reason = _reason(send(request()), rules, success)
    return _reason(send(request()), rules, success) if reason == "secret_mismatch" else reason


def _reason(answer: Answer, rules: Sequence[Rule], success: Callable[[Answer], str]) -> str:
    if answer.status == 200:
        return success(answer)
    error = aws_requests.error_of(answer)
    documented = (rule.reason for rule in rules if rule.matches(answer.status, error))
    return next(documented, None) or undocumented(answer.status)


def _recognized(answer: Answer) -> str:
    arn = aws_requests.caller(answer)
    if not arn:
        return "unexpected"
    return _ROOT if arn.endswith(":root") else _KNOWN


def _listed(answer: Answer) -> str:
    return "accepted" if isinstance(aws_requests.models(answer), list) else "unexpected"


PROVIDER = _Bedrock(
    slug="bedrock",
    label="AWS Bedrock",
    order=80,
    endpoints=(
        *aws_requests.IDENTITY.values(),
        *aws_requests.CONTROL.values(),
        *(Endpoint("bedrock_runtime", f"bedrock-runtime.{region}.amazonaws.com") for region in REGIONS),
    ),
    keys_url=KEYS.url,
    billing_url=BILLING.url,
    docs_url="https://docs.aws.amazon.com/bedrock/latest/userguide/getting-started.html",
    reasons=REASONS,
    name_suggestion="Bedrock shared",
)
