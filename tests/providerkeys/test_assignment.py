"""An assignment never joins two organizations, whichever way it is written."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from organizations.access import Access
from organizations.models import ApiKey
from providerkeys.models import KeyAssignment, ProviderKey
from providerkeys.models.assignment import ForeignAssignment
from tests.providerkeys.sample import api_key, stored

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def ours(alice_access: Access) -> ProviderKey:
    return stored(alice_access, api_keys=[])


@pytest.fixture
def own(alice_access: Access) -> ApiKey:
    return api_key(alice_access)


@pytest.fixture
def foreign(charlie_access: Access) -> ApiKey:
    return api_key(charlie_access)


def across() -> int:
    """How many assignments join two organizations. The invariant is that there are none."""
    return KeyAssignment.objects.exclude(api_key__organization=F("provider_key__organization")).count()


WAYS: dict[str, Callable[[ProviderKey, ApiKey], object]] = {
    "save": lambda key, other: KeyAssignment(provider_key=key, api_key=other).save(),
    "save by id": lambda key, other: KeyAssignment(provider_key_id=key.pk, api_key_id=other.pk).save(),
    "create": lambda key, other: KeyAssignment.objects.create(provider_key=key, api_key=other),
    "bulk_create": lambda key, other: KeyAssignment.objects.bulk_create(
        [KeyAssignment(provider_key=key, api_key=other)]
    ),
    "bulk_create ignoring conflicts": lambda key, other: KeyAssignment.objects.bulk_create(
        [KeyAssignment(provider_key=key, api_key=other)], ignore_conflicts=True
    ),
    "get_or_create": lambda key, other: KeyAssignment.objects.get_or_create(provider_key=key, api_key=other),
    "update_or_create": lambda key, other: KeyAssignment.objects.update_or_create(provider_key=key, api_key=other),
    "the provider key's create": lambda key, other: key.assignments.create(api_key=other),
    "the provider key's get_or_create": lambda key, other: key.assignments.get_or_create(api_key=other),
    "the provider key's update_or_create": lambda key, other: key.assignments.update_or_create(api_key=other),
    "the provider key's add": lambda key, other: key.assignments.add(KeyAssignment(api_key=other), bulk=False),
    "the provider key's set": lambda key, other: key.assignments.set([KeyAssignment(api_key=other)], bulk=False),
    "the API key's create": lambda key, other: other.assignments.create(provider_key=key),
    "the API key's add": lambda key, other: other.assignments.add(KeyAssignment(provider_key=key), bulk=False),
}


@pytest.mark.parametrize("way", WAYS)
def test_own_is_assigned_and_foreign_refused(way: str, ours: ProviderKey, own: ApiKey, foreign: ApiKey) -> None:
    with pytest.raises(ForeignAssignment), transaction.atomic():
        WAYS[way](ours, foreign)
    assert not KeyAssignment.objects.exists()
    WAYS[way](ours, own)
    assert KeyAssignment.objects.get().api_key == own
    assert across() == 0


MOVES: dict[str, Callable[[KeyAssignment, ApiKey, ProviderKey], object]] = {
    "save": lambda one, other, _: _moved(one, other).save(),
    "save of one field": lambda one, other, _: _moved(one, other).save(update_fields=["api_key"]),
    "update": lambda one, other, _: KeyAssignment.objects.filter(pk=one.pk).update(api_key=other),
    "bulk_update": lambda one, other, _: KeyAssignment.objects.bulk_update([_moved(one, other)], ["api_key"]),
    "bulk_create over a conflict": lambda one, other, _: KeyAssignment.objects.bulk_create(
        [_moved(one, other)], update_conflicts=True, update_fields=["api_key"], unique_fields=["id"]
    ),
    "the provider key's update": lambda one, other, _: one.provider_key.assignments.update(api_key=other),
    "the foreign API key's add": lambda one, other, _: other.assignments.add(one),
    "the foreign API key's set": lambda one, other, _: other.assignments.set([one]),
    "the foreign provider key's add": lambda one, _, theirs: theirs.assignments.add(one),
    "the foreign provider key's set": lambda one, _, theirs: theirs.assignments.set([one]),
}


def _moved(one: KeyAssignment, other: ApiKey) -> KeyAssignment:
    one.api_key = other
    return one


@pytest.mark.parametrize("way", MOVES)
def test_a_standing_assignment_is_not_moved_to_another_organization(
    way: str, ours: ProviderKey, own: ApiKey, foreign: ApiKey, charlie_access: Access
) -> None:
    standing = KeyAssignment.objects.create(provider_key=ours, api_key=own)
    with pytest.raises((ForeignAssignment, TypeError)), transaction.atomic():
        MOVES[way](standing, foreign, stored(charlie_access))
    assert across() == 0
    assert KeyAssignment.objects.get() == standing
    assert KeyAssignment.objects.get().api_key == own


@pytest.mark.parametrize("count", [1, 30])
def test_one_foreign_among_own_refuses_all_after_one_query(
    count: int,
    ours: ProviderKey,
    foreign: ApiKey,
    alice_access: Access,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    api_keys = [*(api_key(alice_access, f"Service {number}") for number in range(count)), foreign]
    with django_assert_num_queries(1), pytest.raises(ForeignAssignment):
        KeyAssignment.objects.bulk_create(KeyAssignment(provider_key=ours, api_key=one) for one in api_keys)
    assert not KeyAssignment.objects.exists()


def test_both_sides_are_compared_in_one_query_however_many(
    ours: ProviderKey, alice_access: Access, django_assert_num_queries: Callable[..., CaptureQueriesContext]
) -> None:
    api_keys = [api_key(alice_access, f"Service {number}") for number in range(30)]
    with django_assert_num_queries(2) as queries:
        KeyAssignment.objects.bulk_create(KeyAssignment(provider_key=ours, api_key=one) for one in api_keys)
    assert [query["sql"].partition(" ")[0].strip("(") for query in queries.captured_queries] == ["SELECT", "INSERT"]


@pytest.mark.parametrize(
    "unknown",
    [
        {"provider_key_id": "pk_unknown"},
        {"api_key_id": "key_unknown"},
        {"provider_key_id": "pk_unknown", "api_key_id": "key_unknown"},
    ],
)
def test_a_side_that_does_not_exist_is_as_foreign(unknown: dict[str, str], ours: ProviderKey, own: ApiKey) -> None:
    with pytest.raises(ForeignAssignment):
        KeyAssignment.objects.create(**{"provider_key_id": ours.pk, "api_key_id": own.pk, **unknown})


def test_an_api_key_is_assigned_once(ours: ProviderKey, own: ApiKey) -> None:
    KeyAssignment.objects.create(provider_key=ours, api_key=own)
    with pytest.raises(IntegrityError, match=r"assignment_is_unique|UNIQUE"):
        KeyAssignment.objects.create(provider_key=ours, api_key=own)
