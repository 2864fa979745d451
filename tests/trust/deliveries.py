"""What the cases of CHK-20 to 29 share: workers that die, and what a check and its key must then say."""

from contextlib import suppress

import pytest

from providerkeys.models import CheckResult, CredentialCheck, ProviderKey
from providerkeys.providers import http
from providerkeys.tasks import run_check
from tests.providerkeys.sample import again


class Killed(BaseException):
    """What happens to a worker's process in mid-probe: nothing catches it."""


def killed(*_: object) -> http.Answer:
    raise Killed


def deliver_to_a_dying_worker(check: CredentialCheck) -> None:
    with suppress(Killed):
        run_check(check.pk)


def assert_done(check: CredentialCheck, key: ProviderKey, verdict: str, attempts: int = 1) -> None:
    done = again(check)
    assert (done.state, done.attempt, done.verdict, again(key).verdict) == ("done", attempts, verdict, verdict)


def assert_knows_nothing(key: ProviderKey) -> None:
    """The bytes that are stored now have never been tested."""
    now = again(key)
    assert (now.verdict, now.verdict_at, now.last_check_verdict, now.last_check_at) == ("", None, "", None)


def taking_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def take(check: CredentialCheck) -> bool:
        check.state, check.attempt, check.finished_at = "running", check.attempt % 2 + 1, None
        check.save()
        CheckResult.objects.filter(credential_check=check).update(verdict="")
        return True

    monkeypatch.setattr(CredentialCheck, "take", take)
