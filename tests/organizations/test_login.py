from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from organizations.models import User
from tests.cast import PASSWORD, client_for

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

pytestmark = pytest.mark.django_db
WRONG = "a wrong sample password"
LIMIT = 5
LOCK = timedelta(minutes=15)


def log_in(client: Client, email: str, password: str, path: str = "/login/", **extra: str) -> "Answer":
    return client.post(path, {"username": email, "password": password, **extra})


def lock(client: Client, email: str, path: str = "/login/") -> "Answer":
    """Fail as often as it takes and return the last answer."""
    return [log_in(client, email, WRONG, path) for _ in range(LIMIT)][-1]


def logged_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_right_password_leads_home(client: Client, alice: User) -> None:
    response = log_in(client, "Alice@ACME.example ", PASSWORD)
    assert (response.status_code, response.headers["Location"]) == (302, "/")
    assert logged_in(client)


def test_unknown_address_wrong_password_and_deactivated_user_look_the_same(client: Client, alice: User) -> None:
    User.objects.create_user("gone@acme.example", PASSWORD, is_active=False)
    answers = [
        log_in(client, "alice@acme.example", WRONG),
        log_in(client, "nobody@acme.example", WRONG),
        log_in(client, "gone@acme.example", PASSWORD),
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert all("Email or password is wrong." in answer.content.decode() for answer in answers)
    assert not logged_in(client)


def test_says_that_a_session_ended_only_to_whom_it_did(client: Client, alice: User) -> None:
    ended = client_for(alice)
    Session.objects.all().delete()
    sentence = "Your session has ended. Log in to go on."
    assert sentence in ended.get("/orgs/acme/provider-keys/", follow=True).content.decode()
    assert sentence not in client.get("/orgs/acme/provider-keys/", follow=True).content.decode()
    assert sentence not in log_in(client, alice.email, WRONG, "/login/?ended=1").content.decode()


def test_a_password_is_never_sent_back(client: Client, alice: User) -> None:
    assert WRONG.encode() not in log_in(client, "alice@acme.example", WRONG).content
    assert WRONG.encode() not in lock(client, "alice@acme.example").content


@pytest.mark.parametrize("username", ["", "a\0b", "x" * 300])
def test_an_impossible_address_is_refused(client: Client, username: str) -> None:
    for path in ("/login/", "/admin/login/"):
        assert log_in(client, username, WRONG, path).status_code == 200


def test_somebody_logged_in_is_sent_home(alice: User) -> None:
    assert client_for(alice).get("/login/").headers["Location"] == "/"
    assert client_for(alice).get("/login/?next=/login/").headers["Location"] == "/"


def test_login_leads_on_to_a_page_of_this_site(client: Client, alice: User) -> None:
    response = log_in(client, "alice@acme.example", PASSWORD, next="/orgs/acme/api-keys/?page=2")
    assert response.headers["Location"] == "/orgs/acme/api-keys/?page=2"


# Throttling


def test_the_last_failure_and_all_that_follows_are_throttled_and_told_for_how_long(client: Client, alice: User) -> None:
    answers = [log_in(client, "alice@acme.example", WRONG) for _ in range(LIMIT)]
    assert [answer.status_code for answer in answers] == [200] * (LIMIT - 1) + [429]
    for answer in (answers[-1], log_in(client, "alice@acme.example", PASSWORD)):
        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == "900"
        assert b"15 minutes" in answer.content
    assert not logged_in(client)


def test_letter_case_and_blanks_do_not_evade_the_lock(client: Client, alice: User) -> None:
    lock(client, "alice@acme.example")
    assert log_in(client, " ALICE@acme.example ", PASSWORD).status_code == 429
    assert not logged_in(client)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP"])
def test_a_made_up_address_does_not_evade_the_lock(client: Client, alice: User, header: str) -> None:
    lock(client, "alice@acme.example")
    data = {"username": "alice@acme.example", "password": PASSWORD}
    assert client.post("/login/", data, headers={header: "203.0.113.9"}).status_code == 429


def test_another_browser_does_not_evade_the_lock(client: Client, alice: User) -> None:
    lock(client, "alice@acme.example")
    assert log_in(Client(headers={"User-Agent": "other"}), "alice@acme.example", PASSWORD).status_code == 429


@pytest.mark.parametrize("path", ["/login/", "/admin/login/"])
def test_passwords_that_are_sent_together_do_not_evade_the_lock(
    client: Client, sam: User, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = User.check_password

    def judged_in_its_turn(user: User, password: str) -> bool:
        """When it comes to the right one, those before it have failed."""
        if password == PASSWORD:
            lock(Client(), sam.email)
        return honest(user, password)

    monkeypatch.setattr(User, "check_password", judged_in_its_turn)
    answer = log_in(client, sam.email, PASSWORD, path)

    assert not logged_in(client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "900")
    assert answer.content.decode().count("15 minutes") == 1


def test_an_unknown_address_is_locked_like_a_known_one(client: Client, alice: User) -> None:
    unknown, known = lock(client, "nobody@acme.example"), lock(client, "alice@acme.example")
    assert (unknown.status_code, unknown.headers["Retry-After"]) == (known.status_code, known.headers["Retry-After"])


def test_the_lock_holds_for_one_user_at_one_address(client: Client, alice: User, dana: User) -> None:
    lock(client, "alice@acme.example")
    assert log_in(Client(), "dana@acme.example", PASSWORD).status_code == 302
    assert log_in(Client(REMOTE_ADDR="198.51.100.4"), "alice@acme.example", PASSWORD).status_code == 302


def test_the_lock_ends_by_itself(client: Client, alice: User) -> None:
    lock(client, "alice@acme.example")
    with time_machine.travel(timezone.now() + LOCK - timedelta(seconds=2)):
        assert log_in(client, "alice@acme.example", PASSWORD).status_code == 429
    with time_machine.travel(timezone.now() + 2 * LOCK):
        assert log_in(client, "alice@acme.example", PASSWORD).status_code == 302


def test_a_success_forgets_the_failures_before_it(client: Client, alice: User) -> None:
    for _ in range(3):
        for _ in range(LIMIT - 1):
            log_in(client, "alice@acme.example", WRONG)
        assert log_in(Client(), "alice@acme.example", PASSWORD).status_code == 302


def test_the_administrations_login_is_throttled_too(client: Client, sam: User) -> None:
    assert lock(client, sam.email, "/admin/login/").status_code == 429
    for path in ("/admin/login/", "/login/"):
        assert log_in(client, sam.email, PASSWORD, path).status_code == 429
    assert not logged_in(client)


def test_staff_logs_in_to_the_administration(client: Client, sam: User) -> None:
    response = log_in(client, sam.email, PASSWORD, "/admin/login/?next=/admin/")
    assert response.headers["Location"] == "/admin/"


def test_a_member_does_not_get_into_the_administration(client: Client, alice: User) -> None:
    assert log_in(client, alice.email, PASSWORD, "/admin/login/").status_code == 200
    assert not logged_in(client)
    assert client_for(alice).get("/admin/").status_code == 302


# Logout


@pytest.mark.parametrize("method", ["get", "head", "put"])
def test_nothing_but_a_post_logs_out(alice: User, method: str) -> None:
    client = client_for(alice)
    request: Callable[[str], Answer] = getattr(client, method)
    assert request("/logout/").status_code == 405
    assert logged_in(client)
