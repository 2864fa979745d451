"""Who may ask for what: every address of the console × method × cast, for own, foreign and invented ids."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import pytest
from django.test import Client

from organizations.access import Access
from organizations.models import Membership, User
from providerkeys import urls
from tests.cast import client_for
from tests.providerkeys import sample
from tests.providerkeys.conftest import Console, form_data, text

EVERY_METHOD: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Route:
    """An address with one of its methods, and the status that who may use it gets for an empty request."""

    method: str
    address: str
    status: int
    members_may: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.address}"


ROUTES: Final = (
    Route("GET", "provider-keys/", 200, members_may=True),
    Route("GET", "provider-keys/new/", 200),
    Route("POST", "provider-keys/new/", 422),
    Route("GET", "provider-keys/api-key-names/", 200, members_may=True),
    Route("POST", "provider-keys/outlook/", 200),
    Route("POST", "provider-keys/{pk}/outlook/", 200),
    Route("POST", "provider-keys/revoked/", 302),
    Route("POST", "provider-keys/checks/", 422),
    Route("GET", "provider-keys/checks/{chk}/", 200, members_may=True),
    Route("GET", "provider-keys/{pk}/", 200),
    Route("POST", "provider-keys/{pk}/", 422),
    Route("POST", "provider-keys/{pk}/checks/", 302),
    Route("GET", "provider-keys/{pk}/delete/", 200),
    Route("POST", "provider-keys/{pk}/delete/", 302),
    Route("GET", "provider-keys/{pk}/activation/", 200),
    Route("POST", "provider-keys/{pk}/activation/", 400),
    Route("POST", "provider-keys/{pk}/position/", 400),
    Route("GET", "api-keys/", 200, members_may=True),
    Route("GET", "api-keys/new/", 200),
    Route("POST", "api-keys/new/", 422),
    Route("GET", "api-keys/{key}/", 200, members_may=True),
    Route("GET", "api-keys/{key}/edit/", 200),
    Route("POST", "api-keys/{key}/edit/", 422),
    Route("GET", "api-keys/{key}/rotation/", 200),
    Route("POST", "api-keys/{key}/rotation/", 422),
    Route("GET", "api-keys/{key}/former/", 302),
    Route("POST", "api-keys/{key}/former/", 302),
    Route("GET", "api-keys/{key}/activation/", 200),
    Route("POST", "api-keys/{key}/activation/", 400),
    Route("GET", "api-keys/{key}/delete/", 200),
    Route("POST", "api-keys/{key}/delete/", 422),
)
ADDRESSES: Final = frozenset(route.address for route in ROUTES)
OF_ONE_OBJECT: Final = tuple(route for route in ROUTES if "{" in route.address)


@dataclass(frozen=True)
class Ids:
    """Three objects, by the names that addresses use."""

    pk: str = "pk_" + "0" * 22
    chk: str = "chk_" + "0" * 22
    key: str = "key_" + "0" * 22

    @classmethod
    def of(cls, access: Access) -> "Ids":
        key = sample.stored(access)
        return cls(key.pk, sample.pressed(access).pk, sample.api_key(access).pk)


@pytest.fixture
def ids(alice_access: Access, sent: list[str]) -> Ids:
    return Ids.of(alice_access)


def ask(client: Client, method: str, address: str, ids: Ids, *, htmx: bool = False) -> Any:
    headers = {"HX-Request": "true"} if htmx else {}
    return client.generic(method, "/orgs/acme/" + address.format(**vars(ids)), headers=headers)


def statuses(client: Client, ids: Ids) -> dict[str, int]:
    """Every route's status, page and fragment alike."""
    found = {}
    for route in ROUTES:
        page, fragment = (ask(client, route.method, route.address, ids, htmx=htmx) for htmx in (False, True))
        found[str(route)] = page.status_code
        assert fragment.status_code == (HTTPStatus.OK if "HX-Redirect" in fragment.headers else page.status_code)
    return found


def all_routes(status: int) -> dict[str, int]:
    return {str(route): status for route in ROUTES}


def unmasked(response: Any) -> str:
    """The page without its CSRF tokens, which are masked anew each time, and without the request's random name."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text(response))
    return page.replace(response.headers["X-Request-Id"], "")


def headers_of(response: Any) -> dict[str, str]:
    """The answer's headers; the request's random name has the one shape that it always has."""
    headers = dict(response.headers)
    assert re.fullmatch(r"req_[0-9A-Za-z]{22}", headers.pop("X-Request-Id"))
    return headers


def test_every_address_is_in_the_table() -> None:
    patterns = {
        str(group.pattern).removeprefix("orgs/<slug:slug>/") + str(one.pattern)
        for group in urls.urlpatterns
        for one in group.url_patterns
    }
    assert {pattern.replace("<slug:", "{").replace(">", "}") for pattern in patterns} == ADDRESSES


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_an_admin_may(alices: Console, ids: Ids, route: Route) -> None:
    assert ask(alices.client, route.method, route.address, ids).status_code == route.status


def test_a_member_may_look_and_no_more(danas: Console, ids: Ids) -> None:
    assert statuses(danas.client, ids) == {str(route): route.status if route.members_may else 403 for route in ROUTES}


def test_an_admin_of_another_organization_finds_nothing(charlies: Console, ids: Ids) -> None:
    assert statuses(charlies.client, ids) == all_routes(404)


def test_staff_without_a_membership_find_nothing(sam: User, ids: Ids) -> None:
    assert statuses(client_for(sam), ids) == all_routes(404)


def test_somebody_removed_a_moment_ago_finds_nothing(alices: Console, alice: User, ids: Ids) -> None:
    Membership.objects.filter(user=alice).delete()

    assert statuses(alices.client, ids) == all_routes(404)


def test_somebody_logged_out_is_sent_to_log_in(client: Client, ids: Ids) -> None:
    assert statuses(client, ids) == all_routes(302)
    assert ask(client, "GET", "provider-keys/", ids).headers["Location"].startswith("/login/?next=")
    assert ask(client, "POST", "provider-keys/new/", ids, htmx=True).headers["HX-Redirect"].startswith("/login/")


def test_a_deactivated_user_is_sent_to_log_in(alices: Console, alice: User, ids: Ids) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert statuses(alices.client, ids) == all_routes(302)


@pytest.mark.parametrize("htmx", [False, True])
def test_what_is_foreign_reads_like_what_never_was(
    alices: Console, charlie_access: Access, sent: list[str], htmx: bool
) -> None:
    foreign = Ids.of(charlie_access)
    another_model = Ids(pk=foreign.key, chk=foreign.pk, key=foreign.chk)

    for route in OF_ONE_OBJECT:
        found, absent, other = (
            ask(alices.client, route.method, route.address, named, htmx=htmx)
            for named in (foreign, Ids(), another_model)
        )
        assert (found.status_code, headers_of(found)) == (404, headers_of(absent)), route
        assert unmasked(found) == unmasked(absent) == unmasked(other), route


@pytest.mark.parametrize("junk", ["%00", "pk_%00", "é", "a.b", "..%2f", "x" * 3000])
def test_what_is_no_id_is_not_found(alices: Console, junk: str) -> None:
    for route in OF_ONE_OBJECT:
        assert ask(alices.client, route.method, route.address, Ids(junk, junk, junk)).status_code == 404, route


def test_other_methods_are_refused(alices: Console, ids: Ids) -> None:
    for address in ADDRESSES:
        declared = {route.method for route in ROUTES if route.address == address}
        for method in EVERY_METHOD - declared - ({"HEAD"} if "GET" in declared else set()):
            assert ask(alices.client, method, address, ids).status_code == 405, (method, address)


def test_each_tab_acts_on_the_organization_of_its_address(
    alices: Console, alice: User, charlie_access: Access, sent: list[str]
) -> None:
    Membership.objects.create(organization=charlie_access.organization, user=alice, role="admin")

    Console(alices.client, "globex").post("provider-keys/new/", form_data())

    assert charlie_access.organization.provider_keys.count() == 1
