"""Where a provider key stands in the list is stored with it, and stays true whatever is done to the key."""

from collections.abc import Callable
from typing import Final

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from organizations.access import Access
from providerkeys.models import ProviderKey
from providerkeys.models.key_order import LAST_PLACE, place_of
from providerkeys.providers import registry
from providerkeys.resolver import Scope
from tests.providerkeys import sample
from tests.providerkeys.sample import again

pytestmark = [pytest.mark.django_db, pytest.mark.database]

_OLD: Final = "pk_" + "0" * 22

type Move = Callable[[Access, ProviderKey], object]


def save_for_one(access: Access, key: ProviderKey) -> None:
    api_key = sample.api_key(access)
    key.change(access, sample.draft(None, "Main", [api_key]), key.version)


def pass_to(**columns: str) -> Move:
    return lambda _, key: ProviderKey.objects.filter(pk=key.pk).update(**columns)


def copy_as(provider: str) -> Move:
    def copy(access: Access, key: ProviderKey) -> None:
        ProviderKey.objects.filter(pk=key.pk).delete()
        key.provider = provider
        ProviderKey.objects.bulk_create([key])

    return copy


MOVES: dict[str, Move] = {
    "nothing": lambda *_: None,
    "a save with another scope": save_for_one,
    "a column of its own": pass_to(name="Other"),
    "another scope": pass_to(scope=Scope.API_KEYS),
    "another provider": pass_to(provider="anthropic"),
    "a provider without a file": pass_to(provider="gone"),
    "both": pass_to(provider="bedrock", scope=Scope.API_KEYS),
    "a copy in bulk": copy_as("mistral"),
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_a_key_stands_where_its_provider_and_tier_do(alice_access: Access, move: Move) -> None:
    key = sample.stored(alice_access)

    move(alice_access, key)

    stored = again(key)
    assert stored.place == place_of(stored.provider, stored.scope)
    assert ProviderKey.objects.arrange() == 0


def test_places_follow_the_registry_and_organization_wide_keys_come_first() -> None:
    places = [place_of(provider.slug, scope) for provider in registry.all() for scope in Scope]

    assert places == sorted(set(places))
    assert place_of("gone", Scope.API_KEYS) == LAST_PLACE > place_of("gone", Scope.ORGANIZATION) > max(places)


@pytest.fixture
def misplaced(alice_access: Access) -> ProviderKey:
    """A key as a version stored it that knew no places, or another order of the registry."""
    key = sample.stored(alice_access)
    ProviderKey.objects.filter(pk=key.pk).update(place=LAST_PLACE)
    return key


def test_every_migration_puts_keys_in_their_places(misplaced: ProviderKey, alice_access: Access) -> None:
    call_command("migrate", verbosity=0)

    assert again(misplaced).place == place_of("openai", Scope.ORGANIZATION)


def test_what_stands_right_is_not_written(misplaced: ProviderKey, alice_access: Access) -> None:
    right = sample.stored(alice_access, provider="anthropic")

    with CaptureQueriesContext(connection) as queries:
        assert ProviderKey.objects.arrange() == 1

    assert len(queries) == 1
    assert again(right).place == right.place
    assert ProviderKey.objects.arrange() == 0


def test_a_row_of_the_previous_version_stands_last_and_hinders_nothing(alice_access: Access) -> None:
    key = sample.stored(alice_access)
    columns = [
        field.column for field in ProviderKey._meta.local_concrete_fields if field.column and field.name != "place"
    ]
    other = {"id": f"'{_OLD}'", "position": "2"}
    names, values = (", ".join(some) for some in (columns, [other.get(name, name) for name in columns]))
    with connection.cursor() as cursor:
        table = ProviderKey._meta.db_table
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE id = %s", [key.pk])

    *_, last = ProviderKey.objects.in_order()

    assert (last.pk, last.place) == (_OLD, LAST_PLACE)
    assert last.move(alice_access, "up")
