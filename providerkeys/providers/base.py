"""What a provider is: a row of data, and the manners that most providers share.

A provider's file ends in a constant ``PROVIDER``. It fills in the row and overrides a method only where its manners
differ from those here.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

from providerkeys.providers.http import Answer, Endpoint, Request, Unreachable
from providerkeys.providers.inference import Api, Inference, NoWayIn, WayIn
from providerkeys.providers.verdicts import Reason, Verdict, common_reasons

_HIDDEN_CHARACTERS: Final = 20

Send = Callable[[Request], Answer]
"""Carries one request to its provider; raises ``http.Unreachable``. In production that of ``http.sender``."""


class CredentialKind(StrEnum):
    """How a credential is typed, tested and stored: decides the fields of the form."""

    API_KEY = "api_key"
    SERVICE_ACCOUNT = "service_account"
    IAM_REGIONS = "iam_regions"


@dataclass(frozen=True, slots=True)
class Credential:
    """One credential to check: the secret, and where it is used (region, location, endpoint; not secret)."""

    secret: str = field(repr=False)
    destination: Mapping[str, str] = field(default_factory=dict)


Check = Callable[[Credential, Send], str]
"""Asks a provider about one credential and returns a reason code; called by several threads at once."""


@dataclass(frozen=True, slots=True)
class WrongKind:
    """A kind of credential that can never work here, known by its ``prefix``, and what to do instead."""

    prefix: str
    what: str
    instead: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorParts:
    """The machine-readable parts of an error body, whatever its shape."""

    type: str = ""
    code: str = ""
    message: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One documented answer and the reason it stands for. Empty conditions match everything."""

    status: tuple[int, ...]
    reason: str
    type: str = ""
    code: str = ""
    code_ends: str = ""
    detail: str = ""
    says: tuple[str, ...] = ()

    def matches(self, status: int, error: ErrorParts) -> bool:
        """Whether an answer of this ``status`` and ``error`` is the documented one."""
        return (
            status in self.status
            and (not self.type or self.type == error.type)
            and (not self.code or self.code == error.code)
            and error.code.endswith(self.code_ends)
            and (not self.detail or self.detail == error.detail)
            and (not self.says or any(text.lower() in error.message.lower() for text in self.says))
        )


@dataclass(frozen=True, kw_only=True)
class Provider(ABC):
    """A row of the registry: everything that the rest of the product knows about a provider."""

    slug: str
    label: str
    order: int
    credential: CredentialKind
    endpoints: tuple[Endpoint, ...]
    keys_url: str
    billing_url: str
    docs_url: str
    reasons: Mapping[str, Reason]
    name_suggestion: str = "Production Key"
    inference: Inference = field(default_factory=Inference)
    """What the gateway may ask it for."""
    signs_in: bool = False
    """Whether the way in is asked for at the provider, so that it is worth keeping for as long as it lasts."""

    @property
    def is_routed(self) -> bool:
        """Whether the gateway takes requests to it yet. Its keys can be stored, tested and assigned all the same."""
        return bool(self.inference.paths)

    @abstractmethod
    def check(self, credential: Credential, send: Send) -> str:
        """Ask the provider about ``credential`` and return a reason code. Costs nothing at the provider."""

    def begin(self) -> "Check":
        """How the credentials of one attempt are checked: each by itself, unless they have something in common to ask."""
        return self.check

    def way_in(self, credential: Credential, send: Send) -> WayIn:
        """How ``credential`` reaches inference. Raises ``NoWayIn``, and ``Unreachable`` as ``send`` does."""
        raise NoWayIn("unexpected")

    def models_in(self, document: Any) -> list[str]:
        """The ids in its list of models: ``{"data": [{"id": …}, …]}``; none in anything else."""
        listed = document.get("data") if isinstance(document, dict) else None
        rows = (row.get("id") for row in (listed if isinstance(listed, list) else []) if isinstance(row, dict))
        return [model for model in rows if isinstance(model, str)]

    def model_id(self, asked: str) -> str:
        """The id by which this provider knows the model that a caller calls ``asked``."""
        return asked

    @abstractmethod
    def hint(self, credential: Credential) -> str:
        """The mask that stands for the credential for ever: never enough to use or guess it."""

    def reason(self, code: str) -> Reason:
        """What ``code`` means. A code that this version doesn't know is an unexpected answer."""
        known = {**common_reasons(self.label), **self.reasons}
        return known.get(code) or known["unexpected"]

    def verdict(self, code: str) -> Verdict:
        """The verdict that ``code`` stands for."""
        return self.reason(code).verdict


@dataclass(frozen=True, kw_only=True)
class ApiKeyProvider(Provider):
    """A provider whose credential is one API key, tested by one free request."""

    credential: CredentialKind = CredentialKind.API_KEY
    probe_path: str
    rules: tuple[Rule, ...]
    public_prefixes: tuple[str, ...] = ()
    own_marks: tuple[str, ...] = ()
    """Prefixes by which a key is positively this provider's, wherever it is pasted."""
    own_shape: str = ""
    """A regular expression that says the same of a whole key without such a prefix."""
    wrong_kinds: tuple[WrongKind, ...] = ()
    shape: str = ""
    """A regular expression for the usual shape; another shape is only a hint, never a refusal."""
    loose_shape: str = ""
    """One that pages may hold, where ``shape`` names more letters of a key than they may show."""

    def headers(self, key: str) -> Mapping[str, str]:
        """The headers that authenticate a request with ``key``: most providers take it as a bearer token."""
        return {"Authorization": f"Bearer {key}"}

    def owns(self, key: str) -> bool:
        """Whether ``key`` is positively this provider's."""
        return key.startswith(self.own_marks) or bool(self.own_shape and re.fullmatch(self.own_shape, key))

    def looks_usual(self, key: str) -> bool:
        """Whether ``key`` has the shape that this provider's keys usually have."""
        return bool(self.shape and re.fullmatch(self.shape, key))

    def way_in(self, credential: Credential, send: Send) -> WayIn:
        """See ``Provider.way_in``: the key itself."""
        return WayIn(self.endpoints[0], self.headers(credential.secret), credential.secret)

    def check(self, credential: Credential, send: Send) -> str:
        """See ``Provider.check``."""
        return self.classify(self.probe(credential.secret, send))

    def probe(self, key: str, send: Send) -> Answer:
        """The free request, and the provider's answer to it."""
        return send(Request(self.endpoints[0], self.probe_path, self.headers(key)))

    def classify(self, answer: Answer) -> str:
        """The reason code for ``answer``: its documented meaning, else what its status can safely mean."""
        if answer.status == HTTPStatus.OK:
            return self.classify_success(answer)
        if not self.speaks(answer):
            return undocumented(answer.status)
        limited = "rate_limited" if answer.status == HTTPStatus.TOO_MANY_REQUESTS else ""
        return self.documented(answer) or limited or undocumented(answer.status)

    def documented(self, answer: Answer) -> str:
        """The reason of the first rule that ``answer`` matches; empty when none does."""
        error = self.error_parts(answer)
        return next((rule.reason for rule in self.rules if rule.matches(answer.status, error)), "")

    def speaks(self, answer: Answer) -> bool:
        """Whether an error is the provider's own word: a proxy's 401 or 403 page must not condemn a key."""
        return isinstance(answer.document, dict)

    def classify_success(self, answer: Answer) -> str:
        """A status of 200 is no proof: the answer must have the documented shape."""
        said = answer.json_object
        return "accepted" if isinstance(said.get("data"), list) and "error" not in said else "unexpected"

    def error_parts(self, answer: Answer) -> ErrorParts:
        """Type, code and message of an error body: ``{"error": {…}}``, ``{"error": "text", …}``, or without a wrapper."""
        document = answer.document
        error = document.get("error", document) if isinstance(document, dict) else None
        if isinstance(error, str):
            error = {**document, "message": error}
        if not isinstance(error, dict):
            return ErrorParts()
        details = error.get("details")
        return ErrorParts(
            type=_text(error, "type"),
            code=_text(error, "code"),
            message=_text(error, "message") or _text(error, "msg"),
            detail=_text(details, "error_code") if isinstance(details, dict) else "",
        )

    def hint(self, credential: Credential) -> str:
        """Public prefix and last four, only when at least 20 characters stay unseen between them."""
        key = credential.secret
        prefix = max((known for known in self.public_prefixes if key.startswith(known)), key=len, default="")
        return f"{prefix}…{key[-4:]}" if len(key) - len(prefix) >= _HIDDEN_CHARACTERS else "••••"


def undocumented(status: int) -> str:
    """The reason code for an answer of this ``status`` that no rule knows: none of them judges the key."""
    family = status // 100
    return {3: "redirect", 5: "server_error"}.get(family, "unexpected")


def _text(error: Mapping[str, Any], name: str) -> str:
    value = error.get(name)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value if isinstance(value, str) else ""


__all__ = [
    "Answer",
    "Api",
    "ApiKeyProvider",
    "Check",
    "Credential",
    "CredentialKind",
    "Endpoint",
    "ErrorParts",
    "Inference",
    "NoWayIn",
    "Provider",
    "Reason",
    "Request",
    "Rule",
    "Send",
    "Unreachable",
    "Verdict",
    "WayIn",
    "WrongKind",
    "undocumented",
]
