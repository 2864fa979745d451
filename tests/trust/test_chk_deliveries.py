"""CHK-20 to 27: the same message twice, at once, late, out of order, or for what is gone: one probe run an attempt."""

import threading
from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from organizations.access import Access
from organizations.models import Organization
from providerkeys.models import CheckResult, CredentialCheck, ProviderKey
from providerkeys.providers import http
from providerkeys.tasks import run_check, sweep
from tests.providerkeys.sample import (
    AFTER_THE_LEASE,
    FORMER,
    LATTER,
    Door,
    accepted,
    again,
    at_once,
    later,
    letterbox,
    pressed,
    replaced,
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


def judged_at(key: ProviderKey) -> datetime | None:
    return again(key).verdict_at


@pytest.mark.parametrize("times", [2, 10])
def test_chk_20_the_same_message_again_and_again(times: int, alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    run_check(check.pk)
    judged = judged_at(key)
    door.answers = unknown
    for _ in range(times - 1):
        run_check(check.pk)
    assert door.probes == 1
    assert_done(check, key, "valid")
    assert judged_at(key) == judged


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("times", [2, 8])
def test_chk_21_the_same_message_at_once(times: int, alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    assert at_once(*[lambda: run_check(check.pk)] * times) == [None] * times
    assert door.probes == 1
    assert_done(check, key, "valid")


@pytest.mark.django_db(transaction=True)
def test_chk_21_the_second_attempt_at_once(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    door.answers = killed
    deliver_to_a_dying_worker(check)
    door.answers = accepted
    with time_machine.travel(later(AFTER_THE_LEASE)):
        at_once(*[lambda: run_check(check.pk)] * 4)
    assert door.probes == 2
    assert_done(check, key, "valid", attempts=2)


def test_chk_22_while_another_worker_has_it(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)

    def again_meanwhile(_: http.Request) -> http.Answer:
        door.answers = accepted
        run_check(check.pk)
        return accepted(_)

    door.answers = again_meanwhile
    run_check(check.pk)
    assert door.probes == 1
    assert_done(check, key, "valid")


def test_chk_23_after_its_end(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    check.take()
    check.finish()
    ended = again(check).finished_at
    run_check(check.pk)
    with time_machine.travel(later(AFTER_THE_LEASE)):
        run_check(check.pk)
    assert (door.probes, verdicts(check)) == (0, [("unreachable", "did_not_finish")])
    assert again(check).finished_at == ended


def test_chk_24_after_the_key_was_replaced(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    replaced(alice_access, key, LATTER)
    run_check(check.pk)
    assert (door.secrets, verdicts(check)) == ([], [("unreachable", "changed")])
    assert_knows_nothing(key)


def test_chk_24_the_key_is_replaced_during_the_probe(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)

    def replace_meanwhile(_: http.Request) -> http.Answer:
        replaced(alice_access, key, LATTER)
        return unknown(_)

    door.answers = replace_meanwhile
    run_check(check.pk)
    assert (door.secrets, verdicts(check)) == ([FORMER], [("invalid", "unknown_key")])
    assert_knows_nothing(key)


def test_chk_24_the_same_bytes_are_saved_again_during_the_probe(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)

    def save_meanwhile(_: http.Request) -> http.Answer:
        replaced(alice_access, key, FORMER)
        return accepted(_)

    door.answers = save_meanwhile
    run_check(check.pk)
    assert_knows_nothing(key)


def test_chk_25_after_its_key_or_its_organization_was_deleted(alice_access: Access, door: Door) -> None:
    checks = [pressed(alice_access, stored(alice_access)) for _ in range(2)]
    ProviderKey.objects.get(pk=checks[0].provider_key_id).delete_by(alice_access)
    run_check(checks[0].pk)
    Organization.objects.get(pk=alice_access.organization.pk).delete()
    run_check(checks[1].pk)
    assert (door.probes, CredentialCheck.objects.count()) == (0, 0)


@pytest.mark.parametrize("stored_key", [True, False], ids=["stored", "typed"])
def test_chk_25_its_organization_is_deleted_during_the_probe(
    stored_key: bool, alice_access: Access, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    check = pressed(alice_access, stored(alice_access) if stored_key else None)

    def delete_meanwhile(_: http.Request) -> http.Answer:
        Organization.objects.get(pk=alice_access.organization.pk).delete()
        return accepted(_)

    door.answers = delete_meanwhile
    run_check(check.pk)
    assert (door.probes, CredentialCheck.objects.count(), CheckResult.objects.count()) == (1, 0, 0)
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


@pytest.mark.parametrize("seconds", [61, 3600])
def test_chk_26_too_late(seconds: int, alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    with time_machine.travel(later(timedelta(seconds=seconds))):
        run_check(check.pk)
        assert (again(check).state_now, again(check).verdict) == ("done", "unreachable")
        sweep()
        run_check(check.pk)
    assert (door.probes, verdicts(check)) == (0, [("unreachable", "did_not_finish")])
    assert again(key).verdict == ""


def test_chk_27_two_checks_of_one_key_out_of_order(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    former, latter = pressed(alice_access, key), pressed(alice_access, key)
    run_check(latter.pk)
    door.answers = unknown
    run_check(former.pk)
    run_check(latter.pk)
    assert door.probes == 2
    assert (again(latter).verdict, again(former).verdict) == ("valid", "invalid")
    # The provider's latest word counts, whichever press it answers.
    assert (again(key).verdict, judged_at(key)) == ("invalid", again(former).finished_at)


def test_chk_27_the_message_of_the_first_attempt_comes_after_the_seconds(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    check.take()
    with time_machine.travel(later(AFTER_THE_LEASE)):
        run_check(check.pk)
        door.answers = unknown
        run_check(check.pk)
    assert door.probes == 1
    assert_done(check, key, "valid", attempts=2)


# Controls


def looking_before_taking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read, then write: here all eight have read before the first one writes."""
    all_have_read = threading.Barrier(8)

    def take(check: CredentialCheck) -> bool:
        free = again(check).state == "queued"
        all_have_read.wait(timeout=5)
        check.state, check.attempt, check.lease_until = "running", 1, timezone.now()
        check.save()
        return free

    monkeypatch.setattr(CredentialCheck, "take", take)


def judging_whatever_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    def apply_to(result: CheckResult, record: str, _: int, at: datetime) -> None:
        ProviderKey.objects.filter(pk=record).update(**ProviderKey.columns_for(result.verdict, result.reason, at))

    monkeypatch.setattr(CheckResult, "apply_to", apply_to)


def judging_by_bytes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def apply_to(result: CheckResult, record: str, _: int, at: datetime) -> None:
        same = ProviderKey.objects.filter(pk=record, fingerprint=result.fingerprint)
        same.update(**ProviderKey.columns_for(result.verdict, result.reason, at))

    monkeypatch.setattr(CheckResult, "apply_to", apply_to)


def calling_a_deletion_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CredentialCheck, "renew", lambda check: again(check) is not None)


def ignoring_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    def take(check: CredentialCheck) -> bool:
        CredentialCheck.objects.filter(pk=check.pk).update(deadline=timezone.now() + timedelta(minutes=1))
        return really(check)

    really = CredentialCheck.take
    monkeypatch.setattr(CredentialCheck, "take", take)


PLANTED = [
    Control(test_chk_20_the_same_message_again_and_again, taking_what_is_done, {"times": 2}),
    Control(test_chk_21_the_same_message_at_once, looking_before_taking, {"times": 8}),
    Control(test_chk_22_while_another_worker_has_it, taking_what_is_done),
    Control(test_chk_23_after_its_end, taking_what_is_done),
    Control(test_chk_24_the_key_is_replaced_during_the_probe, judging_whatever_is_stored),
    Control(test_chk_24_after_the_key_was_replaced, judging_whatever_is_stored),
    Control(test_chk_24_the_same_bytes_are_saved_again_during_the_probe, judging_by_bytes_alone),
    Control(
        test_chk_25_its_organization_is_deleted_during_the_probe, calling_a_deletion_a_mistake, {"stored_key": True}
    ),
    Control(test_chk_26_too_late, ignoring_the_deadline, {"seconds": 3600}),
    Control(test_chk_27_two_checks_of_one_key_out_of_order, taking_what_is_done),
    Control(test_chk_27_the_message_of_the_first_attempt_comes_after_the_seconds, taking_what_is_done),
]


@controls(PLANTED)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
