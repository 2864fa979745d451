"""What people see when something goes wrong: a page, or for htmx its middle; always a sentence, never more queries."""

from typing import Any

import pytest
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from organizations.models import User
from tests.cast import client_for

SENTENCES = {
    400: "This request can’t be read.",
    403: "This isn’t yours to change.",
    404: "Nothing is at this address.",
    500: "Something broke on our side.",
    503: "The console can’t reach its database.",
}


def fail(_: HttpRequest, status: int) -> HttpResponse:
    if status == 400:
        raise BadRequest("sk-proj-FAKE-in-an-exception")
    if status == 403:
        raise PermissionDenied("sk-proj-FAKE-in-an-exception")
    if status == 503:
        raise OperationalError("sk-proj-FAKE-in-an-exception")
    raise RuntimeError("sk-proj-FAKE-in-an-exception")


urlpatterns = [path("fail/<int:status>/", fail), path("", include("byok_site.urls"))]
handler400, handler403, handler404, handler500 = (
    f"byok_site.errors.{name}" for name in ("bad_request", "permission_denied", "page_not_found", "server_error")
)


@pytest.fixture
def client(alice: User) -> Client:
    client = client_for(alice)
    client.raise_request_exception = False
    return client


def ask(client: Client, status: int, *, htmx: bool) -> Any:
    return client.get(
        "/nowhere/" if status == 404 else f"/fail/{status}/", headers={"HX-Request": "true"} if htmx else {}
    )


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("status", SENTENCES)
@pytest.mark.parametrize("htmx", [False, True])
def test_each_keeps_its_status_and_says_a_sentence(client: Client, status: int, htmx: bool) -> None:
    answer = ask(client, status, htmx=htmx)

    page = answer.content.decode()
    assert answer.status_code == status
    assert SENTENCES[status] in page
    assert "data-error-page" in page
    assert ("<html" in page) is not htmx
    assert "FAKE" not in page


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("htmx", [False, True])
def test_saying_that_something_broke_asks_the_database_nothing(
    client: Client, status: int, htmx: bool, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):  # Session and user, by a middleware; none by the answer.
        ask(client, status, htmx=htmx)


@pytest.mark.parametrize("htmx", [False, True])
def test_a_member_is_told_whom_to_ask(dana: User, htmx: bool) -> None:
    headers = {"HX-Request": "true"} if htmx else {}

    answer = client_for(dana).get("/orgs/acme/provider-keys/new/", headers=headers)

    assert answer.status_code == 403
    assert (
        "You may look at Acme’s keys, not change them. Nothing was changed. Ask an admin of Acme."
        in answer.content.decode()
    )


@pytest.mark.parametrize("htmx", [False, True])
def test_a_stale_form_says_so(alice: User, htmx: bool) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")

    answer = client.post("/orgs/acme/api-keys/new/", headers={"HX-Request": "true"} if htmx else {})

    assert answer.status_code == 403
    assert "This page is out of date." in answer.content.decode()
    assert "You logged out, or logged in again," in answer.content.decode()
    assert ("<html" in answer.content.decode()) is not htmx
