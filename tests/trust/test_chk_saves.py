"""CHK-03 and CHK-05: a saved key's verdict is that of its very bytes, tested by the same user lately, or there is none."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine

from organizations.access import Access, access_for
from organizations.models import Membership, Role, User
from providerkeys import badges
from providerkeys.models import CheckResult, CredentialCheck, ProviderKey
from providerkeys.tasks import run_check
from tests.cast import IP, client_for, member_of
from tests.providerkeys.sample import (
    AFTER_THE_DEADLINE,
    FORMER,
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
    replaced,
    saved,
    silent,
    stored,
    typed,
    unknown,
)
from tests.trust.controls import Control, Plant, controls

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    letterbox(monkeypatch)
    return Door.instead(monkeypatch)


def judged(access: Access, secret: str = FORMER, provider: str = "openai") -> CredentialCheck:
    """A press, and the worker's answer to it."""
    check = CredentialCheck.press(access, provider, [typed(access, secret)])
    run_check(check.pk)
    return again(check)


def assert_untested(access: Access, secret: str = FORMER) -> None:
    """Saved now, the key is untested and a check of its own is queued for it."""
    key, check = saved(access, secret)
    assert key.status_badges == [badges.ACTIVE, badges.UNTESTED]
    assert (key.verdict, key.reason, key.verdict_at, key.last_check_verdict) == ("", "", None, "")
    assert check is not None
    assert (check.provider_key_id, check.state, check.automatic) == (key.pk, "queued", True)


# CHK-03


def test_chk_03_never_tested(alice_access: Access, door: Door) -> None:
    assert_untested(alice_access)
    assert door.probes == 0


def test_chk_03_the_test_is_still_queued(alice_access: Access, door: Door) -> None:
    pressed(alice_access)
    assert_untested(alice_access)


def test_chk_03_the_test_is_still_running(alice_access: Access, door: Door) -> None:
    pressed(alice_access).take()
    assert_untested(alice_access)


@pytest.mark.parametrize("settled", [False, True])
def test_chk_03_the_test_did_not_finish(settled: bool, alice_access: Access, door: Door) -> None:
    check = pressed(alice_access)
    with time_machine.travel(later(AFTER_THE_DEADLINE)):
        assert not settled or check.settle()
        assert_untested(alice_access)


def test_chk_03_the_stored_bytes_could_not_be_opened_to_be_tested(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    ProviderKey.objects.filter(pk=key.pk).update(credentials_version=7)
    run_check(pressed(alice_access, again(key)).pk)
    assert again(key).last_check_reason == "unreadable"
    assert_untested(alice_access)


def test_chk_03_other_bytes_were_there_when_the_test_came(alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    check = pressed(alice_access, key)
    replaced(alice_access, key, LATTER)
    run_check(check.pk)
    assert check.results.get().reason == "changed"
    assert_untested(alice_access)


@pytest.mark.parametrize(
    ("answers", "verdict", "badge"),
    [
        (accepted, "valid", [badges.ACTIVE]),
        (limited, "limited", [badges.ACTIVE, badges.LIMITED]),
        (unknown, "invalid", [badges.FAILING]),
        (lambda _: answer(403, {"error": {"code": "account_deactivated"}}), "forbidden", [badges.FAILING]),
        (silent, "", [badges.ACTIVE, badges.UNTESTED]),
    ],
    ids=["valid", "limited", "invalid", "forbidden", "unreachable"],
)
def test_chk_03_tested_bytes_arrive_with_their_verdict_even_invalid(
    answers: Answerer, verdict: str, badge: list[badges.Badge], alice_access: Access, door: Door
) -> None:
    door.answers = answers
    check = judged(alice_access)
    key, queued = saved(alice_access)
    assert (key.verdict, key.status_badges, queued) == (verdict, badge, None)
    assert key.last_check_verdict == check.verdict
    assert key.last_check_at == check.finished_at
    assert key.verdict_at == (check.finished_at if verdict else None)


def test_chk_03_an_unreachable_provider_does_not_undo_the_verdict_before(alice_access: Access, door: Door) -> None:
    before = judged(alice_access)
    door.answers = silent
    after = judged(alice_access)
    key, queued = saved(alice_access)
    assert (key.verdict, key.verdict_at, queued) == ("valid", before.finished_at, None)
    assert (key.last_check_verdict, key.last_check_at) == ("unreachable", after.finished_at)


def test_chk_03_the_latest_verdict_counts(alice_access: Access, door: Door) -> None:
    judged(alice_access)
    door.answers = unknown
    judged(alice_access)
    assert saved(alice_access)[0].verdict == "invalid"


def test_chk_03_a_replaced_secret_starts_anew(alice_access: Access, door: Door) -> None:
    judged(alice_access)
    key, _ = saved(alice_access)
    replaced(alice_access, key, LATTER)
    check = CredentialCheck.follow_save(alice_access, again(key))
    assert again(key).status_badges == [badges.ACTIVE, badges.UNTESTED]
    assert check is not None
    run_check(check.pk)
    assert (again(key).verdict, door.secrets) == ("valid", [FORMER, LATTER])


# CHK-05


def test_chk_05_a_foreign_check_is_not_there(alice_access: Access, charlie: User, door: Door) -> None:
    check = pressed(alice_access)
    stranger, member = client_for(charlie), client_for(alice_access.user)
    for url in (f"/orgs/acme/provider-keys/checks/{check.pk}/", f"/orgs/globex/provider-keys/checks/{check.pk}/"):
        assert stranger.get(url).status_code == 404
        assert stranger.get(url, headers={"HX-Request": "true"}).status_code == 404
    assert member.get(f"/orgs/acme/provider-keys/checks/{check.pk}/").status_code == 200


def test_chk_05_ones_own_fresh_check_counts(alice_access: Access, door: Door) -> None:
    judged(alice_access)
    with time_machine.travel(later(timedelta(minutes=14, seconds=58))):
        assert saved(alice_access)[0].verdict == "valid"


def test_chk_05_another_users_check_does_not_count(alice_access: Access, door: Door) -> None:
    erin = member_of(alice_access.organization, "Erin", Role.ADMIN)
    judged(access_for(erin, "acme", IP))
    assert_untested(alice_access)


def test_chk_05_another_providers_check_does_not_count(alice_access: Access, door: Door) -> None:
    CredentialCheck.objects.filter(pk=judged(alice_access).pk).update(provider="anthropic")
    assert_untested(alice_access)


def test_chk_05_another_organizations_check_does_not_count(
    alice_access: Access, charlie_access: Access, door: Door
) -> None:
    member_of_both = Access(charlie_access.organization, alice_access.user, Role.ADMIN, alice_access.actor)
    Membership.objects.create(organization=charlie_access.organization, user=alice_access.user, role=Role.ADMIN)
    judged(member_of_both)
    assert_untested(alice_access)


def test_chk_05_a_check_of_other_bytes_does_not_count(alice_access: Access, door: Door) -> None:
    judged(alice_access, LATTER)
    assert_untested(alice_access)


def test_chk_05_a_quarter_of_an_hour_is_too_old(alice_access: Access, door: Door) -> None:
    judged(alice_access)
    with time_machine.travel(later(timedelta(minutes=15))):
        assert_untested(alice_access)


# Controls


def ignoring(*conditions: str) -> Plant:
    """A ``carry`` that forgets to ask for ``conditions``."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        manager = CheckResult.objects
        real = manager.filter

        def forgetful(*args: object, **kwargs: object) -> object:
            return real(*args, **{name: value for name, value in kwargs.items() if name not in conditions})

        monkeypatch.setattr(manager, "filter", forgetful)

    plant.__name__ = "ignoring_" + "_and_".join(name.rpartition("__")[2] for name in conditions)
    return plant


def judging_by_what_was_not_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providerkeys.models.check_result._NOT_ASKED", frozenset())


def carrying_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CheckResult, "carry", lambda *_: False)


def queuing_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CredentialCheck, "follow_save", lambda *_: None)


def keeping_the_former_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProviderKey, "forget_verdict", lambda _: None)


def opening_every_organization(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Access, "all", lambda _, model: model.objects.all())


WHO, WHERE = "credential_check__requested_by", "credential_check__organization"
FINISHED = "credential_check__finished_at__gt"
UNREADABLE = test_chk_03_the_stored_bytes_could_not_be_opened_to_be_tested
CARRIED = test_chk_03_tested_bytes_arrive_with_their_verdict_even_invalid
PLANTED: list[tuple[Callable[..., None], Plant]] = [
    (test_chk_03_never_tested, queuing_nothing),
    (test_chk_03_the_test_is_still_queued, queuing_nothing),
    (test_chk_03_the_test_is_still_running, queuing_nothing),
    (UNREADABLE, judging_by_what_was_not_tested),
    (test_chk_03_other_bytes_were_there_when_the_test_came, judging_by_what_was_not_tested),
    (test_chk_03_an_unreachable_provider_does_not_undo_the_verdict_before, carrying_nothing),
    (test_chk_03_the_latest_verdict_counts, carrying_nothing),
    (test_chk_03_a_replaced_secret_starts_anew, keeping_the_former_verdict),
    (test_chk_05_a_foreign_check_is_not_there, opening_every_organization),
    (test_chk_05_ones_own_fresh_check_counts, carrying_nothing),
    (test_chk_05_another_users_check_does_not_count, ignoring(WHO)),
    (test_chk_05_another_providers_check_does_not_count, ignoring("credential_check__provider")),
    (test_chk_05_another_organizations_check_does_not_count, ignoring(WHERE, "fingerprint")),
    (test_chk_05_a_check_of_other_bytes_does_not_count, ignoring("fingerprint")),
    (test_chk_05_a_quarter_of_an_hour_is_too_old, ignoring(FINISHED)),
]


@controls(
    [
        *(Control(case, plant) for case, plant in PLANTED),
        Control(test_chk_03_the_test_did_not_finish, judging_by_what_was_not_tested, {"settled": True}),
        Control(CARRIED, carrying_nothing, {"answers": unknown, "verdict": "invalid", "badge": [badges.FAILING]}),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
