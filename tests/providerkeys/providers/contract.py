"""What every provider's file must hold, whatever its provider: rules that return the sentences of what is wrong."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from byok_site.provider_urls import NAMES
from providerkeys.providers import lint
from providerkeys.providers.base import (
    Answer,
    ApiKeyProvider,
    Credential,
    CredentialKind,
    Provider,
    Request,
    Unreachable,
    Verdict,
)
from providerkeys.providers.verdicts import common_reasons
from tests.fakeproviders import samples
from tests.providerkeys.offline import Offline

SECRET_PART = "FAKE0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0"
_GARBAGE = (b"", b"<html><body>Sign in to the hotel</body></html>", b"[]", b"null", b'"error"', b"{", b'{"error":{}}')
_TELLING = (201, 204, 302, 400, 401, 402, 403, 404, 405, 429, 500, 503)
_NEVER_INVALID = {429, *range(500, 600)}
_ALL_THE_WAY = 9


@dataclass
class Recorder:
    """A ``send`` that answers the same to everything, and remembers what was asked.

    The first ``good`` requests get what the provider's stand-in says to a good credential.
    """

    answer: Answer | Unreachable
    good: int = 0
    requests: list[Request] = field(default_factory=list)
    _stand_ins: Offline = field(default_factory=lambda: Offline("good"))

    def __call__(self, request: Request) -> Answer:
        self.requests.append(request)
        if len(self.requests) <= self.good:
            return self._stand_ins(request)
        if isinstance(self.answer, Unreachable):
            raise self.answer
        return self.answer


def broken_rules(provider: Provider) -> list[str]:
    """Every sentence that says what is wrong with ``provider``; empty for a good file."""
    return [sentence for rule in _RULES for sentence in rule(provider)]


def credential_of(provider: Provider) -> Credential:
    """A credential of the provider's kind: a key with a public prefix, or the sample of a kind that has more than one part."""
    if isinstance(provider, ApiKeyProvider):
        return Credential(next(iter(provider.public_prefixes), "") + SECRET_PART)
    key = samples.key(provider.slug, "good")
    return Credential(key, samples.destination(provider.slug, key))


def _secrets_of(provider: Provider) -> tuple[str, ...]:
    """What of ``credential_of`` nobody may see."""
    if provider.credential == CredentialKind.API_KEY:
        return (SECRET_PART,)
    fields = json.loads(credential_of(provider).secret)
    if provider.credential == CredentialKind.SERVICE_ACCOUNT:
        return (fields["private_key_id"], *fields["private_key"].splitlines()[1:-1])
    return (fields["secret_access_key"],)


def _shows(provider: Provider, text: str) -> bool:
    """Whether ``text`` holds eight characters of a secret in a row."""
    return any(part[start : start + 8] in text for part in _secrets_of(provider) for start in range(len(part) - 7))


def _check(provider: Provider, answer: Answer | Unreachable, good: int = 0) -> tuple[str, Recorder]:
    recorder = Recorder(answer, good)
    try:
        return provider.check(credential_of(provider), recorder), recorder
    except Unreachable as unreachable:
        return unreachable.reason, recorder


def steps(provider: Provider) -> int:
    """How many good answers prove a good credential: what comes after them can only tell more."""
    if provider.slug not in samples.PROVIDERS:
        return 1
    outcomes = (_check(provider, Unreachable("connect"), good)[0] for good in range(1, _ALL_THE_WAY))
    return next(good for good, code in enumerate(outcomes, 1) if provider.verdict(code) is Verdict.VALID)


def _row(provider: Provider) -> Iterator[str]:
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,39}", provider.slug):
        yield "its slug is not a lower-case name"
    if not provider.label or not provider.name_suggestion:
        yield "it has no label or no suggestion for a name"
    for url in (provider.keys_url, provider.billing_url, provider.docs_url):
        if urlsplit(url).scheme != "https":
            yield f"a link is not https: {url}"


def _endpoints(provider: Provider) -> Iterator[str]:
    for endpoint in provider.endpoints:
        if not re.fullmatch(r"[a-z0-9.-]+\.[a-z]{2,}", endpoint.host):
            yield f"an endpoint is not a fixed host name: {endpoint.host}"
        if endpoint.name not in NAMES and endpoint.name != provider.slug:
            yield f"an endpoint's name is unknown to PROVIDER_BASE_URLS: {endpoint.name}"


def _words(provider: Provider) -> Iterator[str]:
    if "accepted" not in provider.reasons or provider.reasons["accepted"].verdict is not Verdict.VALID:
        yield "it has no reason `accepted` for a valid key"
    for code, reason in provider.reasons.items():
        if not reason.sentence.endswith(".") or not reason.next_step.endswith("."):
            yield f"reason `{code}` lacks a sentence or a next step"
        if not reason.next_step[:1].islower():
            yield f"the next step of `{code}` does not follow on “Next:”"
        if ("{link}" in reason.next_step) != (reason.link is not None):
            yield f"reason `{code}` has a link without a place, or a place without a link"
        if reason.link and urlsplit(reason.link.url).scheme != "https":
            yield f"reason `{code}` links to something that is not https"
        if "ready to use" in reason.sentence:
            yield f"reason `{code}` promises more than a free check proves"


def _reasons_exist(provider: Provider) -> Iterator[str]:
    known = {**common_reasons(provider.label), **provider.reasons}
    for rule in getattr(provider, "rules", ()):
        if rule.reason not in known:
            yield f"a rule names the unknown reason `{rule.reason}`"


def _garbage_is_never_a_judgement(provider: Provider) -> Iterator[str]:
    for good in range(steps(provider)):
        for content_type in ("text/html", "application/json"):
            for body in _GARBAGE:
                code, _ = _check(provider, Answer(200, content_type, body), good)
                if provider.verdict(code) is not Verdict.UNREACHABLE:
                    yield f"a 200 of {content_type} with {body!r} is called {provider.verdict(code)}"
    code, _ = _check(provider, Answer(200, "text/html", b'{"object":"list","data":[]}'))
    if provider.verdict(code) is Verdict.VALID:
        yield "a list that is not declared as JSON is called valid"


def _trouble_is_never_the_keys_fault(provider: Provider) -> Iterator[str]:
    for good in range(steps(provider)):
        for status, body in _troubles(every=good == 0):
            code, _ = _check(provider, Answer(status, "application/json", body), good)
            verdict = provider.verdict(code)
            if verdict is Verdict.VALID:
                yield f"a status of {status} is called valid"
            if status in _NEVER_INVALID and verdict is Verdict.INVALID:
                yield f"a status of {status} is called invalid"
        code, _ = _check(provider, Unreachable("connect"), good)
        if code != "connect":
            yield "a network failure is not passed on"


def _troubles(*, every: bool) -> Iterator[tuple[int, bytes]]:
    """The telling statuses with every body, and ``every`` status with some."""
    yield from ((status, body) for status in _TELLING for body in _GARBAGE)
    if every:
        yield from ((status, _GARBAGE[status % len(_GARBAGE)]) for status in range(201, 600))


def _asks_only_its_own_host_and_little(provider: Provider) -> Iterator[str]:
    most = steps(provider)
    for status in (200, 400, 401, 403, 404, 405, 429, 500):
        for good in range(most):
            _, recorder = _check(provider, Answer(status, "application/json", b"{}"), good)
            if not 1 <= len(recorder.requests) <= most + 2:
                yield f"it asks {len(recorder.requests)} times"
            for request in recorder.requests:
                if request.endpoint not in provider.endpoints:
                    yield "it asks a host that it does not declare"
                if _shows(provider, request.path):
                    yield "its request carries the key in the URL"
                if _shows(provider, repr(request)):
                    yield "the repr of its request shows the key"


def _hint_hides(provider: Provider) -> Iterator[str]:
    hint = provider.hint(credential_of(provider))
    if _shows(provider, hint):
        yield "its hint shows eight characters of the key in a row"
    if isinstance(provider, ApiKeyProvider) and provider.hint(Credential(SECRET_PART)) != f"…{SECRET_PART[-4:]}":
        yield "its hint shows more than the last four of a key without a public prefix"
    if not 1 <= len(hint) <= 200:
        yield "its hint is empty or too long"
    short = provider.hint(Credential("short-1"))
    if "1" in short or "short" in short:
        yield "its hint shows a part of a short key"


def _wrong_kinds_are_refused(provider: Provider) -> Iterator[str]:
    if not isinstance(provider, ApiKeyProvider):
        return
    for kind in provider.wrong_kinds:
        pasted = kind.prefix + SECRET_PART
        try:
            lint.lint(provider, pasted)
        except lint.Refused as refused:
            if SECRET_PART[:8] in str(refused):
                yield f"the refusal of {kind.what} shows a part of it"
        else:
            yield f"{kind.what} is not refused"


_RULES: tuple[Callable[[Provider], Iterator[str]], ...] = (
    _row,
    _endpoints,
    _words,
    _reasons_exist,
    _garbage_is_never_a_judgement,
    _trouble_is_never_the_keys_fault,
    _asks_only_its_own_host_and_little,
    _hint_hides,
    _wrong_kinds_are_refused,
)
