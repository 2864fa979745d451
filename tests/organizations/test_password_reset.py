import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine
from celery import current_app
from celery.exceptions import Retry
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from organizations.models import AuditEvent, User
from organizations.tasks import send_password_link
from tests.cast import PASSWORD, client_for
from tests.organizations.test_login import lock, log_in

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("worker")]
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


def test_the_form_does_not_tell_who_has_an_account(
    client: Client, alice: User, dana: User, worker: list[tuple[str, list[str]]]
) -> None:
    dana.is_active = False
    dana.save()
    pages, queries = [], []
    for email in (alice.email, dana.email, "nobody@acme.example"):
        with CaptureQueriesContext(connection) as captured:
            answer = client.post("/password-reset/", {"email": email}, follow=True)
        pages.append((answer.redirect_chain, answer.content))
        queries.append(len([one for one in captured if "send_password_link" not in one["sql"]]))
    assert pages[0] == pages[1] == pages[2]
    assert [message.to for message in mail.outbox] == [["alice@acme.example"]]
    # All the same messages to a worker, who alone learns whether there is such a user.
    assert [(name, len(args), args[0][:5], len(args[0])) for name, args in worker] == [
        ("organizations.send_password_link", 1, "user_", len(alice.pk))
    ] * 3
    assert worker[0][1] == [alice.pk]
    assert len(set(queries)) == 1


def test_without_a_broker_everybody_is_told_to_try_later(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(current_app._get_current_object(), "send_task", away)
    answers = [client.post("/password-reset/", {"email": email}) for email in (alice.email, "other@acme.example")]
    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in answers] == [(503, "60")] * 2
    pages = [answer.content.decode() for answer in answers]
    assert "No mail can be sent just now, to anybody." in pages[0]
    assert f'value="{alice.email}"' in pages[0]
    assert not mail.outbox


@pytest.mark.parametrize("email", ["alice@acme.example", "nobody@acme.example"])
def test_links_to_one_address_are_few_from_wherever_they_are_asked_for(alice: User, email: str) -> None:
    def ask(ip: str, to: str = email) -> "Answer":
        return Client(REMOTE_ADDR=ip).post("/password-reset/", {"email": to})

    assert [ask(f"192.0.2.{place}").status_code for place in range(6)] == [302] * 5 + [429]
    answer = ask("192.0.2.9", email.upper())
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "900")
    assert "Wait 15 minutes, then try again." in answer.content.decode()
    assert ask("192.0.2.9", "dana@acme.example").status_code == 302
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert ask("192.0.2.9").status_code == 302


def test_links_from_one_place_are_few_to_whomever_they_go(client: Client) -> None:
    answers = [client.post("/password-reset/", {"email": f"{one}@acme.example"}).status_code for one in range(21)]
    assert answers == [302] * 20 + [429]
    assert Client(REMOTE_ADDR="192.0.2.9").post("/password-reset/", {"email": "x@acme.example"}).status_code == 302


def test_a_mail_server_that_is_away_is_tried_again_later(alice: User, settings: Settings) -> None:
    settings.MAILERS = {"default": {"BACKEND": f"{__name__}.Away"}}
    with pytest.raises(Retry):
        send_password_link.apply(args=[alice.pk], throw=True)
    assert not mail.outbox


class Away(BaseEmailBackend):
    def send_messages(self, _: object) -> int:
        raise ConnectionRefusedError


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


@pytest.mark.database
@pytest.mark.parametrize("uid", ["AAAA", "AA", "YQBi", "_w", "x" * 500])
def test_a_link_with_what_is_no_id_is_a_link_that_does_not_work(client: Client, uid: str) -> None:
    for token in ("abc-def", "set-password"):
        answer = client.get(f"/password-reset/{uid}/{token}/")
        assert answer.status_code == 200
        assert 'name="new_password1"' not in answer.content.decode()


def test_a_new_password_ends_the_other_sessions_and_the_lock_and_is_recorded(client: Client, alice: User) -> None:
    elsewhere = client_for(alice)
    lock(client, alice.email)
    client.post("/password-reset/", {"email": alice.email})
    assert set_password(client, link()) == 302
    assert elsewhere.get("/orgs/acme/").headers["Location"].startswith("/login/")
    assert log_in(client, alice.email, NEW).status_code == 302
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_id, event.target_id) == ("user.password_set", alice.pk, alice.pk)
