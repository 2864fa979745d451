"""How many checks an organization may start: the cap that is the fairness rule, and the wait that it tells."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from organizations.access import Access
from organizations.models import AuditEvent
from providerkeys.models import CredentialCheck, TooManyChecks
from tests.providerkeys.sample import AFTER_THE_DEADLINE, AFTER_THE_LEASE, at_once, later, letterbox, pressed, saved

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    letterbox(monkeypatch)


def finished(access: Access) -> None:
    check = pressed(access)
    assert check.take()
    assert check.finish()


def test_presses_a_minute_are_limited_and_the_wait_is_told(alice_access: Access, settings: Settings) -> None:
    settings.CHECKS_PER_MINUTE = 2
    start = timezone.now()
    for seconds in (0, 10):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            finished(alice_access)
    with time_machine.travel(start + timedelta(seconds=20), tick=False):
        with pytest.raises(TooManyChecks) as refused:
            pressed(alice_access)
        assert refused.value.wait == 40
    with time_machine.travel(start + timedelta(seconds=20 + refused.value.wait), tick=False):
        pressed(alice_access)


def test_a_limit_that_was_lowered_still_tells_the_whole_wait(alice_access: Access, settings: Settings) -> None:
    start = timezone.now()
    for seconds in (0, 10, 20):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            finished(alice_access)
    settings.CHECKS_PER_MINUTE = 1
    with time_machine.travel(start + timedelta(seconds=30), tick=False):
        with pytest.raises(TooManyChecks) as refused:
            pressed(alice_access)
        assert refused.value.wait == 50


def test_unfinished_checks_are_limited_until_one_ends(alice_access: Access, settings: Settings) -> None:
    settings.CHECKS_UNFINISHED = 2
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        former = pressed(alice_access)
    with time_machine.travel(start + timedelta(seconds=15), tick=False):
        pressed(alice_access)
        with pytest.raises(TooManyChecks) as refused:
            pressed(alice_access)
        assert refused.value.wait == 45
        former.take()
        former.finish()
        pressed(alice_access)


def test_a_refused_press_leaves_no_trace(alice_access: Access, settings: Settings) -> None:
    settings.CHECKS_UNFINISHED = 1
    check = pressed(alice_access)
    events = AuditEvent.objects.count()
    with pytest.raises(TooManyChecks):
        pressed(alice_access)
    assert list(CredentialCheck.objects.all()) == [check]
    assert AuditEvent.objects.count() == events


def test_another_organization_is_not_affected(alice_access: Access, charlie_access: Access, settings: Settings) -> None:
    settings.CHECKS_UNFINISHED = settings.CHECKS_PER_MINUTE = 1
    pressed(alice_access)
    with pytest.raises(TooManyChecks):
        pressed(alice_access)
    pressed(charlie_access)


def test_automatic_checks_count_as_unfinished_and_not_as_presses(alice_access: Access, settings: Settings) -> None:
    settings.CHECKS_PER_MINUTE = 1
    assert saved(alice_access)[1] is not None
    pressed(alice_access)
    settings.CHECKS_PER_MINUTE, settings.CHECKS_UNFINISHED = 60, 2
    with pytest.raises(TooManyChecks):
        pressed(alice_access)


def test_overdue_checks_are_settled_by_the_next_press_and_block_nobody(
    alice_access: Access, settings: Settings
) -> None:
    settings.CHECKS_UNFINISHED = 1
    abandoned = pressed(alice_access)
    with time_machine.travel(later(AFTER_THE_DEADLINE)):
        pressed(alice_access)
    abandoned.refresh_from_db()
    assert (abandoned.state, abandoned.candidate) == ("done", None)


def test_a_check_out_of_attempts_blocks_nobody_until_its_deadline(alice_access: Access, settings: Settings) -> None:
    settings.CHECKS_UNFINISHED = 1
    _, spent = saved(alice_access)
    assert spent is not None
    assert spent.take()
    with time_machine.travel(later(AFTER_THE_LEASE)):
        assert spent.take()
    with time_machine.travel(later(AFTER_THE_LEASE * 2)):
        pressed(alice_access)
    spent.refresh_from_db()
    assert spent.state == "done"


def test_a_refused_press_settles_too(alice_access: Access, settings: Settings) -> None:
    settings.CHECKS_PER_MINUTE = 1
    _, overdue = saved(alice_access)
    assert overdue is not None
    with time_machine.travel(later(timedelta(minutes=16))):
        pressed(alice_access)
        CredentialCheck.objects.filter(pk=overdue.pk).update(state="queued", finished_at=None)
        with pytest.raises(TooManyChecks):
            pressed(alice_access)
    overdue.refresh_from_db()
    assert overdue.state == "done"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", ["CHECKS_UNFINISHED", "CHECKS_PER_MINUTE"])
def test_of_two_presses_at_the_limit_exactly_one_passes(limit: str, alice_access: Access, settings: Settings) -> None:
    setattr(settings, limit, 3)
    for _ in range(2):
        pressed(alice_access)
    outcomes = at_once(*[lambda: pressed(alice_access)] * 2)
    assert {type(outcome) for outcome in outcomes} == {CredentialCheck, TooManyChecks}
    assert CredentialCheck.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_press_and_a_save_at_the_limit_share_what_is_left(alice_access: Access, settings: Settings) -> None:
    settings.CHECKS_UNFINISHED = 1
    at_once(lambda: pressed(alice_access), lambda: saved(alice_access))
    assert CredentialCheck.objects.count() == 1


def test_deleting_a_key_refunds_no_press(alice_access: Access, settings: Settings) -> None:
    settings.CHECKS_PER_MINUTE = 2
    key, _ = saved(alice_access)
    for _ in range(2):
        CredentialCheck.press(alice_access, key.provider, key.stored_rows(), key)
    key.delete_by(alice_access)
    assert not CredentialCheck.objects.filter(automatic=False).exists()
    with pytest.raises(TooManyChecks):
        pressed(alice_access)


def test_a_minute_full_of_saves_leaves_the_next_one_untested(alice_access: Access, settings: Settings) -> None:
    settings.CHECKS_PER_MINUTE = 3
    assert all(saved(alice_access)[1] for _ in range(3))
    key, check = saved(alice_access)
    assert check is None
    assert key.last_check is None
