"""CHK-20 to 29: however a message comes, an attempt has one probe run, a check two attempts, a result one effect."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from organizations.access import Access
from organizations.models import Organization
from providerkeys.models import CheckResult, CredentialCheck, ProviderKey
from providerkeys.models.check import CheckQuerySet
from providerkeys.providers import http
from providerkeys.providers.verdicts import Verdict
from providerkeys.tasks import run_check, sweep
from tests.providerkeys.sample import (
    AFTER_THE_LEASE,
    FORMER,
    LATTER,
    Answerer,
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
from tests.trust.chk import Control, controls

pytestmark = [pytest.mark.django_db, pytest.mark.database]


class Killed(BaseException):
    """What happens to a worker's process in mid-probe: nothing catches it."""


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    letterbox(monkeypatch)
    return Door.instead(monkeypatch)


def killed(*_: object) -> http.Answer:
    raise Killed


def deliver_to_a_dying_worker(check: CredentialCheck) -> None:
    with suppress(Killed):
        run_check(check.pk)


def judged_at(key: ProviderKey) -> datetime | None:
    return again(key).verdict_at


def assert_done(check: CredentialCheck, key: ProviderKey, verdict: str, attempts: int = 1) -> None:
    done = again(check)
    assert (done.state, done.attempt, done.verdict, again(key).verdict) == ("done", attempts, verdict, verdict)


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


def assert_knows_nothing(key: ProviderKey) -> None:
    """The bytes that are stored now have never been tested."""
    now = again(key)
    assert (now.verdict, now.verdict_at, now.last_check_verdict, now.last_check_at) == ("", None, "", None)


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


def taking_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def take(check: CredentialCheck) -> bool:
        check.state, check.attempt, check.finished_at = "running", check.attempt % 2 + 1, None
        check.save()
        CheckResult.objects.filter(credential_check=check).update(verdict="")
        return True

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
