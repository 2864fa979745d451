"""A form of the administration undoes nothing that others did while it was being saved, and revives nothing."""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

import pytest
from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import quote
from django.db import models
from django.http import HttpRequest
from django.urls import reverse

from organizations.access import Access
from organizations.actors import Actor
from organizations.admin import AuditedAdmin
from organizations.models import ApiKey, Membership, Organization, Role, User
from tests.cast import client_for
from tests.providerkeys import sample
from tests.providerkeys.conftest import Console, text

PAUSE: Final = 0.3
INLINES: Final = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


def address(of: models.Model) -> str:
    return reverse(f"admin:organizations_{of._meta.model_name}_change", args=[quote(of.pk)])


@pytest.fixture
def during(sam: User, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Save an object's page with some fields, and have something else happen when its row has been read for that."""
    read = threading.Event()

    def pausing(honest: Callable[..., Any]) -> Callable[..., Any]:
        def pause(self: AuditedAdmin, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.method == "POST":
                read.set()
                time.sleep(PAUSE)
            return honest(self, request, *args, **kwargs)

        return pause

    # By the first a page's own row has been read, by the second those below it too.
    monkeypatch.setattr(AuditedAdmin, "get_form", pausing(ModelAdmin.get_form), raising=False)
    monkeypatch.setattr(AuditedAdmin, "save_formset", pausing(AuditedAdmin.save_formset))

    def saved(of: models.Model, fields: dict[str, str], meanwhile: Callable[[], object]) -> None:
        if "memberships-0-id" in fields:
            monkeypatch.setattr(AuditedAdmin, "get_form", ModelAdmin.get_form)
        staff = client_for(sam)

        def another() -> None:
            assert read.wait(5)
            meanwhile()

        done = sample.at_once(lambda: staff.post(address(of), fields).status_code, another)
        assert done == [302, None]

    return saved


@pytest.mark.django_db(transaction=True)
@pytest.mark.database
class TestMeanwhile:
    def test_a_password_stays_set(self, during: Callable[..., None], alice: User) -> None:
        def another_password() -> None:
            mine = User.objects.get(pk=alice.pk)
            mine.set_password("another long password")
            mine.save(update_fields=["password"])

        during(alice, {"email": alice.email, "name": "Alicia", "is_active": "on"}, another_password)

        alice.refresh_from_db()
        assert alice.name == "Alicia"
        assert alice.check_password("another long password")

    def test_an_organization_stays_suspended(
        self, during: Callable[..., None], acme: Organization, alice: User
    ) -> None:
        during(acme, {"name": "Acme Two", **INLINES}, lambda: acme.suspend(Actor.member(alice)))

        acme = Organization.objects.get()
        assert (acme.name, acme.is_suspended) == ("Acme Two", True)

    def test_an_api_key_stays_disabled(self, during: Callable[..., None], alice_access: Access) -> None:
        key, _ = ApiKey.issue(alice_access, "ci")

        during(key, {"name": "ci 2"}, lambda: ApiKey.objects.get(pk=key.pk).disable(alice_access))

        key.refresh_from_db()
        assert (key.name, key.enabled) == ("ci 2", False)

    @pytest.mark.parametrize("kind", [ApiKey, Membership])
    def test_what_was_deleted_stays_deleted(
        self, during: Callable[..., None], alice_access: Access, dana: User, kind: type[models.Model]
    ) -> None:
        one = ApiKey.issue(alice_access, "ci")[0] if kind is ApiKey else dana.memberships.get()
        fields = {"name": "ci 2"} if kind is ApiKey else {"role": Role.ADMIN.value}

        during(one, fields, lambda: kind._default_manager.filter(pk=one.pk).delete())

        assert not kind._default_manager.filter(pk=one.pk).exists()

    def test_a_member_who_was_removed_stays_so_when_the_organization_is_saved(
        self, during: Callable[..., None], acme: Organization, dana: User
    ) -> None:
        membership = dana.memberships.get()
        row = {"id": membership.pk, "organization": acme.pk, "user": dana.pk, "role": Role.ADMIN.value}
        fields = {"name": "Acme", **INLINES, **{f"memberships-0-{name}": value for name, value in row.items()}}
        fields |= {f"memberships-{form}_FORMS": "1" for form in ("TOTAL", "INITIAL")}

        during(acme, fields, lambda: Membership.objects.filter(pk=membership.pk).delete())

        assert not dana.memberships.exists()


@pytest.mark.django_db
def test_whoever_edits_an_api_key_meanwhile_is_told_of_support(alice_access: Access, sam: User) -> None:
    key, _ = ApiKey.issue(alice_access, "ci")
    client_for(sam).post(address(key), {"name": "ci 2"})

    edit = {"name": "staging", "expiration": "", "version": "1"}
    answer = Console(client_for(alice_access.user)).post(f"api-keys/{key.pk}/edit/", edit)

    assert answer.status_code == 409
    assert "Support" in text(answer)
    key.refresh_from_db()
    assert key.name == "ci 2"
