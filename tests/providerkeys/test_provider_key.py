"""Saving, changing and deleting a provider key: what moves, what stays, and what the audit trail says."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from pytest_django import Settings

from organizations.access import Access
from organizations.models import AuditEvent
from providerkeys import badges
from providerkeys.models import CredentialCheck, Draft, KeyAssignment, ProviderKey, VersionConflict
from providerkeys.resolver import Scope, Why, resolve
from tests.providerkeys.sample import (
    FORMER,
    LATTER,
    again,
    api_key,
    at_once,
    draft,
    letterbox,
    pressed,
    replaced,
    saved,
    stored,
)

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def ciphertext(key: ProviderKey) -> str:
    """What the database really holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM providerkeys_providerkey WHERE id = %s", [key.pk])
        return str(cursor.fetchone()[0])


def events(key: ProviderKey) -> list[str]:
    return list(AuditEvent.objects.filter(target_id=key.pk).order_by("at").values_list("action", flat=True))


# Positions


def test_a_new_key_is_the_last_of_its_provider_and_organization(alice_access: Access, charlie_access: Access) -> None:
    assert [stored(alice_access).position for _ in range(3)] == [1, 2, 3]
    assert stored(alice_access, provider="anthropic").position == 1
    assert stored(charlie_access).position == 1
    ProviderKey.objects.get(organization=alice_access.organization, provider="openai", position=2).delete()
    assert stored(alice_access).position == 4


def test_two_keys_never_share_a_position(alice_access: Access) -> None:
    stored(alice_access)
    latter = stored(alice_access)
    latter.position = 1
    with pytest.raises(IntegrityError), transaction.atomic():
        latter.save()


@pytest.mark.django_db(transaction=True)
def test_keys_saved_at_once_are_appended_one_after_the_other(alice_access: Access) -> None:
    keys = at_once(*[lambda: stored(alice_access)] * 4)
    assert sorted(key.position for key in keys if isinstance(key, ProviderKey)) == [1, 2, 3, 4]


# Versions


def test_a_change_moves_the_version_and_nothing_else_does(alice_access: Access) -> None:
    key = stored(alice_access)
    assert key.change(alice_access, draft(name="Renamed"), 1) == ["name"]
    assert key.change(alice_access, draft(name="Renamed"), 2) == []
    assert (again(key).version, again(key).credentials_version, again(key).name) == (2, 1, "Renamed")
    assert key.change(alice_access, draft(LATTER, name="Renamed"), 2) == ["credentials"]
    assert (again(key).version, again(key).credentials_version) == (3, 2)


def test_the_second_of_two_admins_is_refused_and_told_of_the_first(alice_access: Access) -> None:
    key = stored(alice_access)
    opened_by_both = again(key)
    key.change(alice_access, draft(name="First"), 1)
    with pytest.raises(VersionConflict) as refused:
        opened_by_both.change(alice_access, draft(LATTER, name="Second"), 1)
    event = refused.value.event
    assert event is not None
    assert (event.action, event.actor_label) == ("provider_key.updated", alice_access.user.label)
    assert (event.details["changed"], event.details["version"]) == (["name"], 2)
    assert (again(key).name, again(key).credentials_version) == ("First", 1)
    assert events(key) == ["provider_key.created", "provider_key.updated"]


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_once_one_is_refused(alice_access: Access) -> None:
    key = stored(alice_access)
    outcomes = at_once(
        lambda: again(key).change(alice_access, draft(name="First"), 1),
        lambda: again(key).change(alice_access, draft(name="Second"), 1),
    )
    assert sum(outcome == ["name"] for outcome in outcomes) == 1
    assert sum(isinstance(outcome, VersionConflict) for outcome in outcomes) == 1
    assert again(key).version == 2


# Secrets


def test_a_blank_secret_keeps_the_stored_one_byte_for_byte(alice_access: Access) -> None:
    key = stored(alice_access)
    before = (ciphertext(key), key.fingerprint, key.hint, key.credentials_version)
    owned = api_key(alice_access)
    assert key.change(alice_access, draft(name="Renamed", api_keys=[owned]), 1) == ["name", "assignment"]
    after = again(key)
    assert (ciphertext(key), after.fingerprint, after.hint, after.credentials_version) == before


def test_a_typed_secret_replaces_the_stored_one_and_its_verdict(alice_access: Access) -> None:
    key = stored(alice_access)
    ProviderKey.objects.filter(pk=key.pk).update(verdict="valid", reason="accepted", last_check_verdict="valid")
    before = ciphertext(key)
    replaced(alice_access, key, LATTER)
    after = again(key)
    assert ciphertext(key) != before
    assert after.fingerprint != key.fingerprint
    assert (after.verdict, after.reason, after.verdict_at, after.last_check_verdict) == ("", "", None, "")
    assert badges.UNTESTED in after.status_badges


def test_an_edit_without_a_secret_keeps_the_verdict(alice_access: Access) -> None:
    key = stored(alice_access)
    ProviderKey.objects.filter(pk=key.pk).update(verdict="invalid", reason="unknown_key")
    again(key).change(alice_access, draft(name="Renamed"), 1)
    assert again(key).status_badges == [badges.FAILING]


# Assignments


def test_scope_of_the_organization_deletes_the_assignments(alice_access: Access) -> None:
    owned = api_key(alice_access)
    key = stored(alice_access, api_keys=[owned])
    assert again(key).assigned_ids == {owned.pk}
    assert key.change(alice_access, draft(), 1) == ["assignment"]
    assert not KeyAssignment.objects.exists()
    assert again(key).assignment_badges == [badges.ORGANIZATION]


def test_api_keys_named_beside_the_organization_are_not_assigned(alice_access: Access) -> None:
    owned = api_key(alice_access)
    both = Draft("Production", Scope.ORGANIZATION, frozenset({owned.pk}), draft(FORMER).credential)
    key = ProviderKey.create(alice_access, "openai", both)
    assert not KeyAssignment.objects.exists()
    assert key.change(alice_access, Draft("Production", Scope.ORGANIZATION, frozenset({owned.pk})), 1) == []


def test_an_assignment_that_stays_is_the_same_row(alice_access: Access) -> None:
    former, kept, latter = (api_key(alice_access, name) for name in ("Former", "Kept", "Latter"))
    key = stored(alice_access, api_keys=[former, kept])
    standing = KeyAssignment.objects.get(api_key=kept)
    key.change(alice_access, draft(api_keys=[kept, latter]), 1)
    assert key.assigned_ids == {kept.pk, latter.pk}
    assert KeyAssignment.objects.get(api_key=kept).pk == standing.pk


def test_the_last_api_key_deleted_leaves_the_key_unassigned_and_serving_nothing(alice_access: Access) -> None:
    owned, other = api_key(alice_access), api_key(alice_access, "Other")
    key = stored(alice_access, api_keys=[owned])
    owned.delete_by(alice_access)
    assert (again(key).scope, again(key).assignment_badges) == (Scope.API_KEYS, [badges.UNASSIGNED])
    resolution = resolve(ProviderKey.objects.all(), other.pk, "openai")
    assert (bool(resolution), resolution.refusal) == (False, Why.UNASSIGNED)


def test_a_foreign_api_key_in_a_draft_saves_nothing(alice_access: Access, charlie_access: Access) -> None:
    with pytest.raises(ValueError, match="its own organization"), transaction.atomic():
        stored(alice_access, api_keys=[api_key(alice_access), api_key(charlie_access)])
    assert not ProviderKey.objects.exists()
    key = stored(alice_access)
    with pytest.raises(ValueError, match="its own organization"), transaction.atomic():
        key.change(alice_access, draft(name="Renamed", api_keys=[api_key(charlie_access)]), 1)
    assert (again(key).name, again(key).version, events(key)) == ("Production", 1, ["provider_key.created"])


def test_nobody_changes_or_deletes_another_organizations_key(alice_access: Access, charlie_access: Access) -> None:
    key = stored(alice_access)
    with pytest.raises(ProviderKey.DoesNotExist), transaction.atomic():
        again(key).change(charlie_access, draft(name="Stolen"), 1)
    again(key).delete_by(charlie_access)
    assert (again(key).name, events(key)) == ("Production", ["provider_key.created"])


# The audit trail


def test_each_verb_is_recorded_with_its_actor_and_without_the_secret(alice_access: Access) -> None:
    key = stored(alice_access)
    key.change(alice_access, draft(LATTER), 1)
    pk = key.pk
    key.delete_by(alice_access)
    recorded = AuditEvent.objects.filter(target_id=pk).order_by("at")
    assert [event.action.partition(".")[2] for event in recorded] == ["created", "updated", "deleted"]
    for event in recorded:
        assert (event.organization_id, event.actor_id) == (alice_access.organization.pk, alice_access.user.pk)
        assert (event.target_label, event.result) == ("Production", "ok")
        assert event.details.keys() <= {"provider", "scope", "version", "changed"}


CHANGES: dict[str, Callable[[Access, ProviderKey], Any]] = {
    "create": lambda access, _: saved(access),
    "rename": lambda access, key: key.change(access, draft(name="Renamed"), 1),
    "replace the secret": lambda access, key: key.change(access, draft(LATTER), 1),
    "un-assign": lambda access, key: key.change(access, draft(), 1),
    "delete": lambda access, key: key.delete_by(access),
    "test": pressed,
    "stamp as unreadable": lambda _, key: key.found_unreadable(),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_cannot_be_recorded_does_not_happen(
    name: str, alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = stored(alice_access, api_keys=[api_key(alice_access)])
    before = state_of_everything()
    with monkeypatch.context() as broken:
        broken.setattr(AuditEvent, "record", _fail)
        with pytest.raises(OSError, match="disk full"), transaction.atomic():
            CHANGES[name](alice_access, again(key))
    assert state_of_everything() == before
    CHANGES[name](alice_access, again(key))
    assert state_of_everything() != before


def _fail(*_: object, **__: object) -> None:
    raise OSError("disk full")


def state_of_everything() -> list[list[Any]]:
    models: tuple[type[Model], ...] = (ProviderKey, KeyAssignment, CredentialCheck)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


# After a save


@pytest.mark.django_db(transaction=True)
def test_a_save_sends_its_check_once_it_is_committed(alice_access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = letterbox(monkeypatch)
    with transaction.atomic():
        key = stored(alice_access)
        check = CredentialCheck.follow_save(alice_access, key)
        assert sent == []
    assert check is not None
    assert sent == [check.pk]


def test_at_the_cap_a_save_succeeds_and_the_key_stays_untested(
    alice_access: Access, charlie_access: Access, settings: Settings
) -> None:
    settings.CHECKS_UNFINISHED = 1
    waiting = pressed(alice_access)
    key, check = saved(alice_access)
    assert (check, key.status_badges) == (None, [badges.ACTIVE, badges.UNTESTED])
    assert saved(charlie_access)[1] is not None
    waiting.take()
    waiting.finish()
    assert saved(alice_access)[1] is not None


def test_a_deleted_key_takes_its_checks_along(alice_access: Access) -> None:
    key, check = saved(alice_access)
    assert check is not None
    typed = pressed(alice_access)
    key.delete_by(alice_access)
    assert list(CredentialCheck.objects.all()) == [typed]
