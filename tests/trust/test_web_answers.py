"""WEB-03, -05, -07, -19 to -21: what every answer tells the browser, where it leads, and whose session it is."""

import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings as ours
from django.contrib import auth
from django.contrib.auth import views as auth_views
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from django.test import Client
from django_htmx.middleware import HtmxDetails
from pytest_django import Settings

from byok_site import answers, middleware
from byok_site.asgi import application
from organizations import access, views
from providerkeys.views import api_key_addresses
from tests.cast import PASSWORD
from tests.house.calls import Call, ask
from tests.house.test_environment import Load, load
from tests.trust.controls import Control, controls
from tests.trust.web import CONSOLE, HTMX, ROUTES, TYPED, Site, route

pytestmark = [pytest.mark.django_db, pytest.mark.database]
__all__ = ["load"]

POLICIES: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
FOR_PROGRAMS: Final = {
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
HSTS: Final = {"strict-transport-security": "max-age=31536000; includeSubDomains; preload"}
# What is decided by the scheme of BASE_URL.
SCHEME: Final = ("HTTPS", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS")
COOKIES: Final = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")


@pytest.fixture
def https(load: Load, settings: Settings) -> Iterator[None]:
    """The settings as they are behind an https address."""
    found = load(BASE_URL="https://byok.example")
    for name in (*SCHEME, *COOKIES, "SECURE_HSTS_PRELOAD"):
        setattr(settings, name, found[name])
    answers._policies.cache_clear()
    yield
    answers._policies.cache_clear()


def lowered(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def lacks(headers: Any, promised: dict[str, str]) -> dict[str, str]:
    """Which of the promised headers are others, or not there."""
    told = lowered(headers)
    return {name: told.get(name, "") for name, value in promised.items() if told.get(name) != value}


def all_answers(site: Site) -> Iterator[tuple[str, Any]]:
    """An answer of each route to who may use it and to nobody, and of each kind of refusal."""
    for one in ROUTES:
        yield f"GET {one}", site.client(one).get(site.address(one))
    for one in CONSOLE:
        yield f"GET {one} by nobody", site.new_client().get(site.address(one), headers=HTMX)
        yield f"POST {one} forged", site.client(one, careful=True).post(site.address(one))
        yield f"PUT {one}", site.client(one).put(site.address(one))
    login = route("login")
    yield "400", site.client(login).get("/login/", headers={"Host": "evil.example"})
    yield "400, no form", site.client(login).post("/login/", "{}", content_type="application/json")
    yield "404", site.client(login).get("/nowhere/")
    yield "no slash, nobody's", site.client(login).get("/login")


@pytest.mark.long
def test_web_03_every_answer_says_what_a_browser_may(site: Site) -> None:
    for where, answer in all_answers(site):
        assert lacks(answer.headers, POLICIES) == {}, where


@pytest.mark.long
def test_web_03_what_is_signed_in_is_never_stored(site: Site) -> None:
    for where, answer in all_answers(site):
        if "nobody" not in where and not where.startswith("400"):
            assert "no-store" in answer.headers.get("Cache-Control", ""), where


def test_web_03_so_does_what_django_never_sees() -> None:
    calls = [Call("/healthz"), Call("/v1/nowhere"), Call("/v1/models"), Call("/login/", "POST", {}, [b"a" * 2**20] * 2)]
    answered = [ask(application, call) for call in calls]

    assert [answer.status for answer in answered] == [200, 404, 401, 413]
    for answer in answered:
        # Programs ask the gateway; its answers show nothing at all in a browser.
        promised = FOR_PROGRAMS if answer.status == HTTPStatus.UNAUTHORIZED else POLICIES
        assert lacks(answer.headers, promised) == {}


def test_web_03_https_stays_https(https: None, site: Site) -> None:
    for path in ("/login/", "/nowhere/"):
        answer = site.new_client(site.alice).get(path, secure=True)
        assert lacks(answer.headers, POLICIES | HSTS) == {}
    plain = site.new_client().get("/login/")
    assert plain.headers["Location"] == "https://testserver/login/"
    assert lacks(ask(application, Call("/healthz")).headers, POLICIES | HSTS) == {}


def cookies_of(client: Client, *, secure: bool = False) -> dict[str, Any]:
    """Every cookie that somebody gets who logs in, works, is told something and logs out."""
    found: dict[str, Any] = {}
    body = {"username": "alice@acme.example", "password": PASSWORD}
    for method, path, sent in (
        ("get", "/login/", {}),
        ("post", "/login/", body),
        ("get", "/orgs/acme/provider-keys/new/", {}),
        ("post", "/orgs/acme/api-keys/new/", {"name": "x"}),
    ):
        answer = getattr(client, method)(path, sent, secure=secure)
        assert answer.status_code < HTTPStatus.BAD_REQUEST
        found |= answer.cookies
    return found


def test_web_05_no_script_and_no_other_site_gets_a_cookie(site: Site) -> None:
    cookies = cookies_of(Client())

    assert set(cookies) == {"session", "csrf"}
    assert {(bool(one["httponly"]), one["samesite"], one["domain"]) for one in cookies.values()} == {(True, "Lax", "")}


def test_web_05_over_https_cookies_are_bound_to_this_host(https: None, site: Site) -> None:
    cookies = cookies_of(Client(), secure=True)

    assert set(cookies) == {"__Host-session", "__Host-csrf"}
    kept = {(bool(one["httponly"]), bool(one["secure"]), one["path"], one["domain"]) for one in cookies.values()}
    assert kept == {(True, True, "/", "")}


ELSEWHERE: Final = (
    "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "///evil.example", "javascript:alert(1)",
    "%2f%2fevil.example", "/%2fevil.example", "/%5cevil.example", "http:evil.example", " //evil.example", "\t//evil.example", "orgs/acme/",
    "https:///evil.example", "https://testserver@evil.example/", "https://testserver.evil.example/", "/\t/evil.example", "/\n/evil.example",
    "/x\r\nLocation: https://evil.example", "/login/", "data:text/html,x", "//testserver@evil.example", "http://[::1", "/\u2028/evil.example",
    "\uff0f\uff0fevil.example", "http://testserver//evil.example", "http://testserver/\\evil.example", "junk", ".//evil.example", "/.//evil.example",
)  # fmt: skip
ON_THIS_SITE: Final = "/orgs/acme/api-keys/?page=2"


def leads(answer: Any) -> str:
    """Where a browser is led that stands on a page of this site: scheme and host. It drops blanks, and a backslash is a
    slash to it.
    """
    told = [answer.headers.get(name, "") for name in ("Location", "HX-Redirect", "HX-Location", "HX-Push-Url")]
    assert any(told), answer.status_code
    [place] = [one for one in told if one]
    assert not {"\n", "\r"} & set(place)
    seen = urlsplit(urljoin("http://testserver/a/", re.sub(r"[\t\n\r]", "", place).strip().replace("\\", "/")))
    return f"{seen.scheme}://{seen.netloc}"


@pytest.mark.parametrize("target", ELSEWHERE)
def test_web_07_nobody_is_led_off_the_site(target: str, site: Site) -> None:
    login = {"username": "alice@acme.example", "password": PASSWORD}
    staff = {"username": site.sam.email, "password": PASSWORD}
    led = [
        site.new_client().post("/login/", {**login, "next": target}),
        site.new_client(site.alice).get("/login/", {"next": target}),
        site.new_client(site.alice).post("/logout/", {"next": target}),
        site.new_client().post("/admin/login/", {**staff, "next": target}),
        site.new_client(site.sam).get("/admin/login/", {"next": target}),
        site.new_client().get("/orgs/acme/api-keys/", headers={**HTMX, "HX-Current-URL": target.encode().decode("latin-1")}),
    ]  # fmt: skip

    assert {leads(answer) for answer in led} == {"http://testserver"}


def test_web_07_everybody_is_led_back_to_where_they_were(site: Site) -> None:
    login = {"username": "alice@acme.example", "password": PASSWORD, "next": ON_THIS_SITE}
    page = f"http://testserver{ON_THIS_SITE}"

    assert site.new_client().post("/login/", login).headers["Location"] == ON_THIS_SITE
    asked = site.new_client().get("/orgs/acme/provider-keys/", headers={**HTMX, "HX-Current-URL": page})
    assert asked.headers["HX-Redirect"] == "/login/?next=%2Forgs%2Facme%2Fapi-keys%2F%3Fpage%3D2&ended=1"


# htmx tells where a browser stands; whoever writes the header by hand tells anything.
NO_URLS: Final = ("http://[", "//[", "http://[::1", "http://testserver//[", "http://\xe9\u2100.example/")


@pytest.mark.long
@pytest.mark.parametrize("target", NO_URLS, ids=ascii)
def test_web_07_what_is_no_url_is_no_page_and_no_error_of_ours(target: str, site: Site) -> None:
    headers = {**HTMX, "HX-Current-URL": target.encode().decode("latin-1")}
    answered = {}
    # What deletes comes last: the others need what there is.
    for one in sorted(CONSOLE, key=lambda one: ("delete" in one.name, one.name == "logout")):
        client = site.new_client(None if TYPED.get(one.name, TYPED["login"]).anonymous else site.alice)
        answered[one.name, "GET"] = client.get(site.address(one), headers=headers).status_code
        if site.takes_post(one):
            answer = client.post(site.form_address(client, one), site.body(one), headers=headers)
            answered[one.name, "POST"] = answer.status_code

    broken = {where: status for where, status in answered.items() if status >= HTTPStatus.INTERNAL_SERVER_ERROR}
    assert broken == {}


SPLITTING: Final = (
    "x\r\nSet-Cookie: planted=1",
    "x\nX-Planted: 1",
    "x\rX-Planted: 1",
    "é…\u2028X-Planted: 1",
    "<b>X-Planted</b>",
)


@pytest.mark.long
@pytest.mark.parametrize("name", SPLITTING, ids=ascii)
def test_web_19_no_name_gets_into_a_header(name: str, site: Site) -> None:
    for one in CONSOLE:
        typed = {field: name for field in ("name", "username", "email") if one.name in TYPED and one.name != "logout"}
        client = site.new_client(None if TYPED.get(one.name, TYPED["logout"]).anonymous else site.alice)
        asked = {**HTMX, "HX-Target": name.encode("unicode_escape").decode(), "HX-Trigger-Name": "x"}
        answered = [client.get(site.address(one), {"q": name, "after": name, "provider": name}, headers=asked)]
        if typed:
            answered.append(client.post(site.form_address(client, one), {**site.body(one), **typed}, headers=asked))
        for answer in answered:
            assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, str(one)
            told = [*answer.headers.items(), *answer.cookies.items()]
            assert not [where for where, said in told if "planted" in f"{where} {said}".lower()], str(one)


def test_web_20_a_login_makes_a_new_session(site: Site) -> None:
    for path, email in (("/login/", site.alice.email), ("/admin/login/", site.sam.email)):
        client = Client()
        client.get(path)
        session = client.session
        session["planted"] = "yes"
        session.save()
        preset = client.cookies[ours.SESSION_COOKIE_NAME] = session.session_key or ""
        client.post(path, {"username": email, "password": PASSWORD})

        assert "_auth_user_id" in client.session
        assert client.session.session_key != preset
        assert not Session.objects.filter(pk=preset).exists()


def test_web_21_a_logout_ends_the_session_and_has_the_browser_forget(site: Site) -> None:
    for address in ("/logout/", "/admin/logout/"):
        client = site.new_client(site.sam)
        session = client.session.session_key
        answer = client.post(address)

        assert answer.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"', address
        assert not Session.objects.filter(pk=session).exists()
        # Who has kept the cookie has nothing.
        client.cookies[ours.SESSION_COOKIE_NAME] = session or ""
        assert client.get("/admin/").status_code == HTTPStatus.FOUND


# Defects.


def a_page_without_a_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = route("api_key_list").pattern.callback

    def view(request: HttpRequest, **given: Any) -> HttpResponse:
        answer: HttpResponse = honest(request, **given)
        answer._csp_config = {}  # type: ignore[attr-defined]
        return answer

    monkeypatch.setattr(route("api_key_list").pattern, "callback", view)


def allowing_inline_styles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "SECURE_CSP", {**ours.SECURE_CSP, "style-src": ["'self'", "'unsafe-inline'"]})


def keeping_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "patch_cache_control", lambda *_, **__: None)


def forgetting_policies_beside_django(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_policies", list)


def no_hsts(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = SecurityMiddleware.__init__

    def init(self: SecurityMiddleware, get_response: Any) -> None:
        honest(self, get_response)
        self.sts_seconds = 0

    monkeypatch.setattr(SecurityMiddleware, "__init__", init)


def a_cookie_for_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "CSRF_COOKIE_HTTPONLY", False)


def a_cookie_for_the_whole_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "SESSION_COOKIE_DOMAIN", "example")


def going_wherever_next_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth_views, "url_has_allowed_host_and_scheme", lambda *_, **__: True)
    monkeypatch.setattr(views.LoginView, "get_redirect_url", lambda self, *_: self.request.POST.get("next", ""))


def going_wherever_htmx_says(monkeypatch: pytest.MonkeyPatch) -> None:
    def redirect(request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"HX-Redirect": request.headers.get("HX-Current-URL", "/")})

    monkeypatch.setattr(access, "redirect_to_login", redirect)


def believing_that_htmx_sends_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        api_key_addresses, "page_behind", lambda request: HtmxDetails(request).current_url_abs_path or ""
    )


def leading_everybody_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views.LoginView, "get_redirect_url", lambda *_: "")


def telling_the_name_in_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = route("api_key_new").pattern.callback

    def view(request: HttpRequest, **given: Any) -> HttpResponse:
        answer: HttpResponse = honest(request, **given)
        answer.headers["HX-Trigger"] = request.POST.get("name", "").encode("unicode_escape").decode()
        return answer

    monkeypatch.setattr(route("api_key_new").pattern, "callback", view)


def keeping_the_session_id(monkeypatch: pytest.MonkeyPatch) -> None:
    def login(request: HttpRequest, user: Any, **_: Any) -> None:
        request.session[auth.SESSION_KEY] = user._meta.pk.value_to_string(user)
        request.session[auth.BACKEND_SESSION_KEY] = user.backend
        request.session[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()

    monkeypatch.setattr(auth_views, "auth_login", login)


def logging_out_in_the_browser_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth_views, "auth_logout", lambda _: None)


def _control(case: Callable[..., None], plant: Callable[[pytest.MonkeyPatch], None], **arguments: Any) -> Control:
    return Control(case, plant, arguments)


@controls(
    [
        _control(test_web_03_every_answer_says_what_a_browser_may, a_page_without_a_policy),
        _control(test_web_03_every_answer_says_what_a_browser_may, allowing_inline_styles),
        _control(test_web_03_what_is_signed_in_is_never_stored, keeping_pages),
        _control(test_web_03_so_does_what_django_never_sees, forgetting_policies_beside_django),
        _control(test_web_03_https_stays_https, no_hsts),
        _control(test_web_05_no_script_and_no_other_site_gets_a_cookie, a_cookie_for_scripts),
        _control(test_web_05_over_https_cookies_are_bound_to_this_host, a_cookie_for_the_whole_domain),
        _control(test_web_07_nobody_is_led_off_the_site, going_wherever_next_says, target="//evil.example/"),
        _control(test_web_07_nobody_is_led_off_the_site, going_wherever_htmx_says, target="https://evil.example/"),
        _control(
            test_web_07_what_is_no_url_is_no_page_and_no_error_of_ours,
            believing_that_htmx_sends_urls,
            target="http://[",
        ),
        _control(test_web_07_everybody_is_led_back_to_where_they_were, leading_everybody_home),
        _control(test_web_19_no_name_gets_into_a_header, telling_the_name_in_a_header, name=SPLITTING[0]),
        _control(test_web_20_a_login_makes_a_new_session, keeping_the_session_id),
        _control(test_web_21_a_logout_ends_the_session_and_has_the_browser_forget, logging_out_in_the_browser_alone),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
