"""What is kept out of caches, and by what name throttling counts."""

import gzip

import pytest
from django.test import Client, RequestFactory

from byok_site.throttling import login_name
from organizations.models import User
from tests.cast import client_for


def test_what_a_signed_in_person_sees_is_never_stored(alice: User) -> None:
    assert "no-store" in client_for(alice).get("/nowhere/").headers["Cache-Control"]


def test_what_anybody_sees_may_be(db: None) -> None:
    assert "Cache-Control" not in Client().get("/nowhere/").headers


@pytest.mark.database
@pytest.mark.parametrize("cookie", ['session="0123456789\\000"', 'csrf="\\000"', 'other="a\\000b"'])
def test_a_cookie_that_hides_a_nul_is_no_error_of_the_server(db: None, cookie: str) -> None:
    assert Client().get("/orgs/acme/provider-keys/", headers={"Cookie": cookie}).status_code == 400
    assert Client().get("/login/", headers={"Cookie": 'other="a\\011b"'}).status_code == 200


def test_another_letter_case_is_the_same_login() -> None:
    request = RequestFactory().post("/login/", {"username": " Alice@Acme.EXAMPLE "})

    assert login_name(request, None) == "alice@acme.example"
    assert login_name(request, {"username": "DANA@acme.example"}) == "dana@acme.example"


def test_pages_travel_compressed_where_the_browser_takes_it(alice: User) -> None:
    page = client_for(alice).get("/orgs/acme/provider-keys/", headers={"Accept-Encoding": "gzip"})

    assert page.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(page.content).lower().lstrip().startswith(b"<!doctype html>")
    assert "Content-Encoding" not in client_for(alice).get("/orgs/acme/provider-keys/").headers
