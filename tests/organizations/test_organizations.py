import pickle
import threading

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.serializers.base import DeserializationError
from django.db import IntegrityError, connection, transaction
from django.forms import modelform_factory

from organizations.actors import Actor
from organizations.models import AuditEvent, Membership, Organization, Role, User
from tests.organizations.conftest import actions

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("test")


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Acme", "acme"), (" Acme & Sons ", "acme-sons"), ("Büro", "buro"), ("_-_", None), ("東京", None), ("🚀", None)],
)
def test_the_slug_is_the_slugified_name_or_else_the_id(name: str, slug: str | None) -> None:
    organization = Organization.objects.create(name=name)
    assert organization.slug == (slug or organization.pk.lower())


def test_a_taken_slug_is_numbered() -> None:
    slugs = [Organization.objects.create(name="Acme").slug for _ in range(3)]
    assert slugs == ["acme", "acme-2", "acme-3"]


def test_a_number_that_somebody_chose_as_a_name_is_stepped_over() -> None:
    Organization.objects.create(name="Acme 2")
    assert [Organization.objects.create(name="Acme").slug for _ in range(2)] == ["acme", "acme-3"]


def test_renaming_keeps_the_slug() -> None:
    organization = Organization.objects.create(name="Acme")
    organization.name = "Globex"
    organization.save()
    assert Organization.objects.get().slug == "acme"


def test_the_longest_name_has_a_slug() -> None:
    slugs = {Organization.objects.create(name="x" * 100).slug for _ in range(2)}
    assert slugs == {"x" * 100, "x" * 100 + "-2"}


@pytest.mark.django_db(transaction=True)
def test_organizations_created_at_once_share_no_slug() -> None:
    barrier = threading.Barrier(4)

    def create() -> None:
        barrier.wait()
        Organization.objects.create(name="Acme")
        connection.close()

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(Organization.objects.values_list("slug", flat=True)) == {"acme", "acme-2", "acme-3", "acme-4"}


def test_an_insert_that_fails_for_another_reason_is_not_tried_again() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Organization.objects.create(name="Acme", fingerprint_salt=b"short")
    assert not Organization.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\nb"])
def test_a_name_is_one_line_of_1_to_100_characters(name: str) -> None:
    with pytest.raises(ValidationError):
        Organization(name=name.strip()).full_clean(exclude={"slug"})


def test_the_database_refuses_a_nameless_organization() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Organization.objects.create(name=" ")


def test_each_organization_has_its_own_salt_of_32_bytes(acme: Organization, globex: Organization) -> None:
    acme.refresh_from_db()
    globex.refresh_from_db()
    assert type(acme.fingerprint_salt) is bytes
    assert len(acme.fingerprint_salt) == 32
    assert acme.fingerprint_salt != globex.fingerprint_salt


def test_the_salt_is_in_no_dump_form_or_repr(acme: Organization) -> None:
    dump = serializers.serialize("json", [acme])
    assert '"fingerprint_salt": "********"' in dump
    assert "fingerprint_salt" not in modelform_factory(Organization, fields="__all__").base_fields
    assert repr(acme) == "<Organization: Acme>"
    with pytest.raises(DeserializationError):
        list(serializers.deserialize("json", dump))


def test_a_copy_in_memory_keeps_the_salt(acme: Organization) -> None:
    assert pickle.loads(pickle.dumps(acme)).fingerprint_salt == acme.fingerprint_salt


def test_suspension_is_recorded_once_and_ends(acme: Organization, globex: Organization) -> None:
    acme.suspend(SYSTEM)
    since = acme.suspended_at
    acme.suspend(SYSTEM)
    assert acme.is_suspended
    assert acme.suspended_at == since
    assert not Organization.objects.get(pk=globex.pk).is_suspended
    acme.resume(SYSTEM)
    acme.resume(SYSTEM)
    assert not Organization.objects.get(pk=acme.pk).is_suspended
    assert actions() == ["organization.suspended", "organization.resumed"]


def test_a_membership_is_granted_once_and_its_role_changed(acme: Organization, charlie: User) -> None:
    Membership.grant(acme, charlie, Role.MEMBER, SYSTEM)
    Membership.grant(acme, charlie, Role.MEMBER, SYSTEM)
    assert acme.memberships.get().role == Role.MEMBER
    Membership.grant(acme, charlie, Role.ADMIN, SYSTEM)
    assert acme.memberships.get().role == Role.ADMIN
    assert actions() == ["membership.created", "membership.role_changed"]
    assert AuditEvent.objects.get(action="membership.role_changed").details == {"before": "member", "role": "admin"}


def test_the_database_refuses_a_second_membership_and_an_unknown_role(acme: Organization, alice: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(organization=acme, user=alice, role=Role.MEMBER)
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.update(role="owner")
