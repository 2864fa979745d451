"""WEB-00 to -02: no other site's page and no mere link changes anything, at any address."""

from http import HTTPStatus
from typing import Any, Final

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.test import Client
from django.urls import resolve

from providerkeys.models import ProviderKey
from tests.trust.controls import Control, controls
from tests.trust.web import CONSOLE, CONSOLES, HTMX, TYPED, Fields, Side, Site, change, each_side, route, rows

pytestmark = [pytest.mark.django_db, pytest.mark.database]

TOKEN: Final = "own0" * 8
OTHERS: Final = "else" * 8
# What of a forged request is right, and what is not: its field, its headers.
FORGERIES: Final[dict[str, tuple[Fields, dict[str, str]]]] = {
    "cookie only": ({}, {}),
    "wrong token": ({"csrfmiddlewaretoken": "x" * 64}, {}),
    "another session's token": ({"csrfmiddlewaretoken": OTHERS}, {}),
    "another session's token in the header": ({}, {"X-CSRFToken": OTHERS}),
    "Origin: null": ({"csrfmiddlewaretoken": TOKEN}, {"Origin": "null"}),
    "foreign Origin": ({"csrfmiddlewaretoken": TOKEN}, {"Origin": "https://evil.example"}),
    "Origin of a sister": ({"csrfmiddlewaretoken": TOKEN}, {"Origin": "http://testserver.evil.example"}),
}


def forge(client: Client, address: str, body: Fields, forgery: str) -> int:
    fields, headers = FORGERIES[forgery]
    client.cookies[settings.CSRF_COOKIE_NAME] = TOKEN
    status: int = client.post(address, {**body, **fields}, headers=headers).status_code
    return status


def test_web_00_every_route_that_takes_a_post_has_a_row(site: Site) -> None:
    taking = {one.name for one in CONSOLE if site.takes_post(one)}

    assert taking == set(TYPED)


@pytest.mark.long
@each_side
def test_web_01_a_forged_post_is_refused(side: Side, site: Site) -> None:
    unsafe = [one for one in side.routes if site.takes_post(one)]
    before = rows()

    answers = {}
    for one in unsafe:
        address = site.address(one)
        client, body = site.client(one, careful=True), {} if one.is_staffs else site.body(one)
        # Of Django's own pages one forgery each tells whether the token is asked for.
        for forgery in ("cookie only",) if one.is_staffs else FORGERIES:
            answers[str(one), address, forgery] = forge(client, address, body, forgery)
        client.cookies.pop(settings.CSRF_COOKIE_NAME)
        answers[str(one), address, "nothing"] = client.post(address, body).status_code

    # The administration sends away who asks for a page that it hasn't, before anything else.
    told = {answer: status for answer, status in answers.items() if status != HTTPStatus.FORBIDDEN}
    assert {answer: status for answer, status in told.items() if not _is_no_page(answer[1], status)} == {}
    assert change(before, rows()) == {}


def _is_no_page(address: str, status: int) -> bool:
    name = resolve(address).func.__name__
    return name in {"catch_all_view", "autocomplete_view"} and status in {302, 403, 404}


def test_web_01_the_right_token_is_taken(site: Site) -> None:
    for one in CONSOLE:
        if site.takes_post(one):
            client = site.new_client(site.alice, careful=True)
            body = {**site.body(one), "csrfmiddlewaretoken": TOKEN}
            client.cookies[settings.CSRF_COOKIE_NAME] = TOKEN
            answer = client.post(site.address(one), body, headers={"Origin": "http://testserver"})
            assert answer.status_code != HTTPStatus.FORBIDDEN, one


@each_side
def test_web_02_nothing_changes_by_a_link(side: Side, site: Site) -> None:
    bodies = {one.name: site.body(one) for one in side.routes if site.takes_post(one) and not one.is_staffs}
    before = rows()

    for one in side.routes:
        query = {"_method": "POST", "action": "disable", "_save": "1", "post": "yes", **bodies.get(one.name, {})}
        client, address = site.client(one), site.address(one)
        for method in ("GET",) if one.is_staffs else ("GET", "HEAD", "OPTIONS"):
            answer = client.generic(
                method, address, query_params=query, headers={"X-HTTP-Method-Override": "POST", **HTMX}
            )
            assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, (str(one), method)
            if method != "OPTIONS" and "GET" not in site.allowed(one):
                assert answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED, (str(one), method)

    assert change(before, rows()) == {}


def test_web_02_no_other_method_is_known(site: Site) -> None:
    before = rows()

    for one in CONSOLE:
        address = site.address(one)
        for method in ("PUT", "PATCH", "DELETE", "TRACE", "POSTS"):
            answer = site.new_client().generic(method, address)
            assert answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED, (method, str(one))
    assert change(before, rows()) == {}


# Defects.


def a_view_without_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route("provider_key_delete").pattern.callback, "csrf_exempt", True, raising=False)


def believing_every_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CsrfViewMiddleware, "_origin_verified", lambda *_: True)


def asking_for_tokens_where_nobody_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CsrfViewMiddleware, "process_view", lambda self, request, *_: self._reject(request, "always"))


def deleting_by_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = route("provider_key_delete").pattern.callback

    def view(request: HttpRequest, **given: Any) -> HttpResponse:
        if request.GET.get("post"):
            ProviderKey.objects.filter(pk=given["pk"]).delete()
        answer: HttpResponse = honest(request, **given)
        return answer

    monkeypatch.setattr(route("provider_key_delete").pattern, "callback", view)


def testing_by_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = route("check_create").pattern.callback

    def view(request: HttpRequest, **given: Any) -> HttpResponse:
        answer: HttpResponse = honest(request, **given)
        return answer if request.method in {"OPTIONS", "POST"} else HttpResponse("tested")

    monkeypatch.setattr(route("check_create").pattern, "callback", view)


def a_route_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TYPED, "provider_key_delete")


@pytest.mark.long
@controls(
    [
        Control(test_web_00_every_route_that_takes_a_post_has_a_row, a_route_that_nobody_knows),
        Control(test_web_01_a_forged_post_is_refused, a_view_without_tokens, {"side": CONSOLES}),
        Control(test_web_01_a_forged_post_is_refused, believing_every_origin, {"side": CONSOLES}),
        Control(test_web_01_the_right_token_is_taken, asking_for_tokens_where_nobody_has_one),
        Control(test_web_02_nothing_changes_by_a_link, deleting_by_a_link, {"side": CONSOLES}),
        Control(test_web_02_nothing_changes_by_a_link, testing_by_a_link, {"side": CONSOLES}),
        Control(test_web_02_no_other_method_is_known, testing_by_a_link),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
