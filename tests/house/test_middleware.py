"""What is kept out of caches, and by what name throttling counts."""

from django.test import Client, RequestFactory

from byok_site.throttling import login_name
from organizations.models import User
from tests.cast import client_for


def test_what_a_signed_in_person_sees_is_never_stored(alice: User) -> None:
    assert "no-store" in client_for(alice).get("/nowhere/").headers["Cache-Control"]


def test_what_anybody_sees_may_be(db: None) -> None:
    assert "Cache-Control" not in Client().get("/nowhere/").headers


def test_another_letter_case_is_the_same_login() -> None:
    request = RequestFactory().post("/login/", {"username": " Alice@Acme.EXAMPLE "})

    assert login_name(request, None) == "alice@acme.example"
    assert login_name(request, {"username": "DANA@acme.example"}) == "dana@acme.example"
