"""What people see when something goes wrong: a page, or for htmx what stands where it was pressed; always a sentence, a way
home, and the name of the request that support will ask for."""

import logging
import re
from typing import Any

import pytest
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path

from byok_site import logs
from organizations.access import Access
from organizations.hashing import TooManyPasswords
from organizations.models import Membership, Organization, Role, User
from tests.cast import client_for
from tests.providerkeys import sample

SENTENCES = {
    400: "This request can’t be read.",
    403: "This isn’t yours to change.",
    404: "Nothing is at this address.",
    500: "Something broke on our side.",
    503: "The console can’t reach its database.",
}
BUSY = 599
REQUEST_ID = re.compile(r"name this request: <span class=\"mono\">(req_[0-9A-Za-z]{22})</span>")


def fail(_: HttpRequest, status: int) -> HttpResponse:
    errors: dict[int, Exception] = {
        400: BadRequest("sk-proj-FAKE-in-an-exception"),
        403: PermissionDenied("sk-proj-FAKE-in-an-exception"),
        503: OperationalError("sk-proj-FAKE-in-an-exception"),
        BUSY: TooManyPasswords(),
    }
    raise errors.get(status) or RuntimeError("sk-proj-FAKE-in-an-exception")


urlpatterns = [path("fail/<int:status>/", fail), path("", include("byok_site.urls"))]
handler400, handler403, handler404, handler500 = (
    f"byok_site.errors.{name}" for name in ("bad_request", "permission_denied", "page_not_found", "server_error")
)
both = pytest.mark.parametrize("htmx", [False, True])


@pytest.fixture
def client(alice: User) -> Client:
    client = client_for(alice)
    client.raise_request_exception = False
    return client


def ask(client: Client, status: int, *, htmx: bool = False) -> Any:
    return client.get(
        "/nowhere/" if status == 404 else f"/fail/{status}/", headers={"HX-Request": "true"} if htmx else {}
    )


def ways(answer: Any) -> list[tuple[str, str]]:
    """Where the error page leads, and what it calls that."""
    return re.findall(r'<a class="button[^"]*" href="([^"]+)">([^<]+)</a>', answer.content.decode())


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("status", SENTENCES)
@both
def test_each_keeps_its_status_and_says_a_sentence(client: Client, status: int, htmx: bool) -> None:
    answer = ask(client, status, htmx=htmx)

    page = answer.content.decode()
    assert answer.status_code == status
    assert SENTENCES[status] in page
    assert ("data-failure" if htmx else "data-error-page") in page
    assert ("<html" in page) is not htmx
    assert "FAKE" not in page


@both
def test_an_address_that_only_takes_forms_says_so(client: Client, alice_access: Access, htmx: bool) -> None:
    """A browser asks for it after a login that was due at the press, or from its history."""
    headers = {"HX-Request": "true"} if htmx else {}

    answer = client.get("/orgs/acme/provider-keys/checks/", headers=headers)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert "There is no page at this address." in answer.content.decode()
    assert answer.headers["X-Request-Id"] in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert ways(answer) == ([] if htmx else [("/orgs/acme/provider-keys/", "Go to Acme")])
    assert client.head("/orgs/acme/provider-keys/checks/").content == b""


@pytest.mark.urls(__name__)
@both
def test_passwords_that_wait_are_no_fault_of_the_database(client: Client, htmx: bool) -> None:
    answer = ask(client, BUSY, htmx=htmx)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "The console is busy." in answer.content.decode()
    assert "database" not in answer.content.decode()


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("status", [500, 503])
@both
def test_saying_that_something_broke_asks_the_database_nothing(
    client: Client, status: int, htmx: bool, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):  # Session and user, by a middleware; none by the answer.
        ask(client, status, htmx=htmx)


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("status", SENTENCES)
def test_they_can_be_said_while_the_database_is_away(alice: User, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """The session, the user and the way home are all asked for there."""
    client = client_for(alice)
    client.raise_request_exception = False

    def away(*_: object, **__: object) -> None:
        raise OperationalError

    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", away)
        patched.setattr(connection, "chunked_cursor", away)
        answer = ask(client, status)

    assert answer.status_code == 503
    assert SENTENCES[503] in answer.content.decode()


class TestTheNameOfTheRequest:
    @pytest.mark.urls(__name__)
    @pytest.mark.parametrize("status", SENTENCES)
    @both
    def test_is_on_the_page_and_in_the_answers_head(self, client: Client, status: int, htmx: bool) -> None:
        first, second = (ask(client, status, htmx=htmx) for _ in range(2))

        names = [REQUEST_ID.findall(answer.content.decode()) for answer in (first, second)]
        assert names == [[answer.headers["X-Request-Id"]] for answer in (first, second)]
        assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]

    @both
    def test_is_told_at_a_limit_too(
        self, alice: User, alice_access: Access, settings: Any, monkeypatch: pytest.MonkeyPatch, htmx: bool
    ) -> None:
        settings.CHECKS_UNFINISHED = 1
        sample.letterbox(monkeypatch)
        sample.pressed(alice_access)
        headers = {"HX-Request": "true"} if htmx else {}

        answer = client_for(alice).post(
            "/orgs/acme/provider-keys/checks/", {"provider": "openai", "provider_key": sample.FORMER}, headers=headers
        )

        page = answer.content.decode()
        assert answer.status_code == 429
        assert REQUEST_ID.findall(page) == [answer.headers["X-Request-Id"]]
        assert ways(answer) == ([] if htmx else [("/orgs/acme/provider-keys/", "Back to BYOK")])

    def test_is_ours_whatever_a_browser_sends(self, client: Client) -> None:
        sent = {"X-Request-Id": "req_of-somebody-else"}

        answer = client.get("/nowhere/", headers=sent)

        assert "of-somebody-else" not in str(answer.headers) + answer.content.decode()

    def test_is_on_every_answer(self, client: Client) -> None:
        for address in ("/", "/orgs/acme/provider-keys/", "/static/img/favicon.svg", "/login/"):
            assert re.fullmatch(r"req_[0-9A-Za-z]{22}", client.get(address).headers["X-Request-Id"])

    @pytest.mark.urls(__name__)
    @pytest.mark.parametrize("status", SENTENCES)
    @pytest.mark.parametrize("formatter", [logs.TextFormatter(), logs.JsonFormatter()])
    def test_finds_the_lines_of_the_log(self, client: Client, formatter: logging.Formatter, status: int) -> None:
        lines: list[str] = []
        handler = logging.Handler()
        handler.emit = lambda record: lines.append(formatter.format(record))  # type: ignore[method-assign]
        root = logging.getLogger("django.request")
        root.addHandler(handler)
        try:
            answer = ask(client, status)
        finally:
            root.removeHandler(handler)
        log_line = logging.LogRecord("x", logging.ERROR, __file__, 1, "later", None, None)

        assert [line for line in lines if answer.headers["X-Request-Id"] in line]
        assert "req_" not in formatter.format(log_line)


class TestTheWayHome:
    def test_is_to_somebodys_own_organization(self, alice: User) -> None:
        assert ways(client_for(alice).get("/nowhere/")) == [("/orgs/acme/provider-keys/", "Go to Acme")]

    def test_is_to_the_one_that_they_are_in(self, dana: User, globex: Organization) -> None:
        Membership.objects.create(organization=globex, user=dana, role=Role.MEMBER)

        answer = client_for(dana).get("/orgs/globex/provider-keys/new/")

        assert answer.status_code == 403
        assert ways(answer) == [("/orgs/globex/provider-keys/", "Go to Globex")]

    def test_names_no_organization_of_others(self, charlie: User, alice_access: Access) -> None:
        answer = client_for(charlie).get("/orgs/acme/provider-keys/")

        assert answer.status_code == 404
        assert ways(answer) == [("/orgs/globex/provider-keys/", "Go to Globex")]
        assert "Acme" not in answer.content.decode()

    def test_of_somebody_who_is_not_logged_in_is_the_login(self, db: None) -> None:
        assert ways(Client().get("/nowhere/")) == [("/login/", "Log in")]

    def test_of_staff_is_the_administration(self, sam: User) -> None:
        assert ways(client_for(sam).get("/nowhere/")) == [("/admin/", "Go to Django admin")]

    def test_of_somebody_without_an_organization_is_the_page_that_says_so(self, db: None) -> None:
        user = User.objects.create_user("new@nowhere.example", "a long enough password")

        assert ways(client_for(user).get("/nowhere/")) == [("/", "Go to BYOK")]

    def test_of_what_is_refused_before_anybody_is_known(self, alice: User) -> None:
        answer = client_for(alice).post("/orgs/acme/api-keys/new/", "{}", "application/json")

        assert answer.status_code == 400
        assert ways(answer) == [("/login/", "Log in")]

    def test_is_one_query_and_none_for_htmx(self, client: Client) -> None:
        asked = []
        for headers in ({}, {"HX-Request": "true"}):
            with CaptureQueriesContext(connection) as queries:
                client.get("/nowhere/", headers=headers)
            asked.append(len(queries))
        assert asked[0] == asked[1] + 1


@both
def test_a_member_is_told_whom_to_ask(dana: User, htmx: bool) -> None:
    headers = {"HX-Request": "true"} if htmx else {}

    answer = client_for(dana).get("/orgs/acme/provider-keys/new/", headers=headers)

    assert answer.status_code == 403
    assert (
        "You may look at Acme’s keys, not change them. Nothing was changed. Ask an admin of Acme."
        in answer.content.decode()
    )


@both
def test_a_stale_form_says_so(alice: User, htmx: bool) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="organizations.backends.MemberBackend")

    answer = client.post("/orgs/acme/api-keys/new/", headers={"HX-Request": "true"} if htmx else {})

    assert answer.status_code == 403
    assert "This page is out of date." in answer.content.decode()
    assert "You logged out, or logged in again," in answer.content.decode()
    assert ("<html" in answer.content.decode()) is not htmx
