"""Every list and every page of the staff administration, of every model: what they find, cost and never show."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group, Permission
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from gateway.models import RequestRecord
from organizations.access import Access
from organizations.ids import PublicIdField
from organizations.models import ApiKey, AuditEvent, Membership, Organization, Role, User
from providerkeys import vault
from providerkeys.models import (
    BedrockRegion,
    CheckResult,
    CredentialCheck,
    Draft,
    Heartbeat,
    KeyAssignment,
    ProviderKey,
    RegionDraft,
)
from providerkeys.providers.aws_regions import REGIONS
from providerkeys.resolver import Scope
from tests.cast import client_for
from tests.providerkeys import regions, sample

pytestmark = pytest.mark.django_db

type Model = type[models.Model]
MODELS: Final = tuple(sorted(filter(admin.site.is_registered, apps.get_models()), key=lambda model: model._meta.label))
SINGLE: Final = frozenset({"providerkeys.Heartbeat", "providerkeys.Sentinel"})
MANY: Final = tuple(model for model in MODELS if model._meta.label not in SINGLE)

AT_MOST: Final = 14


@dataclass
class World:
    """One organization that grows. The first object of each model is the one that the others belong to."""

    access: Access
    firsts: dict[str, str]

    @classmethod
    def of(cls, access: Access) -> "World":
        key, fleet = sample.stored(access, api_keys=[]), regions.stored(access, REGIONS[0])
        api_key, check = sample.api_key(access), sample.pressed(access, key)
        group = Group.objects.create(name="support")
        region = fleet.regions.get()
        Heartbeat.stamp()
        mine = [access.user, access.organization, key, api_key, check, group, region, check.results.get()]
        world = cls(access, {one._meta.label: str(one.pk) for one in mine})
        world.grow(1)
        return world

    def grow(self, more: int) -> None:
        key = ProviderKey.objects.get(pk=self.firsts["providerkeys.ProviderKey"])
        check = CredentialCheck.objects.get(pk=self.firsts["providerkeys.CredentialCheck"])
        organization, numbers = self.access.organization, count(User.objects.count())
        for number, _ in zip(numbers, range(more), strict=False):
            user = User.objects.create(email=f"u{number}@acme.example", password="!")
            Membership.objects.create(organization=organization, user=user, role=Role.MEMBER)
            another = Organization.objects.create(name=f"Another {number}")
            Membership.objects.create(organization=another, user=self.access.user, role=Role.MEMBER)
            KeyAssignment.objects.create(provider_key=key, api_key=sample.api_key(self.access, f"key {number}"))
            sample.stored(self.access, sample.LATTER)
            self._row_of_a_check(check, number)
            group = Group.objects.create(name=f"group {number}")
            group.permissions.set(Permission.objects.all()[: number + 1])
            self.access.user.groups.add(group)
            AccessAttempt.objects.create(
                username=user.email, ip_address="192.0.2.1", user_agent=str(number), failures_since_start=9
            )
            RequestRecord.objects.create(
                organization_id=organization.pk, api_key_id=self.firsts["organizations.ApiKey"], status=200, total_ms=1
            )
        self._regions(1 + more)

    def _row_of_a_check(self, check: CredentialCheck, number: int) -> None:
        CheckResult.objects.create(credential_check=check, position=number, label=f"row {number}", fingerprint="f" * 64)
        CredentialCheck.objects.create(
            organization=check.organization, provider="openai", deadline=timezone.now(), requested_by=self.access.user
        )

    def _regions(self, number: int) -> None:
        """Give the fleet that many regions, at most as many as there are."""
        fleet = ProviderKey.objects.get(provider="bedrock")
        wanted = REGIONS[: min(number, len(REGIONS))]
        stored = set(fleet.regions.values_list("region", flat=True))
        rows = tuple(RegionDraft(one, None if one in stored else regions.credential(one)) for one in wanted)
        fleet.change(self.access, Draft(fleet.name, Scope.ORGANIZATION, regions=rows), fleet.version)

    def first(self, model: Model) -> str:
        of_the_others = model._default_manager.order_by("pk").values_list("pk", flat=True)
        return self.firsts.get(model._meta.label) or str(of_the_others[0])


@pytest.fixture
def world(alice_access: Access, monkeypatch: pytest.MonkeyPatch) -> World:
    sample.letterbox(monkeypatch)
    return World.of(alice_access)


@pytest.fixture
def staff(sam: User) -> Client:
    return client_for(sam)


def address(model: Model, page: str, *pk: str) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(name, args=[quote(one) for one in pk])


def pages(world: World, model: Model) -> Iterator[str]:
    yield address(model, "changelist")
    for page in ("change", "history", "delete"):
        yield address(model, page, world.first(model))


def cost(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200, path
    return len(asked)


def found(client: Client, model: Model, **query: str) -> int:
    """How many rows a list says it has found."""
    text = client.get(address(model, "changelist"), query).content.decode()
    number = re.search(r"^(\d+) \w", text.partition('class="paginator"')[2], re.MULTILINE)
    assert number, query
    return int(number[1])


def linked(world: World, client: Client) -> list[tuple[str, str]]:
    """The lists that the organization's page links to: address and query of each."""
    page = client.get(address(Organization, "change", world.access.organization.pk)).content.decode()
    return re.findall(r'<li><a href="([^"?]+)\?(organization_id=org_\w+)"', page)


def test_every_model_of_the_product_has_its_pages() -> None:
    ours = {
        model for model in apps.get_models() if model._meta.app_label in {"organizations", "providerkeys", "gateway"}
    }
    assert ours <= set(MODELS)


@pytest.mark.long
def test_no_list_and_no_page_costs_more_with_more_rows(world: World, staff: Client) -> None:
    paths = [path for model in MODELS for path in pages(world, model) if not path.endswith("/delete/")]
    paths += [f"{path}?{query}" for path, query in linked(world, staff)]
    # What Django asks once in a process is asked now.
    for path in paths:
        staff.get(path)
    little = {path: cost(staff, path) for path in paths}
    world.grow(15)
    much = {path: cost(staff, path) for path in paths}
    assert {path: (little[path], queries) for path, queries in much.items() if queries != little[path]} == {}
    assert {path: queries for path, queries in much.items() if queries > AT_MOST} == {}


def test_a_list_is_searched_and_filtered_and_finds_by_id(world: World, staff: Client) -> None:
    for model in MANY:
        its_admin = admin.site.get_model_admin(model)
        assert its_admin.search_fields, model
        assert its_admin.list_per_page == 50, model
        assert found(staff, model, q="no such thing") == 0
        if isinstance(model._meta.pk, PublicIdField):
            assert its_admin.search_help_text, model
            assert its_admin.list_filter, model
            assert found(staff, model, q=world.first(model)) >= 1, model


@pytest.mark.database
@pytest.mark.parametrize("word", ["nothing", "\0", "valid\0"], ids=ascii)
def test_a_filter_finds_nothing_for_a_word_that_it_does_not_know(world: World, staff: Client, word: str) -> None:
    by_provider = (ProviderKey, CredentialCheck, KeyAssignment, RequestRecord)
    by_verdict = (ProviderKey, BedrockRegion, CheckResult)
    for name, models_ in (("provider", by_provider), ("verdict", by_verdict)):
        for model in models_:
            assert found(staff, model, **{name: word}) == 0, model


@pytest.mark.parametrize("model", [ApiKey, ProviderKey, CredentialCheck, AuditEvent, RequestRecord, Membership])
def test_a_list_is_searched_by_the_organizations_slug(model: Model, world: World, staff: Client) -> None:
    assert found(staff, model, q="acme") >= 1
    assert found(staff, model, q="globex") == 0


def test_a_person_is_found_by_address_wherever_they_did_something(world: World, staff: Client) -> None:
    for model in (User, Membership, Organization, ApiKey, ProviderKey, CredentialCheck, AuditEvent):
        assert found(staff, model, q="alice@acme.example") >= 1, model


def test_an_objects_page_links_to_what_belongs_to_it(world: World, staff: Client) -> None:
    lists = linked(world, staff)
    assert {path.split("/")[3] for path, _ in lists} == {
        *("membership", "apikey", "auditevent", "providerkey", "credentialcheck", "requestrecord"),
    }
    for path, query in lists:
        shown = staff.get(f"{path}?{query}").content.decode()
        assert f'<a href="{address(Organization, "change", world.access.organization.pk)}">Acme</a>' in shown


def test_a_list_of_one_organization_holds_no_others(world: World, staff: Client, charlie_access: Access) -> None:
    ApiKey.issue(charlie_access, "theirs")
    theirs = charlie_access.organization.pk
    assert found(staff, ApiKey, organization_id=theirs) == 1
    assert found(staff, AuditEvent, organization_id=theirs) == 1
    assert found(staff, ApiKey, organization_id="org_nobody") == 0
    assert found(staff, ApiKey, organization_id="' OR 1=1 \x00") == 0


def test_every_value_of_a_row_says_of_what(world: World, staff: Client) -> None:
    for model in MANY:
        rows = staff.get(address(model, "changelist")).content.decode().partition("<tbody>")[2]
        cells = re.findall(r"<td[^>]*>", rows)
        nameless = [one for one in cells if "data-label" not in one and "action-checkbox" not in one]
        assert (nameless, "<th data-label" in rows) == ([], False), model
    row = staff.get(address(ApiKey, "changelist")).content.decode().partition("<tbody>")[2].partition("</tr>")[0]
    assert re.findall(r'data-label="([^"]*)" class="field-([^ "]*)', row) == [
        *(("Key", "hint"), ("Organization", "of_organization"), ("Enabled", "enabled"), ("Expires at", "expires_at")),
        *(("Last used at", "last_used_at"), ("Created at", "created_at")),
    ]


def test_a_list_leads_to_all_rows_only_from_where_some_are_left_out(world: World, staff: Client) -> None:
    def way_to_all(model: Model, **query: str) -> int:
        return staff.get(address(model, "changelist"), query).content.decode().count('<a href="?">Show all</a>')

    for model in MANY:
        assert (way_to_all(model), way_to_all(model, o="1"), way_to_all(model, q="acme")) == (0, 0, 1), model
    assert way_to_all(ApiKey, enabled__exact="1") == 1
    assert way_to_all(ApiKey, created_at__gte="2026-01-01 00:00:00+00:00") == 1


def test_a_request_says_which_provider_it_went_to(world: World, staff: Client) -> None:
    path = address(RequestRecord, "changelist")
    cell = re.compile(r'<td[^>]*"field-of_provider">([^<]*)</td><td[^>]*"field-provider_key_name">([^<]*)</td>')
    assert cell.findall(staff.get(path).content.decode()) == [("-", "-")]
    RequestRecord.objects.update(provider="google_vertex_ai", provider_key_name="Main")
    asked = cost(staff, path)
    assert cell.findall(staff.get(path).content.decode()) == [("Google Vertex AI", "Main")]
    RequestRecord.objects.update(provider="one_that_is_gone")
    assert cell.findall(staff.get(path, {"o": "6"}).content.decode()) == [("one_that_is_gone", "Main")]
    assert cost(staff, path) == asked


def test_history_tells_what_customers_are_told(world: World, staff: Client) -> None:
    key = ApiKey.objects.get(pk=world.firsts["organizations.ApiKey"])
    key.disable(world.access)
    other = sample.api_key(world.access, "other")
    page = staff.get(address(ApiKey, "history", key.pk)).content.decode()
    assert "<code>api_key.created</code>" in page
    assert "<code>api_key.disabled</code>" in page
    assert "Alice (alice@acme.example)" in page
    assert other.name not in page
    assert (
        "<code>api_key.disabled</code>"
        in staff.get(address(Organization, "history", key.organization_id)).content.decode()
    )


@pytest.mark.long
def test_no_page_holds_a_secret_or_what_stands_for_one(world: World, staff: Client) -> None:
    held = {*_held(User, "password"), *_held(ApiKey, "digest", "lookup"), *_held(CheckResult, "fingerprint")}
    held |= {*_held(ProviderKey, "fingerprint"), *_held(BedrockRegion, "fingerprint", "access_key_id_fingerprint")}
    held |= {Organization.objects.get(slug="acme").fingerprint_salt.hex(), sample.FORMER[-20:], regions.GOOD[-20:]}
    for path in (path for model in MODELS for path in pages(world, model)):
        text = staff.get(path).content.decode()
        assert [one for one in held if len(one) > 3 and one in text] == [], path
        assert "gAAAA" not in text, path
        assert vault.Sealed.__name__ not in text
        assert not re.search(r'name="(password|credentials|candidate|digest|fingerprint\w*)"', text), path


def _held(model: Model, *columns: str) -> Iterator[str]:
    for row in model._default_manager.values_list(*columns):
        yield from map(str, row)


def _planted_column(monkeypatch: pytest.MonkeyPatch) -> None:
    its_admin = admin.site.get_model_admin(ApiKey)
    monkeypatch.setattr(its_admin, "list_display", ("name", "digest"))


def _planted_query(monkeypatch: pytest.MonkeyPatch) -> None:
    its_admin = admin.site.get_model_admin(Membership)
    monkeypatch.setattr(type(its_admin), "get_queryset", admin.ModelAdmin.get_queryset)
    monkeypatch.setattr(type(its_admin), "ordering", ("id",))


@pytest.mark.long
@pytest.mark.parametrize(
    ("plant", "case"),
    [
        (
            _planted_column,
            test_no_page_holds_a_secret_or_what_stands_for_one,
        ),
        (_planted_query, test_no_list_and_no_page_costs_more_with_more_rows),
    ],
)
def test_these_cases_find_what_is_planted(
    plant: Any, case: Callable[[World, Client], None], world: World, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        case(world, staff)
