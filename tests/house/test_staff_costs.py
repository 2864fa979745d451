"""What every page of the staff administration costs, for a superuser and for staff who may only look.

At most six queries and 60 kB, and no secret opened, with lists as long as a page is. The pages are read off the registry of models,
so a new model is asked for without being named here.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.deletion import PROTECT
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from organizations.access import Access
from organizations.admin import OrganizationAdmin
from organizations.backends import MemberBackend
from organizations.models import ApiKey, Membership, Organization, Role, User
from providerkeys import vault
from providerkeys.models import BedrockRegion, KeyAssignment, ProviderKey
from providerkeys.providers.aws_regions import REGIONS
from tests.cast import client_for
from tests.house.test_administration import MODELS, World, address
from tests.house.test_page_costs import Asked
from tests.providerkeys import regions, sample

pytestmark = pytest.mark.long

FULL: Final = 55


@pytest.fixture
def world(alice_access: Access, monkeypatch: pytest.MonkeyPatch) -> World:
    """A page of everything, and somebody who has more organizations, groups and rights than one."""
    sample.letterbox(monkeypatch)
    world = World.of(alice_access)
    world.grow(FULL)
    alice_access.user.user_permissions.set(Permission.objects.all())
    # Asked once in a process.
    ContentType.objects.get_for_models(*apps.get_models())
    return world


def superuser() -> User:
    return User.objects.create_superuser("sam@support.example")


def viewer() -> User:
    """Somebody who may look at everything, half of it by their own rights and half by a group's."""
    user = User.objects.create_user("viewer@support.example", is_staff=True)
    rights = list(Permission.objects.filter(codename__startswith="view_"))
    group = Group.objects.create(name="viewers")
    group.permissions.set(rights[::2])
    user.user_permissions.set(rights[1::2])
    user.groups.add(group)
    return user


each_staff = pytest.mark.parametrize("staff", [superuser, viewer])


def addresses(world: World) -> Iterator[str]:
    yield from (reverse(f"admin:{name}") for name in ("index", "password_change", "password_change_done", "jsi18n"))
    for label in sorted({model._meta.app_label for model in MODELS}):
        yield reverse("admin:app_list", args=[label])
    for model in MODELS:
        yield from (address(model, page) for page in ("changelist", "add"))
        for column, named in getattr(admin.site.get_model_admin(model), "names", {}).items():
            for pk in (world.first(named), "nobody"):
                yield f"{address(model, 'changelist')}?{column}={pk}"
        for pk in {world.first(model), str(model._default_manager.latest("pk").pk)}:
            yield from (address(model, page, pk) for page in ("change", "history", "delete"))


def walk(world: World, user: User) -> list[Asked]:
    client = client_for(user)
    return [Asked.of(client, path, path, htmx=False) for path in addresses(world)]


@pytest.mark.database
@each_staff
def test_six_queries_at_most_nothing_decrypted_and_light(staff: Callable[[], User], world: World) -> None:
    user = staff()

    pages = walk(world, user)

    assert [page for page in pages if page.is_dear] == []
    assert {page.status for page in pages} == {200, 403}
    refused = {page.path.rstrip("/").rpartition("/")[2] for page in pages if page.status == 403}
    assert refused == {"add", "delete"}
    login = Asked.of(Client(), "login", reverse("admin:login"), htmx=False)
    assert (login.status, login.is_dear) == (200, False)


@pytest.mark.parametrize("more", ["queries", "secrets", "bytes"])
def test_a_query_more_a_secret_opened_and_a_heavier_page_are_noticed(
    more: str, alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample.letterbox(monkeypatch)
    regions.stored(alice_access)

    def costly(_: OrganizationAdmin, __: HttpRequest, organization: Organization) -> list[tuple[str, str]]:
        if more == "queries":
            assert [organization.memberships.count() for _ in range(3)] == [1, 1, 1]
        elif more == "secrets":
            vault.reveal(BedrockRegion.objects.all()[0], vault.Purpose.CHECK)
        return [(secrets.token_hex(70_000), "")] if more == "bytes" else []

    monkeypatch.setattr(OrganizationAdmin, "lists_of", costly)
    path = address(Organization, "change", alice_access.organization.pk)

    assert Asked.of(client_for(superuser()), "organization", path, htmx=False).is_dear


# What staff may do


@pytest.mark.database
def test_staff_have_their_own_rights_and_their_groups_and_no_others(db: None) -> None:
    user = viewer()
    Group.objects.create(name="others").permissions.set(Permission.objects.filter(codename="delete_user"))

    theirs = User.objects.get(pk=user.pk).get_all_permissions()

    assert theirs == ModelBackend().get_all_permissions(User.objects.get(pk=user.pk))
    assert "organizations.view_user" in theirs
    assert "organizations.delete_user" not in theirs
    assert MemberBackend().get_all_permissions(user, obj=user) == set()
    user.is_active = False
    assert MemberBackend().get_all_permissions(user) == set()
    assert MemberBackend().get_all_permissions(AnonymousUser()) == set()


# What the pages still say


def test_history_is_for_those_who_may_look_and_of_what_there_is(alice_access: Access) -> None:
    key, _ = ApiKey.issue(alice_access, "ci")
    path = address(ApiKey, "history", key.pk)

    assert client_for(viewer()).get(path).status_code == 200
    assert client_for(User.objects.create_user("nobody@support.example", is_staff=True)).get(path).status_code == 403
    missing = client_for(superuser()).get(address(ApiKey, "history", "key_nobody"), follow=True)
    assert missing.redirect_chain == [(reverse("admin:index"), 302)]
    assert "doesn’t exist" in missing.content.decode()


def test_a_users_page_shows_what_they_belong_to_and_whether_they_are_locked_out(alice: User) -> None:
    alice.groups.add(Group.objects.create(name="support"))
    alice.user_permissions.add(Permission.objects.get(codename="view_apikey"))
    path = address(User, "change", alice.pk)

    shown = client_for(viewer()).get(path).content.decode()

    assert "support" in shown
    assert "Organizations | API key | Can view API key" in shown
    assert "Acme</a>: <a" in shown
    chosen = re.findall(r'<option value="\d+" selected>([^<]+)<', client_for(superuser()).get(path).content.decode())
    assert chosen == ["support", "Organizations | API key | Can view API key"]


@pytest.mark.database
def test_a_deletion_says_how_many_of_each_kind_go_with_it(
    alice_access: Access, dana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample.letterbox(monkeypatch)
    api_keys = [sample.api_key(alice_access, name) for name in ("one", "two")]
    acme = alice_access.organization
    another = Organization.objects.create(name="Another")
    Membership.objects.create(organization=another, user=dana, role=Role.MEMBER)
    client = client_for(superuser())

    def said(of: models.Model) -> str:
        return client.get(address(type(of), "delete", of.pk)).content.decode()

    assert counts(said(acme)) == {"Organizations": 1, "API keys": 2, "Memberships": 2}
    assert counts(said(dana)) == {"Users": 1, "Memberships": 2}
    assert counts(said(another)) == {"Organizations": 1, "Memberships": 1}
    key = sample.stored(alice_access, api_keys=api_keys)
    regions.stored(alice_access, *REGIONS[:3])
    assert counts(said(api_keys[0])) == {"API keys": 1, "Key assignments": 1}
    # Whoever deletes them keeps nobody's provider keys: only a customer deletes those.
    sample.pressed(alice_access, key)
    refused = said(acme)
    assert counts(refused) == {}
    assert "doesn&#x27;t have permission" in refused or "doesn't have permission" in refused
    for kind in ("provider key", "bedrock region", "key assignment", "credential check", "check result"):
        assert f"<li>{kind}</li>" in refused, kind
    assert client.post(address(Organization, "delete", acme.pk), {"post": "yes"}).status_code == 403
    assert Organization.objects.filter(pk=acme.pk).exists()


def test_a_row_that_protects_another_is_named_as_django_does(
    alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    ApiKey.issue(alice_access, "guardian")
    monkeypatch.setattr(ApiKey._meta.get_field("organization").remote_field, "on_delete", PROTECT)
    path = address(Organization, "delete", alice_access.organization.pk)
    client = client_for(superuser())

    assert "guardian" in client.get(path).content.decode()
    client.post(path, {"post": "yes"})
    assert Organization.objects.filter(pk=alice_access.organization.pk).exists()


def counts(page: str) -> dict[str, int]:
    """How many of each kind a page says go with a deletion."""
    summary = page.partition("<h2>Summary</h2>")[2].partition("</ul>")[0]
    return {kind: int(number) for kind, number in re.findall(r"<li>([^:<]+): (\d+)</li>", summary)}


@pytest.mark.database
def test_a_page_names_some_of_thousands_and_counts_the_others(
    alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample.letterbox(monkeypatch)
    key = sample.stored(alice_access, api_keys=[])
    api_keys = [sample.api_key(alice_access, f"key {number:03}") for number in range(103)]
    KeyAssignment.objects.bulk_create(KeyAssignment(provider_key=key, api_key=one) for one in api_keys)

    shown = client_for(viewer()).get(address(ProviderKey, "change", key.pk)).content.decode()

    for number in range(101):
        member = User.objects.create(email=f"m{number:03}@acme.example", password="!")
        Membership.objects.create(organization=key.organization, user=member, role=Role.MEMBER)
    crowded = client_for(superuser()).get(address(Organization, "change", key.organization_id)).content.decode()

    assert "More than 100: the list of memberships has them" in crowded
    assert "m000@acme.example" not in crowded
    assert "key 099" in shown
    assert "key 100" not in shown
    assert "and 3 more" in shown
