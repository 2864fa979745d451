import pytest
from django.db import IntegrityError, transaction

from organizations.access import Access
from organizations.actors import Actor
from organizations.models import AuditEvent, Organization
from organizations.models.audit_event import AppendOnlyError

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("test")


@pytest.fixture
def event(acme: Organization) -> AuditEvent:
    return AuditEvent.record(acme, SYSTEM, "organization.created", acme)


def test_an_event_tells_who_what_when_and_with_which_result(acme: Organization, alice_access: Access) -> None:
    event = AuditEvent.record(acme, alice_access.actor, "thing.refused", acme, result="refused", reason="role")
    event.refresh_from_db()
    assert (event.actor_kind, event.result, event.details) == ("user", "refused", {"reason": "role"})
    assert event.at.tzinfo is not None
    assert event.pk.startswith("evt_")


def test_an_event_outlives_what_it_names(acme: Organization, event: AuditEvent) -> None:
    pk = acme.pk
    acme.delete()
    event.refresh_from_db()
    assert (event.organization_id, event.target_id, event.target_label) == (pk, pk, "Acme")


def test_an_event_of_no_organization_belongs_to_none(acme: Organization) -> None:
    assert AuditEvent.record(None, SYSTEM, "user.created", acme).organization_id == ""


def test_an_organization_sees_its_own_events_only(
    event: AuditEvent, globex: Organization, alice_access: Access
) -> None:
    AuditEvent.record(globex, SYSTEM, "organization.created", globex)
    assert list(alice_access.all(AuditEvent)) == [event]


def test_an_event_cannot_be_changed_or_deleted(event: AuditEvent) -> None:
    event.action = "nothing.happened"
    with pytest.raises(AppendOnlyError):
        event.save()
    with pytest.raises(AppendOnlyError):
        event.save(update_fields=["action"])
    with pytest.raises(AppendOnlyError):
        event.delete()
    assert AuditEvent.objects.get().action == "organization.created"


def test_a_new_event_cannot_take_the_place_of_another(event: AuditEvent) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEvent(id=event.pk, actor_kind="user", action="nothing.happened").save()
    assert AuditEvent.objects.get().action == "organization.created"


@pytest.mark.parametrize("manager", ["objects", "_base_manager", "_default_manager"])
def test_no_queryset_changes_or_deletes(event: AuditEvent, manager: str) -> None:
    rows = getattr(AuditEvent, manager).all()
    for attempt in (
        lambda: rows.update(action="nothing.happened"),
        rows.delete,
        lambda: rows.filter(pk=event.pk).delete(),
        lambda: rows.bulk_update([event], ["action"]),
        lambda: rows.bulk_create([AuditEvent(id=event.pk)], ignore_conflicts=True),
        lambda: rows.update_or_create(pk=event.pk, defaults={"action": "nothing.happened"}),
    ):
        with pytest.raises(AppendOnlyError):
            attempt()
    assert AuditEvent.objects.get().action == "organization.created"


def test_a_label_is_kept_as_it_was_and_shown_on_one_line(acme: Organization) -> None:
    acme.name = "Acme\r\n2026-01-01 00:00:00 UTC root: everything.deleted\x1b[2K"
    event = AuditEvent.record(acme, SYSTEM, "organization.created", acme)
    event.refresh_from_db()
    assert event.target_label == acme.name
    assert str(event).splitlines() == [str(event)]
    assert "\x1b" not in str(event)


@pytest.mark.django_db(transaction=True)
def test_an_event_is_refused_outside_of_a_transaction(acme: Organization) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        AuditEvent.record(acme, SYSTEM, "organization.created", acme)
    with transaction.atomic():
        AuditEvent.record(acme, SYSTEM, "organization.created", acme)
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_leaves_no_event(acme: Organization) -> None:
    with transaction.atomic():
        AuditEvent.record(acme, SYSTEM, "organization.created", acme)
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()
