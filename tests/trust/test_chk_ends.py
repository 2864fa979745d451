"""CHK-02 and CHK-10: a candidate goes with its check's end, and a check ends whether or not anybody lives to end it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import connection

from organizations.access import Access
from organizations.models import User
from providerkeys.models import CheckResult, CredentialCheck, ProviderKey, Row
from providerkeys.models.check import CheckQuerySet
from providerkeys.providers import http
from providerkeys.providers.base import Credential
from providerkeys.providers.verdicts import Verdict
from providerkeys.tasks import run_check, sweep
from tests.cast import client_for
from tests.providerkeys.sample import (
    AFTER_THE_DEADLINE,
    AFTER_THE_LEASE,
    LATTER,
    Answerer,
    Door,
    accepted,
    again,
    answer,
    later,
    letterbox,
    limited,
    pressed,
    saved,
    silent,
    stored,
    unknown,
    verdicts,
)
from tests.trust.controls import Control, controls

pytestmark = [pytest.mark.django_db, pytest.mark.database]

type Look = Callable[[CredentialCheck, Access], object]


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    letterbox(monkeypatch)
    return Door.instead(monkeypatch)


def candidate(check: CredentialCheck) -> str | None:
    """What the column really holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT candidate FROM providerkeys_credentialcheck WHERE id = %s", [check.pk])
        found: str | None = cursor.fetchone()[0]
    return found


def poll(check: CredentialCheck, access: Access) -> object:
    return client_for(access.user).get(f"/orgs/acme/provider-keys/checks/{check.pk}/")


def next_press(_: CredentialCheck, access: Access) -> object:
    return pressed(access, secret=LATTER)


def next_sweep(*_: object) -> None:
    sweep()


LOOKS: list[Look] = [poll, next_press, next_sweep]


# CHK-02


@pytest.mark.parametrize("answers", [accepted, limited, unknown, silent, lambda _: answer(500, {})])
def test_chk_02_the_candidate_is_wiped_with_the_result(answers: Answerer, alice_access: Access, door: Door) -> None:
    door.answers = answers
    check = pressed(alice_access)
    assert candidate(check)
    run_check(check.pk)
    assert again(check).results.get().verdict
    assert candidate(check) is None


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("taken", [False, True], ids=["queued", "running"])
def test_chk_02_an_abandoned_candidate_is_wiped_at_the_first_look_past_its_deadline(
    taken: bool, look: Look, alice_access: Access, alice: User, door: Door
) -> None:
    check = pressed(alice_access)
    if taken:
        check.take()
    look(check, alice_access)
    assert candidate(check), "it is still to be tested"
    with time_machine.travel(later(AFTER_THE_DEADLINE)):
        look(check, alice_access)
    assert candidate(check) is None
    assert again(check).state == "done"


def test_chk_02_a_save_leaves_no_candidate_at_all(alice_access: Access, door: Door) -> None:
    _, check = saved(alice_access)
    assert check is not None
    assert candidate(check) is None


# CHK-10


@pytest.mark.parametrize(("attempts", "automatic"), [(0, False), (1, False), (2, False), (0, True), (1, True)])
def test_chk_10_with_everything_gone_a_check_reads_did_not_finish_at_its_deadline(
    attempts: int, automatic: bool, alice_access: Access, door: Door
) -> None:
    check = saved(alice_access)[1] if automatic else pressed(alice_access)
    assert check is not None
    for attempt in range(attempts):
        with time_machine.travel(later(AFTER_THE_LEASE * attempt)):
            assert check.take()
    deadline = timedelta(minutes=15) if automatic else timedelta(seconds=60)
    with time_machine.travel(check.created_at + deadline - timedelta(milliseconds=5), tick=False):
        spent = attempts == 2
        assert (again(check).state_now == "done") is spent
    with time_machine.travel(check.created_at + deadline + timedelta(milliseconds=5), tick=False):
        told = again(check)
        assert (told.state, told.state_now) == ("running" if attempts else "queued", "done")
        (shown,) = told.results_now
        assert (shown.state, shown.verdict) == ("done", "unreachable")
        assert shown.sentence == "The test did not finish in its time. The key was not judged."


@pytest.mark.parametrize("look", LOOKS)
def test_chk_10_whoever_looks_first_settles_it(look: Look, alice_access: Access, alice: User, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    with time_machine.travel(later(AFTER_THE_DEADLINE)):
        look(check, alice_access)
        look(check, alice_access)
    assert again(check).state == "done"
    assert verdicts(check) == [("unreachable", "did_not_finish")]
    assert (again(key).verdict, again(key).last_check_reason) == ("", "did_not_finish")


def test_chk_10_a_worker_that_comes_back_after_the_deadline_changes_nothing(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)

    def hang(_: http.Request) -> http.Answer:
        clock.shift(61)
        again(check).settle()
        return answer(200, {"data": []})

    door.answers = hang
    with time_machine.travel(later(timedelta(0))) as clock:
        run_check(check.pk)
    assert verdicts(check) == [("unreachable", "did_not_finish")]
    assert (again(key).verdict, again(key).last_check_reason) == ("", "did_not_finish")


# Controls


def keeping_the_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    def finish(check: CredentialCheck) -> bool:
        return bool(CredentialCheck.objects.filter(pk=check.pk).update(state="done"))

    monkeypatch.setattr(CredentialCheck, "finish", finish)


def settling_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CheckQuerySet, "overdue", lambda checks, _: checks.none())


def believing_the_stored_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CredentialCheck, "state_now", property(lambda check: check.state))


def testing_what_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Row(fingerprint="", credential=Credential(LATTER))]
    monkeypatch.setattr(ProviderKey, "stored_rows", lambda _: rows)


def writing_whatever_comes_late(monkeypatch: pytest.MonkeyPatch) -> None:
    def conclude(result: CheckResult, reason: str, verdict: Verdict, milliseconds: int) -> bool:
        return bool(CheckResult.objects.filter(pk=result.pk).update(reason=reason, verdict=verdict))

    monkeypatch.setattr(CheckResult, "conclude", conclude)
    monkeypatch.setattr(CredentialCheck, "renew", lambda _: True)


ABANDONED = test_chk_02_an_abandoned_candidate_is_wiped_at_the_first_look_past_its_deadline


@controls(
    [
        Control(test_chk_02_the_candidate_is_wiped_with_the_result, keeping_the_candidate, {"answers": accepted}),
        *(Control(ABANDONED, settling_nothing, {"look": look, "taken": True}) for look in LOOKS),
        Control(test_chk_02_a_save_leaves_no_candidate_at_all, testing_what_was_typed),
        Control(
            test_chk_10_with_everything_gone_a_check_reads_did_not_finish_at_its_deadline,
            believing_the_stored_state,
            {"attempts": 1, "automatic": False},
        ),
        *(Control(test_chk_10_whoever_looks_first_settles_it, settling_nothing, {"look": look}) for look in LOOKS),
        Control(test_chk_10_a_worker_that_comes_back_after_the_deadline_changes_nothing, writing_whatever_comes_late),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
