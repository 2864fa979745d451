"""CHK-07: of the nine ordered pairs of three states, four are ways that a check can go, and no others."""

import copy
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from organizations.access import Access
from providerkeys.models import CredentialCheck
from providerkeys.models.check import CheckQuerySet
from providerkeys.tasks import sweep
from tests.providerkeys.sample import AFTER_THE_LEASE, letterbox, pressed
from tests.trust.controls import Control, controls

pytestmark = [pytest.mark.django_db, pytest.mark.database]

STATES = ("queued", "running", "done")
LEGAL = {("queued", "running"), ("running", "done"), ("queued", "done"), ("running", "running")}

VERBS = ("take", "renew", "finish", "settle", "send", "sweep")
MOMENTS = (timedelta(0), AFTER_THE_LEASE, timedelta(seconds=90))

# What is not a step: that a message was sent, that a lease goes on, that a result is there.
STEP = ("state", "attempt", "finished_at", "candidate")


def stages(access: Access) -> Iterator[list[CredentialCheck]]:
    """A check at each stage of its life: the copies of it that workers may hold, the one that is true now last."""
    check = pressed(access)
    copies = [copy.copy(check)]
    yield copies
    for attempt in range(2):
        with time_machine.travel(timezone.now() + AFTER_THE_LEASE * attempt, tick=False):
            assert check.take()
        copies = [*copies, copy.copy(check)]
        yield copies
    with time_machine.travel(timezone.now() + AFTER_THE_LEASE, tick=False):
        assert check.finish()
    check.refresh_from_db()
    yield [*copies, copy.copy(check)]


def row(check: CredentialCheck) -> dict[str, Any]:
    (found,) = CredentialCheck.objects.filter(pk=check.pk).values(*STEP, "results__verdict")
    return dict(found)


def do(verb: str, check: CredentialCheck) -> None:
    sweep() if verb == "sweep" else getattr(check, verb)()


def steps(access: Access, state: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each step that any verb takes out of ``state``, by any copy, at any moment: (before, after)."""
    for copies in stages(access):
        before = row(copies[-1])
        if before["state"] != state:
            continue
        for held, verb, moment in product(copies, VERBS, MOMENTS):
            with transaction.atomic(), time_machine.travel(timezone.now() + AFTER_THE_LEASE + moment, tick=False):
                do(verb, copy.copy(held))
                after = row(held)
                transaction.set_rollback(True)
            if after != before:
                yield before, after


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    letterbox(monkeypatch)


@pytest.mark.parametrize("pair", list(product(STATES, STATES)), ids="-".join)
def test_chk_07_a_check_goes_only_legal_ways(pair: tuple[str, str], alice_access: Access) -> None:
    seen = [step for step in steps(alice_access, pair[0]) if step[1]["state"] == pair[1]]
    assert bool(seen) is (pair in LEGAL)
    for before, after in seen:
        assert after["attempt"] == before["attempt"] + (pair[1] == "running")
        assert after["attempt"] <= 2
        ended = pair[1] == "done"
        assert (after["finished_at"] is not None, after["candidate"] is None) == (ended, ended)


def taking_whatever_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def take(check: CredentialCheck) -> bool:
        return bool(
            CredentialCheck.objects.filter(pk=check.pk, attempt__lt=2).update(
                state="running", attempt=check.attempt + 1, lease_until=timezone.now(), finished_at=None
            )
        )

    monkeypatch.setattr(CredentialCheck, "take", take)


def requeuing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        CredentialCheck, "renew", lambda check: CredentialCheck.objects.filter(pk=check.pk).update(state="queued")
    )


def finishing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = CredentialCheck.objects.all
    monkeypatch.setattr(CredentialCheck, "_own", lambda check: everything().filter(pk=check.pk))


def never_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CheckQuerySet, "overdue", lambda checks, _: checks.none())


def never_retaking(monkeypatch: pytest.MonkeyPatch) -> None:
    take = CredentialCheck.take
    monkeypatch.setattr(CredentialCheck, "take", lambda check: check.attempt == 0 and take(check))


@controls(
    Control(test_chk_07_a_check_goes_only_legal_ways, plant, {"pair": pair})
    for plant, pair in [
        (taking_whatever_is_there, ("done", "running")),
        (requeuing, ("running", "queued")),
        (requeuing, ("done", "queued")),
        (finishing_twice, ("done", "done")),
        (never_settling, ("queued", "done")),
        (never_retaking, ("running", "running")),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
