"""What the cases of the family INP share: every form as a browser sends it, and what an answer says, shows and changes."""

import html
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Self

import pytest
from django.db import connection
from django.test import Client, TestCase

from organizations.access import Access, access_for
from organizations.models import Organization, Role
from providerkeys import vault
from providerkeys.models import (
    CredentialCheck,
    Draft,
    ProviderKey,
    RegionDraft,
)
from providerkeys.providers import registry, service_account, whole_keys
from providerkeys.providers.base import Credential, CredentialKind
from providerkeys.resolver import Scope
from tests.cast import IP, client_for, member_of
from tests.providerkeys.conftest import Console
from tests.providerkeys.providers.service_account_inputs import GOOD
from tests.providerkeys.sample import letterbox
from tests.standing import standing
from tests.trust.inputs import access_keys, api_keys, service_accounts, table
from tests.trust.inputs.table import Cleaned, Hinted, Input, Refused
from tests.trust.net import Guard

_WINDOW: Final = 8
_GRAM: Final = 5
_LONGEST_SEARCHED: Final = 20_000
CPU_SECONDS: Final = 1.0
"""What the longest answer may take."""
_WRITES: Final = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE|MERGE)\b", re.IGNORECASE)
# How a sentence begins that says what to do.
_ADVICE: Final = re.compile(
    r"(?:^|[.:;,] (?:then |or )?)(Add|Ask|Choose|Copy|Create|Do|Ensure|Enter|Give|Leave|Paste|Reload|Select|Type|Use)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Form:
    """One form, by one of its two ways: as a page, or as htmx sends it, for the element ``into``."""

    name: str
    into: str | None

    def __str__(self) -> str:
        return f"{self.name}, {'page' if self.into is None else 'htmx'}"


@dataclass
class Desk:
    """Alice at the console: she has a stored key of each kind, and whatever she sends, no packet may leave."""

    access: Access
    console: Console
    sent: list[str]
    guard: Guard
    _stored: dict[str, ProviderKey] = field(default_factory=dict)

    def stored(self, provider: str) -> ProviderKey:
        """The stored key of this provider."""
        if provider not in self._stored:
            self._stored[provider] = ProviderKey.create(self.access, provider, _draft(provider))
        return ProviderKey.objects.get(pk=self._stored[provider].pk)

    def post(self, form: Form, given: Input) -> Any:
        """Send this input, and good fields beside it."""
        return self.console.post(self._path(form.name, given.provider), self._data(form.name, given), into=form.into)

    def _path(self, name: str, provider: str) -> str:
        if name == table.CREATE:
            return "provider-keys/new/"
        if name == table.TEST_NEW:
            return "provider-keys/checks/"
        stored = f"provider-keys/{self.stored(provider).pk}/"
        return stored if name == table.EDIT else f"{stored}checks/"

    def _data(self, name: str, given: Input) -> dict[str, Any]:
        data: dict[str, Any] = {"name": "Production", "assign_to_organization": "on"}
        if name in table.STORED:
            stored = self.stored(given.provider)
            data |= {"version": str(stored.version), **_kept(stored)}
        else:
            data |= {"provider": given.provider, **_typed(given.provider)}
        if any(field.startswith("regions-") for field in given.fields) or given.outcome == _NO_ROW:
            data = {field: value for field, value in data.items() if not field.startswith("regions-")}
        return {**data, **given.fields}


_NO_ROW: Final = Refused("Add at least one region.", "regions")


def _draft(provider: str) -> Draft:
    kind = registry.get(provider).credential
    if kind is CredentialKind.IAM_REGIONS:
        credential = Credential(access_keys.STORED_KEY, {"region": access_keys.STORED_REGION})
        return Draft("Stored", Scope.ORGANIZATION, regions=(RegionDraft(access_keys.STORED_REGION, credential),))
    if kind is CredentialKind.SERVICE_ACCOUNT:
        document = service_account.parse(service_accounts.STORED_KEY).document
        credential = Credential(document, {"location": service_accounts.STORED_LOCATION})
    else:
        credential = Credential(api_keys.STORED_KEY)
    return Draft("Stored", Scope.ORGANIZATION, credential=credential)


def _kept(stored: ProviderKey) -> dict[str, str]:
    """What an edit sends that leaves the credentials as they are."""
    if stored.regions.exists():
        return {"regions-0-region": access_keys.STORED_REGION}
    return {"provider_key": "", **stored.destination}


def _typed(provider: str) -> dict[str, Any]:
    """Good credentials of this provider, as they are typed."""
    kind = registry.get(provider).credential if registry.find(provider) else CredentialKind.API_KEY
    if kind is CredentialKind.IAM_REGIONS:
        return access_keys.row()
    return {"provider_key": GOOD if kind is CredentialKind.SERVICE_ACCOUNT else api_keys.KEY}


@contextmanager
def sitting_at(access: Access, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk for the length of a ``with`` block: its fixture."""
    with Office(access, client_for(access.user)).desk(monkeypatch) as desk:
        yield desk


@dataclass(frozen=True)
class Office:
    """What is there before anybody sits down: Alice is logged in, and has these keys."""

    access: Access
    client: Client
    stored: Mapping[str, ProviderKey] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def standing(cls, blocker: Any, *providers: str) -> Iterator[Self]:
        """An office for all tests of a module, with a key of each of these providers."""
        with standing(blocker):
            alice = member_of(Organization.objects.create(name="Acme"), "Alice", Role.ADMIN)
            access = access_for(alice, "acme", IP)
            keys = {provider: ProviderKey.create(access, provider, _draft(provider)) for provider in providers}
            yield cls(access, client_for(alice), keys)

    @contextmanager
    def desk(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
        """A desk for the length of a ``with`` block, and a browser that remembers the login and nothing else."""
        # An error of the server is an answer with its status, as it is to a browser.
        client = Client(raise_request_exception=False, REMOTE_ADDR=IP)
        client.cookies.update(self.client.cookies)
        sent = letterbox(monkeypatch)
        with Guard.closed() as guard:
            yield Desk(self.access, Console(client, self.access.organization.slug), sent, guard, dict(self.stored))


def forms_of(given: Input) -> list[Form]:
    """Each form that the input can reach, as a page and as htmx."""
    targets = {name: "sheet" if name in table.SAVES else "test-result" for name in given.forms}
    both = [Form(name, into) for name, target in targets.items() for into in (None, target)]
    return both[::3] if given.variant else both


# What an answer says and shows.


def sentences_at(page: str, field: str) -> list[str]:
    """What stands in red at a field, as people read it; what is set as code stands between backticks."""
    found = re.search(rf'id="id_{field}_error">(.*?)</div></div>', page, re.DOTALL)
    return [_read(text) for text in re.findall(r"<p>(.*?)</p>", found[1], re.DOTALL)] if found else []


def label_of(page: str, field: str) -> str:
    """What the summary on top calls the field, in the link that leads to it."""
    found = re.search(rf'<a href="#id_{field}">(.*?)</a>', page)
    return _read(found[1]) if found else ""


def _read(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"</?code>", "`", markup))).strip()


def shows(answer: Any, secrets: Iterable[str]) -> list[str]:
    """The first eight characters of each of ``secrets`` of which the answer, body or headers, holds eight in a row."""
    text = html.unescape(answer.content.decode()) + str(dict(answer.headers)) + str(answer.cookies)
    # Every page holds what keys begin with, for its script, whatever was typed.
    text = text.replace(json.dumps(whole_keys.patterns()), "")
    return [secret[:_WINDOW] for secret in secrets if _is_in(text, secret[:_LONGEST_SEARCHED])]


def _is_in(text: str, secret: str) -> bool:
    # Eight characters in a row hold one of these five at least: to look for them first is ten times as fast.
    for start in range(0, len(secret) - _GRAM + 1, _WINDOW - _GRAM + 1):
        if secret[start : start + _GRAM] in text:
            windows = (secret[at : at + _WINDOW] for at in range(max(start + _GRAM - _WINDOW, 0), start + 1))
            # The same letter over and over is nobody's secret.
            if any(len(set(window)) > 2 and window in text for window in windows if len(window) == _WINDOW):
                return True
    return False


def secrets_in(given: Input) -> Iterable[str]:
    """What of the input no answer may show."""
    if given.secret is not None:
        return given.secret
    return [str(value) for name, value in given.fields.items() if name.endswith(("provider_key", "secret_access_key"))]


@contextmanager
def leaves_no_trace(desk: Desk) -> Iterator[None]:
    """No row is written, no task sent and no packet lost in a ``with`` block."""
    written = list[str]()

    def watch(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if _WRITES.match(sql):
            written.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(watch), TestCase.captureOnCommitCallbacks(execute=True):
        yield
    assert (written, desk.sent, desk.guard.packets) == ([], [], [])


def says_what_to_do(sentence: str) -> bool:
    return _ADVICE.search(sentence) is not None


# What must hold.


def timed[T](send: Callable[[], T], bound: float) -> tuple[T, float]:
    """What ``send`` returns, and the CPU seconds that it took. Where those are more than ``bound``, it happens again and the
    second time counts: what is used for the first time is loaded and compiled, and an input that is slow is so each time.
    """
    answer, took = _timed(send)
    return _timed(send) if took >= bound else (answer, took)


def _timed[T](send: Callable[[], T]) -> tuple[T, float]:
    # Of this thread: what a server of another test does beside it is not ours.
    started = time.thread_time()
    answer = send()
    return answer, time.thread_time() - started


def is_refused(desk: Desk, given: Input, outcome: Refused) -> None:
    """At every form that it reaches: the sentence at its field, nothing of a secret, no row, no task, no packet."""
    if set(given.forms) & set(table.STORED):
        desk.stored(given.provider)
    with leaves_no_trace(desk):
        for form in forms_of(given):
            answer, took = timed(partial(desk.post, form, given), CPU_SECONDS)
            page = answer.content.decode()
            assert answer.status_code == 422, (str(form), answer.status_code)
            assert sentences_at(page, outcome.at) == [outcome.says], str(form)
            assert label_of(page, outcome.at), f"{form}: the summary doesn't name the field"
            assert not shows(answer, secrets_in(given)), f"{form}: a part of the secret is shown"
            assert took < CPU_SECONDS, f"{form}: {took} s"
    assert says_what_to_do(outcome.says)


def is_taken(desk: Desk, given: Input, outcome: Cleaned) -> None:
    """At every form: what is stored, or tested, is the cleaned credential; an unusual one is told at once by a test."""
    for form in forms_of(given):
        answer = desk.post(form, given)
        if form.name in table.SAVES:
            assert answer.status_code == 302 or "HX-Redirect" in answer.headers, (str(form), sentences(answer))
            assert stored_secret(desk, form, given) == _canonical(given.provider, outcome.to), str(form)
            _forget_saves(desk)
        else:
            assert answer.status_code in {200, 302}, (str(form), sentences(answer))
            assert candidate() == _canonical(given.provider, outcome.to), str(form)
            if isinstance(outcome, Hinted) and form.into:
                assert outcome.says in html.unescape(answer.content.decode())
        assert not shows(answer, secrets_in(given)), f"{form}: a part of the secret is shown"
    assert desk.guard.packets == []


def sentences(answer: Any) -> list[str]:
    """All that an answer says in red."""
    return [_read(found) for found in re.findall(r"field__error.*?<p>(.*?)</p>", answer.content.decode(), re.DOTALL)]


def stored_secret(desk: Desk, form: Form, given: Input) -> str:
    """The credential that the form has saved, opened."""
    key = ProviderKey.objects.latest("created_at") if form.name == table.CREATE else desk.stored(given.provider)
    record = key.regions.select_related("provider_key__organization").first() or key
    return vault.reveal(record, vault.Purpose.CHECK)


def candidate() -> str:
    """The credential that the latest press is to test."""
    check = CredentialCheck.objects.exclude(candidate=None).latest("created_at")
    opened: str = json.loads(vault.reveal(check, vault.Purpose.CHECK))["0"]["secret"]
    return opened


def _canonical(provider: str, text: str) -> str:
    is_file = registry.get(provider).credential is CredentialKind.SERVICE_ACCOUNT
    return service_account.parse(text).document if is_file else text


def _forget_saves(desk: Desk) -> None:
    ProviderKey.objects.all().delete()
    desk._stored.clear()


def ids(inputs: Iterable[Input]) -> list[Any]:
    """The table's rows as parameters of a test."""
    return [pytest.param(given, id=given.id) for given in inputs]


def judge(desk: Desk, given: Input) -> None:
    """Whatever the table says of it."""
    if isinstance(given.outcome, Refused):
        is_refused(desk, given, given.outcome)
    else:
        is_taken(desk, given, given.outcome)
