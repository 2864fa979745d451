"""What no client may do, whatever it asks for. Each rule looks at one request and names what it found."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import unquote

from tests.fakeproviders import bodies, providers
from tests.fakeproviders.journal import Journal, Received, Violation
from tests.fakeproviders.model import Provider, Route, Service
from tests.fakeproviders.wire import Request

_LEAST_SECRET: Final = 16
# An API key of the product; a model of ours, or the word alone, is none.
_API_KEY: Final = re.compile(r"byok_[0-9A-Za-z]{12}")
_CIPHERTEXT: Final = "gAAAA"
_MAY_ARRIVE: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "anthropic-beta",
        "anthropic-version",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "host",
        "idempotency-key",
        "openai-beta",
        "traceparent",
        "tracestate",
        "transfer-encoding",
        "user-agent",
    }
)
"""Headers of a request for inference, beside its credential's. What is wrong with a cookie has a rule of its own."""


@dataclass(frozen=True, slots=True)
class Case:
    """A request and what is known about the place where it arrived."""

    request: Request
    received: Received
    provider: Provider
    service: Service
    route: Route | None
    journal: Journal

    @property
    def is_inference(self) -> bool:
        return self.route is not None and self.route.inference

    def holds_secret(self, text: str) -> bool:
        """Whether ``text`` holds this request's credential, or anything that begins like one."""
        own = self.received.credential
        return (len(own) >= _LEAST_SECRET and own in text) or _secrets().search(text) is not None

    def body_holds_secret(self) -> bool:
        """Whether the body does. What people ask about may hold images, in whose base64 anything turns up by chance."""
        own = self.received.credential.encode("latin-1", "replace")
        if len(own) >= _LEAST_SECRET and own in self.request.body:
            return True
        return bodies.holds(self.request.body, _starts(), _LEAST_SECRET, anywhere=not self.is_inference)

    def quoted(self, text: str) -> str:
        """``text`` as a finding may tell it."""
        return "(holds a secret)" if self.holds_secret(text) else text


Finding = tuple[str, str]


@cache
def _starts() -> tuple[str, ...]:
    """How secrets begin: each provider's, and nothing twice."""
    prefixes = (prefix for provider in providers.load() for prefix in provider.secret_prefixes)
    return tuple(dict.fromkeys(prefix for prefix in prefixes if prefix))


@cache
def _secrets() -> re.Pattern[str]:
    starts = "|".join(re.escape(prefix) for prefix in _starts())
    return re.compile(f"(?:{starts})[A-Za-z0-9_-]{{{_LEAST_SECRET},}}")


def _redirect_followed(case: Case) -> Iterator[Finding]:
    if case.received.followed_redirect:
        carried = any(case.holds_secret(value) for _, value in case.request.headers)
        yield "redirect_followed", f"{case.received.method} {'with' if carried else 'without'} a credential"
    elif case.received.credential in case.journal.redirected:
        yield "request_after_redirect", "the credential was already answered with a redirect"


def _key_in_url(case: Case) -> Iterator[Finding]:
    if case.holds_secret(case.request.target) or case.holds_secret(unquote(case.request.target)):
        yield "key_in_url", case.request.method


def _key_in_header(case: Case) -> Iterator[Finding]:
    for name, value in case.request.headers:
        if name != case.service.auth_header and case.holds_secret(value):
            yield "key_in_header", name
        if name == case.service.auth_header and len(case.request.all(name)) > 1:
            yield "duplicate_header", name


def _key_in_body(case: Case) -> Iterator[Finding]:
    if not case.service.credential_in_body and case.body_holds_secret():
        yield "key_in_body", f"{case.received.body_length} bytes"


def _ciphertext(case: Case) -> Iterator[Finding]:
    for place, text in _texts(case):
        if _CIPHERTEXT in text:
            yield "ciphertext", place
    if bodies.holds(case.request.body, (_CIPHERTEXT,), anywhere=not case.is_inference):
        yield "ciphertext", "body"


def _api_key_leaked(case: Case) -> Iterator[Finding]:
    for place, text in _texts(case):
        if _API_KEY.search(text):
            yield "api_key_leaked", place
    if b"byok_" in case.request.body and _API_KEY.search(case.request.body.decode("latin-1")):
        yield "api_key_leaked", "body"


def _texts(case: Case) -> Iterator[tuple[str, str]]:
    """Everything but the body, with the name of its place."""
    yield "target", unquote(case.request.target)
    yield from case.request.headers


def _missing_header(case: Case) -> Iterator[Finding]:
    if not case.received.credential:
        yield "missing_header", case.service.auth_header or "credential"
    wanted = [*case.service.needs(case.route)]
    if case.route and case.route.accept:
        wanted.append(("accept", f".*{re.escape(case.route.accept)}.*"))
    for name, pattern in wanted:
        if not case.request.all(name):
            yield "missing_header", name
        elif not re.fullmatch(pattern, case.request.header(name)):
            yield "wrong_header", name


def _wrong_host(case: Case) -> Iterator[Finding]:
    if not re.fullmatch(case.service.host, case.request.header("host")) or len(case.request.all("host")) > 1:
        yield "wrong_host", case.quoted(", ".join(case.request.all("host")))


def _unknown_route(case: Case) -> Iterator[Finding]:
    if case.route is None:
        yield "unknown_route", f"{case.received.method} {case.quoted(case.received.path)}"


def _unknown_header(case: Case) -> Iterator[Finding]:
    """What a caller sends for itself, and what we say to ourselves, stays with us."""
    if not case.is_inference:
        return
    for name, _ in case.request.headers:
        if name not in _MAY_ARRIVE and name != case.service.auth_header:
            yield "unknown_header", case.quoted(name)
    # An answer that is passed on as it comes must come as its caller can read it.
    if case.request.header("accept-encoding") not in ("", "identity"):
        yield "wrong_header", "accept-encoding"


def _cookie(case: Case) -> Iterator[Finding]:
    if case.request.all("cookie"):
        yield "cookie", "a provider's cookie came back: one check's state must not reach another's"


def _wrong_kind(case: Case) -> Iterator[Finding]:
    kind = case.provider.wrong_kind(case.received.credential)
    if kind:
        yield "wrong_kind", f"{kind.what}: must be refused before any call"


def _elsewhere(case: Case) -> Iterator[Finding]:
    first = case.journal.seen.get(case.received.credential)
    if case.received.credential and first not in (None, case.provider.slug):
        yield "key_elsewhere", f"the credential arrived at {first} before"


_ANYWHERE: Final[tuple[Callable[[Case], Iterator[Finding]], ...]] = (
    _redirect_followed,
    _key_in_url,
    _key_in_header,
    _ciphertext,
    _api_key_leaked,
)
_AT_A_PROVIDER: Final[tuple[Callable[[Case], Iterator[Finding]], ...]] = (
    _key_in_body,
    _missing_header,
    _wrong_host,
    _unknown_route,
    _unknown_header,
    _cookie,
    _wrong_kind,
    _elsewhere,
)


def judge(case: Case) -> list[Violation]:
    """What is wrong with the request. Where only a redirect leads, the provider's own rules mean nothing."""
    rules = _ANYWHERE if case.received.followed_redirect else _ANYWHERE + _AT_A_PROVIDER
    found = {finding: None for rule in rules for finding in rule(case)}
    return [Violation(kind, case.received.name, detail, case.received.id) for kind, detail in found]
