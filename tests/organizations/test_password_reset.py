import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from organizations.models import AuditEvent, User
from tests.cast import PASSWORD, client_for
from tests.organizations.test_login import lock, log_in

pytestmark = pytest.mark.django_db
NEW = "another long sample password"


def link() -> str:
    """Return the path of the link in the only mail."""
    (message,) = mail.outbox
    found = re.search(r"http://127\.0\.0\.1:8000(/password-reset/\S+/)", str(message.body))
    assert found
    return found[1]


def set_password(client: Client, path: str, password: str = NEW) -> int:
    """Follow the link, as a browser does, and return the status of the form's answer: 302 when the password is set."""
    form = client.get(path, follow=True)
    page = form.redirect_chain[-1][0] if form.redirect_chain else path
    return client.post(page, {"new_password1": password, "new_password2": password}).status_code


def test_a_link_sets_a_new_password_once(client: Client, alice: User) -> None:
    assert client.post("/password-reset/", {"email": "Alice@acme.example"}).status_code == 302
    path = link()
    assert set_password(client, path) == 302
    assert log_in(client, alice.email, NEW).status_code == 302
    assert set_password(Client(), path, "a third long sample password") == 200
    alice.refresh_from_db()
    assert alice.check_password(NEW)


def test_says_whose_password_by_which_rules_and_for_how_long(client: Client, alice: User, settings: Settings) -> None:
    done = client.post("/password-reset/", {"email": alice.email}, follow=True).content.decode()
    form = client.get(link(), follow=True).content.decode()
    (message,) = mail.outbox
    assert timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT) == timedelta(days=3)
    assert "It works once, for 3 days." in done
    assert "it works once, for 3 days:" in message.body
    assert message.subject == "Choose a new BYOK password"
    assert "<h1>New password for alice@acme.example</h1>" in form
    assert "At least 10 characters, not a common password, unlike your name or address." in form
    assert "New password again</label>" in form
    assert "Enter the same password as before" not in form


def test_the_form_does_not_tell_who_has_an_account(client: Client, alice: User, dana: User) -> None:
    dana.is_active = False
    dana.save()
    pages = []
    for email in (alice.email, dana.email, "nobody@acme.example"):
        answer = client.post("/password-reset/", {"email": email}, follow=True)
        pages.append((answer.redirect_chain, answer.content))
    assert pages[0] == pages[1] == pages[2]
    assert [message.to for message in mail.outbox] == [["alice@acme.example"]]


def test_the_mail_holds_no_password_and_its_host_is_a_setting(client: Client, alice: User, settings: Settings) -> None:
    client.post("/password-reset/", {"email": alice.email}, headers={"Host": "localhost"})
    (message,) = mail.outbox
    assert str(message.body).count("http") == 1
    assert f"{settings.BASE_URL}/password-reset/" in message.body
    assert PASSWORD not in str(message.message())
    assert alice.password not in str(message.message())
    assert "\n" not in message.subject


def test_a_user_without_a_password_gets_their_first_one_this_way(client: Client) -> None:
    user = User.objects.create_user("new@acme.example")
    client.post("/password-reset/", {"email": user.email})
    assert set_password(client, link()) == 302
    assert log_in(client, user.email, NEW).status_code == 302


def test_a_weak_password_is_refused(client: Client, alice: User) -> None:
    client.post("/password-reset/", {"email": alice.email})
    assert set_password(client, link(), "password") == 200
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_a_made_up_link_sets_nothing(client: Client, alice: User) -> None:
    client.post("/password-reset/", {"email": alice.email})
    path = link()
    assert set_password(client, path[:-2] + ("a/" if path[-2] != "a" else "b/")) == 200
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_a_new_password_ends_the_other_sessions_and_the_lock_and_is_recorded(client: Client, alice: User) -> None:
    elsewhere = client_for(alice)
    lock(client, alice.email)
    client.post("/password-reset/", {"email": alice.email})
    assert set_password(client, link()) == 302
    assert elsewhere.get("/orgs/acme/").headers["Location"].startswith("/login/")
    assert log_in(client, alice.email, NEW).status_code == 302
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_id, event.target_id) == ("user.password_set", alice.pk, alice.pk)
