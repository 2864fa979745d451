"""What staff do with provider keys: test, pause, let serve again. Each needs the permission to change, then and later."""

import re
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.test import Client

from organizations.access import Access
from organizations.models import AuditEvent, Organization, User
from providerkeys.models import ProviderKey
from providerkeys.models.check import CredentialCheck
from providerkeys.tasks import run_check
from tests.cast import PASSWORD, client_for
from tests.providerkeys import sample
from tests.providerkeys.sample import Door, again, letterbox, verdicts

pytestmark = pytest.mark.django_db
LIST = "/admin/providerkeys/providerkey/"


def staff(*permissions: str) -> User:
    user = User.objects.create_user(f"staff{len(permissions)}@support.example", PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def changer(db: None) -> User:
    return staff("view_providerkey", "change_providerkey", "view_apikey")


@pytest.fixture
def viewer(db: None) -> User:
    return staff("view_providerkey")


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    letterbox(monkeypatch)
    return Door.instead(monkeypatch)


@pytest.fixture
def key(alice_access: Access) -> ProviderKey:
    return sample.stored(alice_access)


def run(user: User, action: str, key: ProviderKey, *, sure: bool = True, path: str = LIST) -> Any:
    data = {"action": action, "_selected_action": [key.pk], **({"post": "yes"} if sure else {})}
    return client_for(user).post(path, data)


def test_a_test_is_recorded_as_supports_and_asks_the_provider(changer: User, key: ProviderKey, door: Door) -> None:
    assert run(changer, "test_again", key).status_code == 302
    check = CredentialCheck.objects.get()
    run_check(check.pk)
    event = AuditEvent.objects.latest("at")
    assert (event.action, event.actor_kind, event.organization_id) == (
        "credentials.tested",
        "staff",
        key.organization_id,
    )
    assert (door.probes, again(key).verdict) == (1, "valid")


def _viewing(user: User) -> None:
    user.user_permissions.set(Permission.objects.filter(codename="view_providerkey"))


def _no_staff(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=False)


def _gone(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


@pytest.mark.parametrize("loss", [_viewing, _no_staff, _gone])
def test_a_right_that_went_before_the_worker_began_sends_nothing(
    loss: Any, changer: User, key: ProviderKey, door: Door
) -> None:
    run(changer, "test_again", key)
    loss(changer)
    check = CredentialCheck.objects.get()
    run_check(check.pk)
    assert (door.probes, verdicts(check)) == (0, [("unreachable", "withdrawn")])
    assert again(key).last_check_verdict == ""


def test_staff_test_nothing_that_somebody_typed(
    changer: User, acme: Organization, alice_access: Access, door: Door
) -> None:
    check = sample.pressed(alice_access)
    CredentialCheck.objects.update(requested_by=changer)
    run_check(check.pk)
    assert (door.probes, verdicts(check)) == (0, [("unreachable", "withdrawn")])


def test_disabling_asks_first_and_is_recorded_once(changer: User, key: ProviderKey) -> None:
    asked = run(changer, "disable", key, sure=False)
    assert "Disable these provider keys?" in asked.content.decode()
    assert again(key).enabled
    run(changer, "disable", key)
    run(changer, "disable", key)
    assert not again(key).enabled
    run(changer, "enable", key)
    assert again(key).enabled
    events = AuditEvent.objects.filter(actor_kind="staff").order_by("at").values_list("action", "actor_id")
    assert list(events) == [("provider_key.disabled", changer.pk), ("provider_key.enabled", changer.pk)]


@pytest.mark.parametrize("action", ["test_again", "disable", "enable"])
def test_who_may_only_look_does_nothing(action: str, viewer: User, key: ProviderKey, door: Door) -> None:
    page = client_for(viewer).get(LIST).content.decode()
    assert key.hint in page
    assert f'value="{action}"' not in page
    run(viewer, action, key)
    assert again(key).enabled
    assert not CredentialCheck.objects.exists()
    assert not AuditEvent.objects.filter(actor_kind="staff").exists()


def test_a_forged_post_and_a_customer_do_nothing(changer: User, alice: User, key: ProviderKey) -> None:
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(changer, backend="organizations.backends.MemberBackend")
    data = {"action": "disable", "_selected_action": [key.pk], "post": "yes"}
    assert forged.post(LIST, data).status_code == 403
    assert run(alice, "disable", key).status_code == 302
    assert again(key).enabled


def test_nobody_edits_a_key_here(sam: User, key: ProviderKey) -> None:
    answer = client_for(sam).post(f"{LIST}{quote(key.pk)}/change/", {"name": "Other", "credentials": "x"})
    assert answer.status_code == 403
    assert again(key).name == "Production"


def test_a_provider_keys_page_shows_what_it_is_assigned_to(changer: User, alice_access: Access) -> None:
    api_key = sample.api_key(alice_access, "staging")
    key = sample.stored(alice_access, api_keys=[api_key])
    page = client_for(changer).get(f"{LIST}{quote(key.pk)}/change/").content.decode()
    assert f'<a href="/admin/organizations/apikey/{quote(api_key.pk)}/change/">staging</a>' in page


def test_an_api_keys_page_shows_what_serves_it(
    changer: User, alice_access: Access, django_assert_max_num_queries: Any
) -> None:
    api_key = sample.api_key(alice_access)
    sample.stored(alice_access, api_keys=[api_key])
    client = client_for(changer)
    with django_assert_max_num_queries(10):
        page = client.get(f"/admin/organizations/apikey/{quote(api_key.pk)}/change/").content.decode()
    assert re.search(r"<strong>OpenAI</strong>: <a href=\"[^\"]+\">Production</a>. Assigned to this API key.", page)
    assert "<strong>Anthropic</strong>: nothing. Your organization has no Anthropic key." in page
