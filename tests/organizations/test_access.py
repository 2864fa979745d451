from urllib.parse import quote

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from pytest_django import DjangoAssertNumQueries

from organizations.access import Access, access_for, admin_view, member_view, staff_access
from organizations.backends import MemberBackend
from organizations.context_processors import console
from organizations.ids import new_id
from organizations.models import ApiKey, Membership, Organization, Role, User
from tests.cast import IP, client_for
from tests.organizations.conftest import MakeRequest

pytestmark = pytest.mark.django_db


def text(response: HttpResponseBase) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


@member_view
def look(_: HttpRequest, access: Access, **kwargs: str) -> HttpResponse:
    return HttpResponse(f"{access.organization.slug} {access.actor.ip} {kwargs}")


@admin_view
def change(_: HttpRequest, access: Access) -> HttpResponse:
    return HttpResponse(access.role)


def test_an_admin_may_look_and_change(alice: User, make_request: MakeRequest) -> None:
    assert text(look(make_request(alice), slug="acme", pk="pk_1")) == f"acme {IP} {{'pk': 'pk_1'}}"
    assert text(change(make_request(alice), slug="acme")) == "admin"


def test_a_member_may_look_but_not_change(dana: User, make_request: MakeRequest) -> None:
    assert look(make_request(dana), slug="acme").status_code == 200
    with pytest.raises(PermissionDenied):
        change(make_request(dana), slug="acme")


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("slug", ["acme", "no-such-organization", "a\0b"])
def test_a_stranger_cannot_tell_foreign_from_absent(
    charlie: User, make_request: MakeRequest, django_assert_num_queries: DjangoAssertNumQueries, slug: str
) -> None:
    for view in (look, change):
        with django_assert_num_queries(1), pytest.raises(Http404) as refusal:
            view(make_request(charlie), slug=slug)
        assert refusal.value.args == ()


def test_staff_without_a_membership_is_a_stranger(acme: Organization, sam: User, make_request: MakeRequest) -> None:
    with pytest.raises(Http404):
        look(make_request(sam), slug="acme")


def test_a_removed_member_is_out_at_once(alice: User, make_request: MakeRequest) -> None:
    assert look(make_request(alice), slug="acme").status_code == 200
    Membership.objects.all().delete()
    with pytest.raises(Http404):
        look(make_request(alice), slug="acme")


def test_a_demoted_admin_is_a_member_at_once(alice: User, make_request: MakeRequest) -> None:
    Membership.objects.update(role=Role.MEMBER)
    with pytest.raises(PermissionDenied):
        change(make_request(alice), slug="acme")


def test_a_deactivated_user_is_out_at_once(alice: User, make_request: MakeRequest) -> None:
    request = make_request(alice)
    User.objects.update(is_active=False)
    with pytest.raises(Http404):
        look(request, slug="acme")


def test_a_deactivated_users_session_ends(alice: User) -> None:
    client = client_for(alice)
    assert client.get("/orgs/acme/").headers["Location"].endswith("/orgs/acme/provider-keys/")
    User.objects.update(is_active=False)
    assert client.get("/orgs/acme/").headers["Location"] == "/login/?next=%2Forgs%2Facme%2F&ended=1"


def test_a_visitor_and_their_memberships_are_one_query_that_counts_once(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        visitor = MemberBackend().get_user(alice.pk)
        assert visitor
        access_for(visitor, "acme")
    Membership.objects.filter(user=alice).delete()
    with pytest.raises(Http404):
        access_for(visitor, "acme")


@pytest.mark.parametrize("who", ["alice", "sam"])
def test_a_session_of_somebody_deactivated_brings_nobody(who: str, request: pytest.FixtureRequest) -> None:
    user: User = request.getfixturevalue(who)
    assert MemberBackend().get_user(user.pk) == user
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert MemberBackend().get_user(user.pk) is None


def test_an_anonymous_reader_logs_in_and_comes_back(acme: Organization, make_request: MakeRequest) -> None:
    response = look(make_request(path="/orgs/acme/api-keys/?page=2"), slug="acme")
    assert response.status_code == 302
    assert response.headers["Location"] == "/login/?next=%2Forgs%2Facme%2Fapi-keys%2F%3Fpage%3D2"


def test_an_anonymous_post_is_not_replayed_after_login(acme: Organization, make_request: MakeRequest) -> None:
    response = change(make_request(method="POST", path="/orgs/acme/provider-keys/checks/"), slug="acme")
    assert response.headers["Location"] == "/login/?ended=1"


def test_htmx_is_told_to_leave_for_the_login_page_and_to_come_back_to_its_page(make_request: MakeRequest) -> None:
    page = "http://testserver/orgs/acme/provider-keys/new/?provider=openai"
    headers = {"HX-Request": "true", "HX-Current-URL": page}
    response = look(make_request(path="/orgs/acme/provider-keys/checks/chk_1/", **headers), slug="acme")
    assert (
        response.headers["HX-Redirect"]
        == "/login/?next=" + quote(page.removeprefix("http://testserver"), safe="") + "&ended=1"
    )
    assert "Location" not in response.headers
    assert response.status_code == 200


def test_a_stranger_path_is_never_where_login_leads(make_request: MakeRequest) -> None:
    request = make_request()
    request.path = "//evil.example/"
    assert look(request, slug="acme").headers["Location"] == "/login/"


def test_the_door_shows_one_organizations_rows(alice_access: Access, charlie_access: Access) -> None:
    own, _ = ApiKey.issue(alice_access, "own")
    ApiKey.issue(charlie_access, "foreign")
    assert list(alice_access.all(ApiKey)) == [own]
    assert alice_access.get(ApiKey, own.pk) == own


def test_a_foreign_row_cannot_be_told_from_an_absent_one(
    alice_access: Access, charlie_access: Access, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    foreign, _ = ApiKey.issue(charlie_access, "foreign")
    for pk in (foreign.pk, new_id("key"), charlie_access.organization.pk, "key_\0", ""):
        with django_assert_num_queries(1), pytest.raises(Http404) as refusal:
            alice_access.get(ApiKey, pk)
        assert refusal.value.args == ()
        assert refusal.value.__suppress_context__


def test_the_switcher_lists_the_users_organizations_by_name(
    alice: User, acme: Organization, globex: Organization
) -> None:
    globex.name = "A first"
    globex.save()
    Membership.objects.create(organization=globex, user=alice, role=Role.MEMBER)
    access = access_for(alice, "acme")
    assert access.organizations == (globex, acme)
    assert access.is_admin
    assert not access_for(alice, "globex").is_admin


def test_templates_know_the_organization_and_the_others(alice: User, make_request: MakeRequest) -> None:
    request = make_request(alice)
    assert console(request) == {"access": None, "organizations": ()}
    look(request, slug="acme")
    context = console(request)
    assert context["access"].organization.slug == "acme"
    assert [organization.slug for organization in context["organizations"]] == ["acme"]


def test_a_forwarded_address_is_not_believed(alice: User, make_request: MakeRequest) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    assert IP in text(look(make_request(alice, **forged), slug="acme"))


def test_staff_acts_as_staff_and_nobody_else_can(acme: Organization, alice: User, sam: User) -> None:
    assert staff_access(sam, acme).actor.kind == "staff"
    with pytest.raises(PermissionDenied):
        staff_access(alice, acme)
