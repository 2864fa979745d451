"""CHK-28 and CHK-29: one probe run an attempt, two attempts at most, and a result applied at most once."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from organizations.access import Access
from providerkeys.models import CheckResult, CredentialCheck
from providerkeys.models.check import CheckQuerySet
from providerkeys.providers import http
from providerkeys.providers.verdicts import Verdict
from providerkeys.tasks import run_check, sweep
from tests.providerkeys.sample import (
    AFTER_THE_LEASE,
    Answerer,
    Door,
    accepted,
    again,
    at_once,
    later,
    letterbox,
    pressed,
    stored,
    unknown,
    verdicts,
)
from tests.trust.controls import Control, controls
from tests.trust.deliveries import (
    assert_done,
    assert_knows_nothing,
    deliver_to_a_dying_worker,
    killed,
    taking_what_is_done,
)

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    letterbox(monkeypatch)
    return Door.instead(monkeypatch)


def test_chk_28_one_probe_run_an_attempt_and_two_attempts_at_most(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    door.answers = killed
    start = timezone.now()
    for attempt in range(2):
        with time_machine.travel(start + AFTER_THE_LEASE * attempt):
            for _ in range(3):
                deliver_to_a_dying_worker(check)
        assert (door.probes, again(check).attempt) == (attempt + 1, attempt + 1)
    door.answers = accepted
    with time_machine.travel(start + AFTER_THE_LEASE * 2):
        run_check(check.pk)
        assert again(check).state_now == "done"
        sweep()
        run_check(check.pk)
    assert door.probes == 2
    assert verdicts(check) == [("unreachable", "did_not_finish")]
    assert again(key).last_check_verdict == "unreachable"


def test_chk_28_what_the_first_attempt_found_is_not_asked_again(
    alice_access: Access, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    with monkeypatch.context() as dying:
        dying.setattr(CredentialCheck, "finish", killed)
        deliver_to_a_dying_worker(check)
    assert (again(check).state, again(check).verdict) == ("running", "valid")
    with time_machine.travel(later(AFTER_THE_LEASE)):
        run_check(check.pk)
    assert door.probes == 1
    assert_done(check, key, "valid", attempts=2)


@pytest.mark.parametrize("finished", [True, False], ids=["finished", "running"])
def test_chk_29_a_worker_frozen_past_its_lease_is_not_believed(
    finished: bool, alice_access: Access, door: Door
) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    said: list[Answerer] = [accepted]

    def frozen(_: http.Request) -> http.Answer:
        """The first attempt; meanwhile its lease runs out and a second attempt takes over."""
        clock.shift(AFTER_THE_LEASE)
        door.answers = said[0]
        run_check(check.pk) if finished else again(check).take()
        return unknown(_)

    door.answers = frozen
    with time_machine.travel(later(timedelta(0))) as clock:
        run_check(check.pk)
    assert again(check).attempt == 2
    if finished:
        assert_done(check, key, "valid", attempts=2)
    else:
        assert (again(check).state, verdicts(check)) == ("running", [("", "")])
        assert_knows_nothing(key)


def test_chk_29_an_attempt_that_lost_its_lease_can_do_nothing(alice_access: Access, door: Door) -> None:
    check = pressed(alice_access)
    never_began, lost = again(check), again(check)
    assert lost.take()
    result = lost.results.get()
    result.credential_check = lost
    with time_machine.travel(later(AFTER_THE_LEASE)):
        assert not never_began.take()
        assert again(check).take()
        assert not lost.take()
        assert not lost.renew()
        assert not result.conclude("accepted", Verdict.VALID, 1)
        assert not lost.finish()
    assert (again(check).state, again(check).attempt, verdicts(check)) == ("running", 2, [("", "")])


def test_chk_29_what_was_found_first_stays(alice_access: Access, door: Door) -> None:
    check = pressed(alice_access)
    check.take()
    result = check.results.get()
    result.credential_check = check
    assert result.conclude("accepted", Verdict.VALID, 1)
    assert not result.conclude("unknown_key", Verdict.INVALID, 2)
    assert verdicts(check) == [("valid", "accepted")]


def test_chk_29_an_end_is_whole_or_not_at_all(
    alice_access: Access, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    with monkeypatch.context() as dying:
        dying.setattr(CheckResult, "apply_to", killed)
        deliver_to_a_dying_worker(check)
    assert (again(check).state, again(key).verdict) == ("running", "")
    with time_machine.travel(later(AFTER_THE_LEASE)):
        run_check(check.pk)
    assert_done(check, key, "valid", attempts=2)


def test_chk_29_a_result_changes_its_key_once(
    alice_access: Access, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied: list[str] = []
    apply_to = CheckResult.apply_to

    def counted(result: CheckResult, record: str, version: int, at: datetime) -> None:
        applied.append(record)
        apply_to(result, record, version, at)

    monkeypatch.setattr(CheckResult, "apply_to", counted)
    key = stored(alice_access)
    check = pressed(alice_access, key)
    run_check(check.pk)
    run_check(check.pk)
    with time_machine.travel(later(timedelta(minutes=2))):
        check.settle()
        check.finish()
        sweep()
    assert applied == [key.pk]


@pytest.mark.django_db(transaction=True)
def test_chk_29_a_worker_and_two_sweeps_at_once_end_it_once(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    check.take()
    with time_machine.travel(later(timedelta(seconds=61))):
        ends: list[Callable[[], bool]] = [check.finish, again(check).settle, again(check).settle]
        assert sorted(map(bool, at_once(*ends))) == [False, False, True]
    assert (again(check).state, again(key).last_check_reason) == ("done", "did_not_finish")


# Controls


def believing_a_lost_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    def conclude(result: CheckResult, reason: str, verdict: Verdict, milliseconds: int) -> bool:
        return bool(CheckResult.objects.filter(pk=result.pk).update(reason=reason, verdict=verdict))

    monkeypatch.setattr(CheckResult, "conclude", conclude)
    monkeypatch.setattr(CredentialCheck, "renew", lambda _: True)


def leasing_whatever_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def own(check: CredentialCheck) -> CheckQuerySet:
        return CredentialCheck.objects.all().filter(pk=check.pk, state="running")

    monkeypatch.setattr(CredentialCheck, "_own", own)


def ending_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    end = CredentialCheck._end.__wrapped__  # type: ignore[attr-defined]
    monkeypatch.setattr(CredentialCheck, "_end", end)


def ending_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(check: CredentialCheck, _: object) -> bool:
        for result in CheckResult.objects.filter(credential_check=check):
            result.apply(timezone.now())
        return True

    monkeypatch.setattr(CredentialCheck, "_end", end)


PLANTED = [
    Control(test_chk_28_one_probe_run_an_attempt_and_two_attempts_at_most, taking_what_is_done),
    Control(test_chk_28_what_the_first_attempt_found_is_not_asked_again, taking_what_is_done),
    Control(test_chk_29_a_worker_frozen_past_its_lease_is_not_believed, believing_a_lost_lease, {"finished": False}),
    Control(test_chk_29_a_worker_frozen_past_its_lease_is_not_believed, believing_a_lost_lease, {"finished": True}),
    Control(test_chk_29_an_attempt_that_lost_its_lease_can_do_nothing, leasing_whatever_is_asked),
    Control(test_chk_29_what_was_found_first_stays, believing_a_lost_lease),
    Control(test_chk_29_an_end_is_whole_or_not_at_all, ending_in_pieces),
    Control(test_chk_29_a_result_changes_its_key_once, ending_twice),
    Control(test_chk_29_a_worker_and_two_sweeps_at_once_end_it_once, ending_twice),
]


@controls(PLANTED)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
