import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from organizations import tokens
from organizations.access import Access
from organizations.models import ApiKey, AuditEvent, Organization, User
from organizations.models.api_key import GRACE, ApiKeyChanged
from tests.organizations.conftest import actions

pytestmark = pytest.mark.django_db


def test_a_key_is_prefix_lookup_secret_and_checksum_that_a_double_click_selects(alice_access: Access) -> None:
    _, plaintext = ApiKey.issue(alice_access, "ci")
    assert re.fullmatch(r"byok_[0-9A-Za-z]{50}", plaintext)
    assert tokens.SECRET_LENGTH * 5.95 >= 160


def test_an_issued_key_is_found_with_its_organization_by_one_query(
    alice_access: Access, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key, plaintext = ApiKey.issue(alice_access, " ci ")
    with django_assert_num_queries(1):
        found = ApiKey.find(plaintext)
        assert found == key
        assert found.organization == alice_access.organization
    assert found.name == "ci"
    assert found.created_by == alice_access.user


def test_a_right_lookup_and_checksum_with_a_wrong_secret_is_not_found(
    alice_access: Access, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _, plaintext = ApiKey.issue(alice_access, "ci")
    lookup = plaintext.removeprefix("byok_")[: tokens.LOOKUP_LENGTH]
    body = lookup + "0" * tokens.SECRET_LENGTH
    with django_assert_num_queries(1):
        assert ApiKey.find(f"byok_{body}{tokens._checksum(body)}") is None


def test_an_unknown_well_formed_key_costs_the_same_query(
    alice_access: Access, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        assert ApiKey.find(tokens.mint("byok_").plaintext) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
        lambda key: key.swapcase(),
        lambda key: key[:-1],
        lambda key: key + "0",
        lambda key: key + "\n",
        lambda key: key.removeprefix("byok_"),
        lambda key: key.replace("byok_", "byokc_"),
        lambda _: "byok_" + "٣" * 50,
        lambda _: "byok_' OR '1'='1",
        lambda _: "byok_\0",
        lambda _: "",
        lambda _: "byok_" + "a" * 100_000,
    ],
)
def test_what_cannot_be_a_key_costs_no_query(
    alice_access: Access, django_assert_num_queries: DjangoAssertNumQueries, damage: Callable[[str], str]
) -> None:
    _, plaintext = ApiKey.issue(alice_access, "ci")
    with django_assert_num_queries(0):
        assert ApiKey.find(damage(plaintext)) is None


def test_the_plaintext_is_nowhere_but_in_the_return_value(alice_access: Access) -> None:
    key, plaintext = ApiKey.issue(alice_access, "ci")
    secret = plaintext[len("byok_") + tokens.LOOKUP_LENGTH :]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            assert secret not in str(cursor.fetchall())
    assert secret not in repr(vars(key)) + repr(key) + serializers.serialize("json", [key])
    assert re.fullmatch(r"[0-9a-f]{64}", key.digest)


def test_the_hint_is_the_prefix_and_the_last_four(alice_access: Access) -> None:
    key, plaintext = ApiKey.issue(alice_access, "ci")
    assert key.hint == f"byok_…{plaintext[-4:]}"


def test_no_repr_shows_a_key(alice_access: Access) -> None:
    key, _ = ApiKey.issue(alice_access, "ci")
    assert repr(key) == "<ApiKey: ci>"
    token = tokens.mint("byok_")
    assert repr(token) == f"Token(hint='{token.hint}')"


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb"])
def test_a_bad_name_issues_nothing(alice_access: Access, name: str) -> None:
    with pytest.raises(ValidationError):
        ApiKey.issue(alice_access, name)
    assert not ApiKey.objects.exists()
    assert not AuditEvent.objects.exists()


def test_an_expired_or_disabled_key_is_found_but_not_usable(alice_access: Access) -> None:
    now = timezone.now()
    key, plaintext = ApiKey.issue(alice_access, "ci", expires_at=now + timedelta(hours=1))
    assert key.is_usable(now)
    assert not key.is_usable(now + timedelta(hours=1))
    assert key.is_expired(now + timedelta(hours=1))
    key.disable(alice_access)
    found = ApiKey.find(plaintext)
    assert found is not None
    assert not found.is_usable(now)
    key.enable(alice_access)
    assert key.is_usable(now)


def test_why_it_is_stopped_is_said_and_of_both_reasons_the_one_that_somebody_chose(alice_access: Access) -> None:
    now = timezone.now()
    key, _ = ApiKey.issue(alice_access, "ci", expires_at=now + timedelta(hours=1))
    assert key.stopped(now) == ""
    assert key.stopped(now + timedelta(hours=1)) == "expired"
    key.disable(alice_access)
    assert key.stopped(now) == key.stopped(now + timedelta(hours=1)) == "disabled"


def test_a_key_without_expiry_stays_usable(alice_access: Access) -> None:
    key, _ = ApiKey.issue(alice_access, "ci")
    assert key.is_usable(timezone.now() + timedelta(days=10_000))


def test_each_verb_leaves_one_event_however_often_it_is_pressed(alice_access: Access) -> None:
    key, _ = ApiKey.issue(alice_access, "ci")
    for verb in (key.disable, key.disable, key.enable, key.enable, key.delete_by, key.delete_by):
        verb(alice_access)
    assert actions() == ["api_key.created", "api_key.disabled", "api_key.enabled", "api_key.deleted"]
    assert not ApiKey.objects.exists()


def test_an_event_names_actor_organization_and_key(alice_access: Access, acme: Organization, alice: User) -> None:
    key, _ = ApiKey.issue(alice_access, "ci")
    key.delete_by(alice_access)
    event = AuditEvent.objects.get(action="api_key.deleted")
    assert (event.organization_id, event.actor_id, event.actor_label) == (acme.pk, alice.pk, alice.label)
    assert (event.actor_kind, event.ip) == ("user", "192.0.2.7")
    assert (event.target_id, event.target_label, event.details) == (key.id, "ci", {"hint": key.hint})


class TestRotation:
    def test_gives_another_secret_under_the_same_id_and_name(
        self, alice_access: Access, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        key, old = ApiKey.issue(alice_access, "ci")
        old_hint = key.hint

        new = key.rotate_secret(alice_access, 1, GRACE)

        for plaintext, hint in ((old, old_hint), (new, key.hint)):
            with django_assert_num_queries(1):
                found = ApiKey.find(plaintext)
            secret = found.secret_of(plaintext) if found else None
            assert found == key
            assert secret
            assert secret.hint == hint
        assert key.hint == f"byok_…{new[-4:]}"
        assert key.is_rotating()
        assert not key.is_rotating(timezone.now() + GRACE)

    def test_the_query_uses_an_index_for_either_secret(self, alice_access: Access) -> None:
        key, _ = ApiKey.issue(alice_access, "ci")
        either = ApiKey.objects.filter(Q(lookup=key.lookup) | Q(former_lookup=key.lookup))
        if connection.vendor == "sqlite":
            plan = either.explain()
            assert plan.count("USING INDEX") == 2

    def test_a_right_lookup_with_a_wrong_secret_is_not_found_by_the_former_one_either(
        self, alice_access: Access
    ) -> None:
        key, old = ApiKey.issue(alice_access, "ci")
        key.rotate_secret(alice_access, 1, GRACE)
        body = old.removeprefix("byok_")[: tokens.LOOKUP_LENGTH] + "0" * tokens.SECRET_LENGTH
        assert ApiKey.find(f"byok_{body}{tokens._checksum(body)}") is None

    def test_twice_forgets_the_oldest(self, alice_access: Access) -> None:
        key, oldest = ApiKey.issue(alice_access, "ci")
        old = key.rotate_secret(alice_access, 1, GRACE)
        new = key.rotate_secret(alice_access, 2, GRACE)
        assert [ApiKey.find(each) for each in (oldest, old, new)] == [None, key, key]

    def test_its_event_names_both_secrets_by_their_hints(self, alice_access: Access) -> None:
        key, _ = ApiKey.issue(alice_access, "ci")
        old_hint = key.hint
        new = key.rotate_secret(alice_access, 1, GRACE)
        assert key.end_former(alice_access, key.version)
        assert not key.end_former(alice_access, key.version)
        assert actions() == ["api_key.created", "api_key.rotated", "api_key.former_ended"]
        details = AuditEvent.objects.get(action="api_key.rotated").details
        assert (details["hint"], details["former_hint"], details["version"]) == (key.hint, old_hint, 2)
        assert new[5:] not in str(details)
        assert not key.is_rotating()

    def test_is_refused_to_who_did_not_see_the_latest_change(self, alice_access: Access) -> None:
        key, _ = ApiKey.issue(alice_access, "ci")
        other = ApiKey.objects.get()
        assert key.change(alice_access, 1, " build ", None) == ["name"]
        with pytest.raises(ApiKeyChanged):
            other.rotate_secret(alice_access, 1, GRACE)
        with pytest.raises(ApiKeyChanged):
            other.change(alice_access, 1, "deploy", None)
        assert ApiKey.objects.values_list("name", "version").get() == ("build", 2)

    def test_a_change_of_nothing_is_none(self, alice_access: Access) -> None:
        key, _ = ApiKey.issue(alice_access, "ci")
        assert key.change(alice_access, 1, "ci", None) == []
        assert key.version == 1
        assert actions() == ["api_key.created"]


def test_no_verb_reaches_into_another_organization(alice_access: Access, charlie_access: Access) -> None:
    key, _ = ApiKey.issue(alice_access, "ci")
    key.disable(charlie_access)
    key.delete_by(charlie_access)
    with pytest.raises(ApiKey.DoesNotExist):
        key.rotate_secret(charlie_access, 1, GRACE)
    with pytest.raises(ApiKey.DoesNotExist):
        key.change(charlie_access, 1, "theirs", None)
    assert ApiKey.objects.values_list("name", "enabled", "version").get() == ("ci", True, 1)
    assert actions() == ["api_key.created"]


def test_deleting_one_key_leaves_the_others(alice_access: Access) -> None:
    first, _ = ApiKey.issue(alice_access, "ci")
    second, plaintext = ApiKey.issue(alice_access, "ci")
    first.delete_by(alice_access)
    assert ApiKey.find(plaintext) == second


@pytest.mark.parametrize("verb", ["issue", "disable", "delete_by", "rotate_secret", "change"])
def test_no_event_no_change(alice_access: Access, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    key, _ = ApiKey.issue(alice_access, "ci")
    hint = key.hint

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(AuditEvent, "save", fail)
    more: Any = {"rotate_secret": (1, GRACE), "change": (1, "other", None)}.get(verb, ())
    press = (
        partial(ApiKey.issue, alice_access, "other") if verb == "issue" else partial(getattr(key, verb), alice_access)
    )
    with pytest.raises(RuntimeError):
        press(*more)
    assert list(ApiKey.objects.values_list("name", "enabled", "hint", "version")) == [("ci", True, hint, 1)]


def test_deleting_a_user_keeps_their_keys_and_their_trail(alice_access: Access, alice: User) -> None:
    ApiKey.issue(alice_access, "ci")
    alice.delete()
    assert ApiKey.objects.get().created_by is None
    assert AuditEvent.objects.get().actor_label == "Alice (alice@acme.example)"
