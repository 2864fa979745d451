"""What no client may do, whatever it asks for. Each rule looks at one request and names what it found."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import unquote

from tests.fakeproviders import providers
from tests.fakeproviders.journal import Journal, Received, Violation
from tests.fakeproviders.model import Provider, Service
from tests.fakeproviders.wire import Request

_LEAST_SECRET: Final = 16


@dataclass(frozen=True, slots=True)
class Case:
    """A request and what is known about the place where it arrived."""

    request: Request
    received: Received
    provider: Provider
    service: Service
    journal: Journal

    def holds_secret(self, text: str) -> bool:
        """Whether ``text`` holds this request's credential, or anything that begins like one."""
        own = self.received.credential
        return (len(own) >= _LEAST_SECRET and own in text) or _secrets().search(text) is not None

    def quoted(self, text: str) -> str:
        """``text`` as a finding may tell it."""
        return "(holds a secret)" if self.holds_secret(text) else text


Finding = tuple[str, str]


@cache
def _secrets() -> re.Pattern[str]:
    prefixes = (prefix for provider in providers.load() for prefix in provider.secret_prefixes)
    starts = "|".join(re.escape(prefix) for prefix in prefixes if prefix)
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
    if not case.service.credential_in_body and case.holds_secret(case.request.body.decode("latin-1")):
        yield "key_in_body", f"{case.received.body_length} bytes"


def _ciphertext(case: Case) -> Iterator[Finding]:
    places = {"target": case.request.target, "body": case.request.body.decode("latin-1"), **dict(case.request.headers)}
    for place, text in places.items():
        if "gAAAA" in text:
            yield "ciphertext", place


def _missing_header(case: Case) -> Iterator[Finding]:
    if not case.received.credential:
        yield "missing_header", case.service.auth_header or "credential"
    route = case.service.route(case.request)
    wanted = (*case.service.required, *((("accept", f".*{re.escape(route.accept)}.*"),) if route else ()))
    for name, pattern in wanted:
        if not case.request.all(name):
            yield "missing_header", name
        elif not re.fullmatch(pattern, case.request.header(name)):
            yield "wrong_header", name


def _wrong_host(case: Case) -> Iterator[Finding]:
    if not re.fullmatch(case.service.host, case.request.header("host")) or len(case.request.all("host")) > 1:
        yield "wrong_host", case.quoted(", ".join(case.request.all("host")))


def _unknown_route(case: Case) -> Iterator[Finding]:
    if case.service.route(case.request) is None:
        yield "unknown_route", f"{case.received.method} {case.quoted(case.received.path)}"


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
)
_AT_A_PROVIDER: Final[tuple[Callable[[Case], Iterator[Finding]], ...]] = (
    _key_in_body,
    _missing_header,
    _wrong_host,
    _unknown_route,
    _cookie,
    _wrong_kind,
    _elsewhere,
)


def judge(case: Case) -> list[Violation]:
    """What is wrong with the request. Where only a redirect leads, the provider's own rules mean nothing."""
    rules = _ANYWHERE if case.received.followed_redirect else _ANYWHERE + _AT_A_PROVIDER
    found = {finding: None for rule in rules for finding in rule(case)}
    return [Violation(kind, case.received.name, detail, case.received.id) for kind, detail in found]
