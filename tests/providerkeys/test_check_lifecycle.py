"""A check from the press to its end: what it holds, what it says at each moment, and what it leaves on the key."""

import socket
import time
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from celery import current_app
from django.db import IntegrityError, OperationalError, connection, transaction

from organizations.access import Access
from organizations.models import AuditEvent
from providerkeys import badges
from providerkeys.models import CredentialCheck, ProviderKey
from providerkeys.providers import http
from providerkeys.providers.verdicts import Verdict
from providerkeys.tasks import run_check
from tests.providerkeys.sample import (
    AFTER_THE_DEADLINE,
    AFTER_THE_LEASE,
    FORMER,
    LATTER,
    Answerer,
    Door,
    accepted,
    again,
    later,
    limited,
    pressed,
    saved,
    silent,
    stored,
    unknown,
    verdicts,
)

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    return Door.instead(monkeypatch)


# The walk


def test_a_typed_secret_is_tested_and_told(alice_access: Access, door: Door) -> None:
    check = pressed(alice_access, secret=LATTER)
    assert (check.state, check.automatic, check.deadline_seconds) == ("queued", False, 60)
    run_check(check.pk)
    done = again(check)
    assert (done.state, done.attempt, done.candidate, done.lease_until) == ("done", 1, None, None)
    assert door.secrets == [LATTER]
    (shown,) = done.results_now
    assert (shown.state, shown.word, shown.sentence) == ("done", "Valid", "OpenAI accepted the key.")
    assert done.verdict == "valid"


def test_a_stored_key_is_tested_by_its_stored_bytes(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    assert check.candidate is None
    run_check(check.pk)
    assert door.secrets == [FORMER]
    after = again(key)
    assert (after.verdict, after.reason, after.status_badges) == ("valid", "accepted", [badges.ACTIVE])
    assert after.verdict_at == after.last_check_at == again(check).finished_at


def test_an_automatic_check_has_fifteen_minutes(alice_access: Access, door: Door) -> None:
    _, check = saved(alice_access)
    assert check is not None
    assert (check.automatic, check.deadline_seconds) == (True, 15 * 60)


def test_a_press_is_recorded_with_its_target(alice_access: Access) -> None:
    key = stored(alice_access)
    pressed(alice_access, key)
    check = pressed(alice_access)
    targets = AuditEvent.objects.filter(action="credentials.tested").order_by("at")
    assert [event.target_id for event in targets] == [key.pk, check.pk]


@pytest.mark.parametrize(
    ("answers", "verdict", "badge"),
    [
        (accepted, "valid", [badges.ACTIVE]),
        (limited, "limited", [badges.ACTIVE, badges.LIMITED]),
        (unknown, "invalid", [badges.FAILING]),
        (silent, "", [badges.ACTIVE, badges.UNTESTED]),
    ],
)
def test_each_verdict_on_the_key(
    answers: Answerer, verdict: str, badge: list[badges.Badge], alice_access: Access, door: Door
) -> None:
    door.answers = answers
    key = stored(alice_access)
    run_check(pressed(alice_access, key).pk)
    assert (again(key).verdict, again(key).status_badges) == (verdict, badge)


# At each moment


def test_the_page_is_told_the_truth_at_each_moment(alice_access: Access, door: Door) -> None:
    check = pressed(alice_access)
    assert (check.state_now, check.waiting_long, [row.state for row in check.results_now]) == (
        "queued",
        False,
        ["queued"],
    )
    with time_machine.travel(later(timedelta(seconds=6))):
        assert check.waiting_long
    check.take()
    assert (again(check).state_now, again(check).waiting_long) == ("running", False)
    assert check.verdict == ""
    with time_machine.travel(later(AFTER_THE_DEADLINE)):
        (shown,) = again(check).results_now
        assert (shown.state, shown.verdict) == ("done", "unreachable")
        assert "did not finish" in shown.sentence


def test_a_finished_row_is_shown_while_the_check_runs(alice_access: Access) -> None:
    check = pressed(alice_access)
    check.take()
    result = check.results.get()
    result.credential_check = check
    assert result.conclude("accepted", Verdict.VALID, 1234)
    (shown,) = again(check).results_now
    assert (again(check).state_now, shown.state, shown.verdict, shown.seconds) == ("running", "done", "valid", "1.2 s")


# What may go wrong in a worker


def test_a_mistake_in_a_providers_file_is_unreachable_and_logs_no_secret(
    alice_access: Access, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: http.Request) -> http.Answer:
        raise RuntimeError(request.headers["Authorization"])

    door.answers = broken
    check = pressed(alice_access)
    run_check(check.pk)
    assert verdicts(check) == [("unreachable", "unexpected")]
    assert "RuntimeError" in caplog.text
    assert FORMER[-12:] not in caplog.text


@pytest.mark.parametrize("step", ["renew", "finish"])
def test_a_database_that_locks_the_worker_out_says_nothing_of_the_key_and_another_attempt_does(
    step: str, alice_access: Access, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lock_out(_: CredentialCheck) -> bool:
        raise OperationalError("database is locked")

    check = pressed(alice_access)
    with monkeypatch.context() as locked:
        locked.setattr(CredentialCheck, step, lock_out)
        run_check(check.pk)
    assert (again(check).state_now, {verdict for verdict, _ in verdicts(check)} - {"", "valid"}) == ("running", set())
    with time_machine.travel(later(AFTER_THE_LEASE)):
        run_check(check.pk)
        assert (again(check).state, again(check).verdict, again(check).attempt) == ("done", "valid", 2)


def test_a_secret_that_cannot_be_opened_is_not_sent(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    ProviderKey.objects.filter(pk=key.pk).update(provider="anthropic")
    check = pressed(alice_access, again(key))
    run_check(check.pk)
    assert (door.secrets, verdicts(check)) == ([], [("unreachable", "unreadable")])
    assert not again(key).readable
    assert AuditEvent.objects.filter(action="provider_key.unreadable", target_id=key.pk).count() == 1


def test_a_secret_that_can_be_opened_again_is_readable_again(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    key.found_unreadable()
    assert not again(key).readable
    run_check(pressed(alice_access, key).pk)
    assert again(key).readable


def test_a_verdict_goes_only_to_the_bytes_that_were_tested(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    ProviderKey.objects.filter(pk=key.pk).update(fingerprint="of other bytes")
    run_check(check.pk)
    assert (again(check).verdict, again(key).verdict, again(key).last_check_at) == ("valid", "", None)


def test_a_check_of_a_provider_that_is_gone_ends_at_its_deadline(alice_access: Access, door: Door) -> None:
    check = pressed(alice_access)
    CredentialCheck.objects.filter(pk=check.pk).update(provider="vanished")
    run_check(check.pk)
    with time_machine.travel(later(AFTER_THE_DEADLINE)):
        gone = again(check)
        assert (gone.state_now, gone.verdict, door.probes) == ("done", "unreachable", 0)
        assert gone.settle()


@pytest.mark.parametrize("check_id", ["chk_unknown", "", "pk_0", "'; DROP TABLE"])
def test_a_forged_message_does_nothing(check_id: str, db: None, door: Door) -> None:
    run_check(check_id)
    assert door.probes == 0


# The database's own rules


@pytest.mark.parametrize(
    "columns",
    [
        {"state": "finished"},
        {"attempt": 3},
        {"state": "done"},
        {"state": "done", "candidate": None},
    ],
)
def test_the_database_refuses_what_no_check_can_be(columns: dict[str, object], alice_access: Access) -> None:
    check = pressed(alice_access)
    with pytest.raises(IntegrityError), transaction.atomic():
        CredentialCheck.objects.filter(pk=check.pk).update(**columns)


def test_the_candidate_is_ciphertext_in_its_column(alice_access: Access) -> None:
    check = pressed(alice_access)
    with connection.cursor() as cursor:
        cursor.execute("SELECT candidate FROM providerkeys_credentialcheck WHERE id = %s", [check.pk])
        (stored_candidate,) = cursor.fetchone()
        assert stored_candidate.startswith("gAAAA")
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute("UPDATE providerkeys_credentialcheck SET candidate = 'in clear' WHERE id = %s", [check.pk])


# The broker


def redirect_messages(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", url)
    monkeypatch.setattr(current_app.amqp, "_producer_pool", None)


@pytest.mark.parametrize("frozen", [False, True], ids=["gone", "frozen"])
def test_a_broker_that_is_away_costs_a_press_a_moment_and_nothing_else(
    frozen: bool,
    alice_access: Access,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        if frozen:
            listener.bind(str(tmp_path / "b"))
            listener.listen()
        redirect_messages(monkeypatch, f"redis+socket://{tmp_path / 'b'}")
        check = pressed(alice_access)
        started = time.monotonic()
        check.send()
        assert time.monotonic() - started < 3
    waiting = again(check)
    assert (waiting.state, waiting.sent_at is not None) == ("queued", True)
    assert f"check {check.pk} is queued but not sent" in caplog.text
