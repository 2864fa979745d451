"""Credentials, keys and checks to test with, and a door behind which a script answers instead of a provider."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from celery import current_app
from django.db import connections, transaction
from django.utils import timezone

from organizations import password_link
from organizations.access import Access
from organizations.models import ApiKey
from providerkeys import vault
from providerkeys.models import CredentialCheck, Draft, ProviderKey, Row
from providerkeys.providers import http
from providerkeys.providers.base import Credential
from providerkeys.resolver import Scope
from tests.fakeproviders import samples

FORMER = samples.key("openai", "good")
LATTER = samples.key("openai", "slow2")
AFTER_THE_LEASE = timedelta(seconds=21)
AFTER_THE_DEADLINE = timedelta(seconds=61)

type Answerer = Callable[[http.Request], http.Answer]


# What a provider says. Each stands for one verdict at OpenAI.


def accepted(_: http.Request) -> http.Answer:
    return answer(200, {"object": "list", "data": []})


def unknown(_: http.Request) -> http.Answer:
    return answer(401, {"error": {"code": "invalid_api_key", "message": "Incorrect API key provided."}})


def limited(_: http.Request) -> http.Answer:
    return answer(429, {"error": {"code": "rate_limit_exceeded"}})


def silent(_: http.Request) -> http.Answer:
    raise http.Unreachable("timeout")


def answer(status: int, document: object) -> http.Answer:
    return http.Answer(status, "application/json", json.dumps(document).encode())


@dataclass
class Door:
    """Stands where ``http.send`` stood: counts the probes, and has them answered by ``answers``."""

    answers: Answerer = accepted
    secrets: list[str] = field(default_factory=list)
    """The secret of each probe, in the order in which they came."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def instead(cls, monkeypatch: pytest.MonkeyPatch) -> "Door":
        """Put a new one in the place of ``http.send``."""
        door = cls()
        monkeypatch.setattr(http, "send", door)
        return door

    def __call__(self, request: http.Request, until: float | None = None) -> http.Answer:
        sent = request.headers.get("Authorization") or request.headers.get("x-api-key", "")
        with self._lock:
            self.secrets.append(sent.removeprefix("Bearer "))
        return self.answers(request)

    @property
    def probes(self) -> int:
        return len(self.secrets)


def letterbox(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the checks that are sent from now on; nothing reaches a broker."""
    sent: list[str] = []

    def keep(name: str, args: Iterable[str] = (), **_: object) -> None:
        # A link for a password may be asked for too; it is no check's.
        if name != password_link.TASK:
            assert name == "providerkeys.run_check"
            sent.extend(args)

    monkeypatch.setattr(current_app._get_current_object(), "send_task", keep)
    return sent


# Rows, keys and checks.


def typed(access: Access, secret: str = FORMER, destination: Mapping[str, str] | None = None) -> Row:
    """A row that somebody has typed into a form."""
    credential = Credential(secret, destination or {})
    fingerprint = vault.fingerprint(access.organization.fingerprint_salt, secret, credential.destination)
    return Row(fingerprint=fingerprint, credential=credential)


def draft(secret: str | None = None, name: str = "Production", api_keys: Iterable[ApiKey] | None = None) -> Draft:
    """What a form says: for the organization, or for ``api_keys`` when those are given."""
    return Draft(
        name=name,
        scope=Scope.ORGANIZATION if api_keys is None else Scope.API_KEYS,
        api_key_ids=frozenset(one.pk for one in api_keys or ()),
        credential=None if secret is None else Credential(secret),
    )


def stored(
    access: Access, secret: str = FORMER, provider: str = "openai", api_keys: Iterable[ApiKey] | None = None
) -> ProviderKey:
    """A saved key that no check has looked at."""
    return ProviderKey.create(access, provider, draft(secret, api_keys=api_keys))


def saved(access: Access, secret: str = FORMER, provider: str = "openai") -> tuple[ProviderKey, CredentialCheck | None]:
    """What the form's Save does: the key as it is then, and the check that was queued for it, if any."""
    with transaction.atomic():
        key = stored(access, secret, provider)
        check = CredentialCheck.follow_save(access, key)
    return ProviderKey.objects.get(pk=key.pk), check


def replaced(access: Access, key: ProviderKey, secret: str) -> None:
    """Somebody saves ``secret`` over the stored one."""
    current = ProviderKey.objects.get(pk=key.pk)
    current.change(access, draft(secret), current.version)


def pressed(access: Access, key: ProviderKey | None = None, secret: str = FORMER) -> CredentialCheck:
    """A press of the button: for the stored bytes of ``key``, or for a typed secret."""
    rows = key.stored_rows() if key else [typed(access, secret)]
    return CredentialCheck.press(access, key.provider if key else "openai", rows, key)


def again[M: (CredentialCheck, ProviderKey)](row: M) -> M:
    """The row as the database has it now."""
    return type(row).objects.get(pk=row.pk)


def verdicts(check: CredentialCheck) -> list[tuple[str, str]]:
    """Verdict and reason of each stored result."""
    return list(check.results.order_by("position").values_list("verdict", "reason"))


def api_key(access: Access, name: str = "Service") -> ApiKey:
    return ApiKey.issue(access, name)[0]


def later(span: timedelta) -> float:
    """The moment ``span`` from now, as ``time_machine`` takes it."""
    return (timezone.now() + span).timestamp()


def at_once[T](*jobs: Callable[[], T]) -> list[T | Exception]:
    """What each job returned or raised, all started in the same moment, each in a thread and on a connection of its own."""
    barrier = threading.Barrier(len(jobs))

    def run(job: Callable[[], T]) -> T | Exception:
        try:
            barrier.wait(timeout=5)
            return job()
        except Exception as error:  # noqa: BLE001  The caller judges it.
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(threads.map(run, jobs))
