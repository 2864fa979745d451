"""A right that was withdrawn between the press and the worker: nothing is sent, and nothing of the key changes."""

from collections.abc import Callable

import pytest

from organizations.access import Access
from organizations.models import Membership, Role, User
from providerkeys.models import CredentialCheck, ProviderKey
from providerkeys.providers import http
from providerkeys.tasks import run_check
from tests.providerkeys import regions
from tests.providerkeys.regions import rows
from tests.providerkeys.sample import LATTER, Door, accepted, again, letterbox, pressed, saved, stored, verdicts

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    letterbox(monkeypatch)
    return Door.instead(monkeypatch)


def removed(alice: User) -> None:
    Membership.objects.filter(user=alice).delete()


def demoted(alice: User) -> None:
    Membership.objects.filter(user=alice).update(role=Role.MEMBER)


def deactivated(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)


def deleted(alice: User) -> None:
    alice.delete()


Loss = Callable[[User], None]
each_loss = pytest.mark.parametrize("loss", [removed, demoted, deactivated, deleted])


@each_loss
def test_what_was_typed_is_not_sent(loss: Loss, alice: User, alice_access: Access, door: Door) -> None:
    check = pressed(alice_access)
    loss(alice)
    run_check(check.pk)
    assert door.probes == 0
    done = again(check)
    assert (done.state, done.candidate) == ("done", None)
    assert verdicts(check) == [("unreachable", "withdrawn")]
    (shown,) = done.results_now
    assert "not an Admin of the organization any more, so nothing was sent" in shown.sentence


@each_loss
def test_a_stored_key_is_left_as_it_was(loss: Loss, alice: User, alice_access: Access, door: Door) -> None:
    key = stored(alice_access)
    run_check(pressed(alice_access, key).pk)
    before = ProviderKey.objects.values().get()
    check = pressed(alice_access, key)
    loss(alice)
    run_check(check.pk)
    assert door.probes == 1
    # The key goes on without whoever made it.
    assert {**before, "created_by_id": None} == {**ProviderKey.objects.values().get(), "created_by_id": None}


@each_loss
def test_the_check_of_a_save_goes_on(loss: Loss, alice: User, alice_access: Access, door: Door) -> None:
    key, check = saved(alice_access)
    loss(alice)
    assert check is not None
    run_check(check.pk)
    assert (door.probes, again(key).verdict) == (1, "valid")


def test_an_admin_of_another_organization_has_no_right_here(
    alice: User, alice_access: Access, charlie_access: Access, door: Door
) -> None:
    Membership.objects.filter(user=alice).update(organization=charlie_access.organization)
    check = pressed(alice_access)
    run_check(check.pk)
    assert (door.probes, verdicts(check)) == (0, [("unreachable", "withdrawn")])


@pytest.mark.django_db(transaction=True)  # Each row has its thread, and a connection of its own.
def test_no_row_of_several_is_sent(alice: User, alice_access: Access, door: Door) -> None:
    check = regions.pressed(alice_access, *rows("us-east-1", "us-west-2"))
    removed(alice)
    run_check(check.pk)
    assert door.probes == 0
    assert verdicts(check) == [("unreachable", "withdrawn")] * 2


def test_a_right_that_goes_while_the_provider_is_asked_ends_nothing(
    alice: User, alice_access: Access, door: Door
) -> None:
    def withdraw(request: http.Request) -> http.Answer:
        removed(alice)
        return accepted(request)

    door.answers = withdraw
    check = pressed(alice_access)
    run_check(check.pk)
    assert verdicts(check) == [("valid", "accepted")]


def test_nothing_that_was_not_sent_gives_a_save_its_verdict(alice: User, alice_access: Access, door: Door) -> None:
    check = pressed(alice_access, secret=LATTER)
    removed(alice)
    run_check(check.pk)
    Membership.objects.create(organization=alice_access.organization, user=alice, role=Role.ADMIN)
    key, queued = saved(alice_access, LATTER)
    assert (key.verdict, key.last_check_verdict) == ("", "")
    assert queued is not None
    assert CredentialCheck.objects.count() == 2
