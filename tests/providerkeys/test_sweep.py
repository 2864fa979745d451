"""The sweep: what no living worker will do is done within seconds, and what is old goes."""

from datetime import timedelta

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.utils import timezone

from organizations.access import Access
from providerkeys.models import CredentialCheck, Heartbeat
from providerkeys.providers.verdicts import Verdict
from providerkeys.tasks import sweep
from tests.providerkeys.sample import (
    AFTER_THE_DEADLINE,
    AFTER_THE_LEASE,
    again,
    later,
    pressed,
    saved,
    stored,
    verdicts,
)

pytestmark = [pytest.mark.django_db, pytest.mark.database]
SOON = timedelta(seconds=11)


# Settling


def test_a_check_past_its_deadline_is_settled(alice_access: Access, sent: list[str]) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    with time_machine.travel(later(AFTER_THE_DEADLINE)):
        sweep()
        assert (again(check).state, verdicts(check)) == ("done", [("unreachable", "did_not_finish")])
    after = again(key)
    assert (after.verdict, after.last_check_verdict, after.last_check_reason) == ("", "unreachable", "did_not_finish")
    assert sent == []


def test_a_check_that_two_workers_abandoned_is_settled_before_its_deadline(
    alice_access: Access, sent: list[str]
) -> None:
    check = pressed(alice_access)
    assert check.take()
    with time_machine.travel(later(AFTER_THE_LEASE)):
        assert check.take()
    with time_machine.travel(later(AFTER_THE_LEASE * 2)):
        sweep()
    assert again(check).state == "done"
    assert sent == []


def test_a_verdict_that_was_found_before_the_end_survives_settling(alice_access: Access, sent: list[str]) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    check.take()
    result = check.results.get()
    result.credential_check = check
    assert result.conclude("accepted", Verdict.VALID, 5)
    with time_machine.travel(later(AFTER_THE_DEADLINE)):
        sweep()
    assert verdicts(check) == [("valid", "accepted")]
    assert again(key).verdict == "valid"


def test_a_check_that_is_under_way_is_left_alone(alice_access: Access, sent: list[str]) -> None:
    check = pressed(alice_access)
    check.take()
    with time_machine.travel(later(timedelta(seconds=19))):
        sweep()
    assert (again(check).state, again(check).candidate is None) == ("running", False)
    assert sent == []


# Sending again


@pytest.mark.parametrize(("waited", "times"), [(timedelta(seconds=5), 0), (SOON, 1)])
def test_a_queued_check_is_sent_again_when_nobody_took_it(
    waited: timedelta, times: int, alice_access: Access, sent: list[str]
) -> None:
    check = pressed(alice_access)
    check.send()
    sent.clear()
    with time_machine.travel(later(waited)):
        sweep()
    assert sent == [check.pk] * times


def test_a_check_that_was_never_sent_is_sent_at_once(alice_access: Access, sent: list[str]) -> None:
    check = pressed(alice_access)
    assert again(check).sent_at is None
    sweep()
    sweep()
    assert sent == [check.pk]


def test_an_abandoned_check_is_sent_again_once_its_lease_is_over(alice_access: Access, sent: list[str]) -> None:
    _, check = saved(alice_access)
    assert check is not None
    check.send()
    check.take()
    sent.clear()
    with time_machine.travel(later(timedelta(seconds=19))):
        sweep()
        assert sent == []
    with time_machine.travel(later(AFTER_THE_LEASE)):
        sweep()
        assert sent == [check.pk]


def test_the_oldest_are_sent_first_and_finished_ones_never(alice_access: Access, sent: list[str]) -> None:
    checks = [pressed(alice_access) for _ in range(3)]
    checks[1].take()
    checks[1].finish()
    with time_machine.travel(later(SOON)):
        sweep()
    assert sent == [checks[0].pk, checks[2].pk]


# Heartbeat


def test_each_sweep_stamps_the_one_heartbeat(db: None) -> None:
    assert not Heartbeat.is_fresh()
    for _ in range(2):
        sweep()
    assert Heartbeat.is_fresh()
    assert Heartbeat.objects.count() == 1
    with time_machine.travel(later(timedelta(seconds=61))):
        assert not Heartbeat.is_fresh()
        sweep()
        assert Heartbeat.is_fresh()


# Pruning


@pytest.mark.parametrize(("days", "kept"), [(29, True), (31, False)])
def test_finished_checks_are_kept_for_thirty_days(days: int, kept: bool, alice_access: Access) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    check.take()
    check.finish()
    with time_machine.travel(later(timedelta(days=days))):
        sweep()
    assert CredentialCheck.objects.filter(pk=check.pk).exists() is kept
    assert again(key).last_check_verdict == "unreachable"


def test_ended_sessions_and_old_login_attempts_go_and_others_stay(db: None) -> None:
    now = timezone.now()
    for name, expires in (("ended", now - timedelta(seconds=1)), ("running", now + timedelta(hours=1))):
        Session.objects.create(session_key=name, session_data="", expire_date=expires)
    for name, age in (("old", timedelta(days=2)), ("fresh", timedelta(minutes=5))):
        attempt = AccessAttempt.objects.create(username=name, failures_since_start=1)
        AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=now - age)
    sweep()
    assert list(Session.objects.values_list("session_key", flat=True)) == ["running"]
    assert list(AccessAttempt.objects.values_list("username", flat=True)) == ["fresh"]
