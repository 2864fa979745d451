import pytest
from django.test import Client

from organizations.models import Membership, Organization, Role, User
from tests.cast import client_for

pytestmark = pytest.mark.django_db


def test_home_is_the_first_organization_by_name(alice: User, globex: Organization) -> None:
    assert client_for(alice).get("/").headers["Location"] == "/orgs/acme/provider-keys/"
    earlier = Organization.objects.create(name="A first one")
    Membership.objects.create(organization=earlier, user=alice, role=Role.MEMBER)
    assert client_for(alice).get("/").headers["Location"] == "/orgs/a-first-one/provider-keys/"


def test_staff_without_a_membership_goes_to_the_administration(sam: User, acme: Organization) -> None:
    assert client_for(sam).get("/").headers["Location"] == "/admin/"
    Membership.objects.create(organization=acme, user=sam, role=Role.MEMBER)
    assert client_for(sam).get("/").headers["Location"] == "/orgs/acme/provider-keys/"


def test_others_are_told_that_they_have_no_organization(acme: Organization) -> None:
    response = client_for(User.objects.create_user("new@acme.example")).get("/")
    assert response.status_code == 200
    assert b"No organization yet" in response.content
    assert b"Acme" not in response.content


def test_an_anonymous_visitor_logs_in(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/login/?next=/"


def test_the_switcher_leads_to_the_organization_it_names(alice: User, globex: Organization) -> None:
    assert client_for(alice).get("/orgs/acme/").headers["Location"] == "/orgs/acme/provider-keys/"
    foreign, absent = client_for(alice).get("/orgs/globex/"), client_for(alice).get("/orgs/no-such/")
    assert foreign.status_code == absent.status_code == 404


def test_nothing_is_changed_by_posting_there(alice: User) -> None:
    for path in ("/", "/orgs/acme/"):
        assert client_for(alice).post(path).status_code == 405
