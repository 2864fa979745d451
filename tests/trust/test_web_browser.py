"""WEB-04, -06, -10, -11, -16 to -18, -21: what only a browser can tell."""

import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final

import pytest
from django.conf import settings as ours
from django.contrib.admin.utils import quote
from django.contrib.auth import views as auth_views
from django.contrib.sessions.models import Session
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.middleware.clickjacking import XFrameOptionsMiddleware
from playwright.sync_api import Page, expect

from byok_site import middleware
from organizations import access, views
from providerkeys.models import CredentialCheck, ProviderKey
from tests.cast import PASSWORD
from tests.gateway.committed import db
from tests.trust.controls import Control, controls
from tests.trust.test_web_markup import HOSTILE, escaping_nothing, name_everything
from tests.trust.web import SECRET, Site, instead
from tests.trust.web_browser import FOREIGN, FRAMING, Stage

__all__ = ["db"]
pytestmark = [pytest.mark.browser]

LIST: Final = "/orgs/acme/provider-keys/"
NEW: Final = f"{LIST}new/?provider=openai"


@pytest.fixture(scope="module")
def shared_stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    with django_db_blocker.unblock(), Stage.build() as stage:
        yield stage


@pytest.fixture
def stage(db: str, site: Site, shared_stage: Stage) -> Stage:
    """Alice before the browser."""
    shared_stage.enter(site.alice)
    return shared_stage


# Each tries to run something, or to send something away. What gets through says so in ``hits``.
# (Not at once: to what its own tools run a browser allows everything.)
TRIES: Final = {
    "script-src-elem": "const s = document.createElement('script'); s.text = 'hits.push(1)'; document.body.append(s);",
    "script-src": """for (const run of [() => eval('hits.push(1)'), () => new Function('hits.push(1)')()]) setTimeout(run, 0);""",
    "script-src-attr": """const b = document.createElement('button');
        b.setAttribute('onclick', 'hits.push(1)'); b.setAttribute('hx-on:click', 'hits.push(1)');
        b.setAttribute('hx-vals', 'js:{x: hits.push(1)}'); b.setAttribute('hx-get', '/login/?tried');
        b.setAttribute('hx-trigger', 'click[hits.push(1)]');
        document.body.append(b); htmx.process(b); b.click(); b.remove();""",
    "frame-src": f"const f = document.createElement('iframe'); f.src = '{FOREIGN}/frame'; document.body.append(f);",
    "form-action": f"""const f = document.createElement('form'); f.action = '{FOREIGN}/form'; f.method = 'post';
        document.body.append(f); f.submit();""",
    "style-src-attr": "document.body.setAttribute('style', 'color: red');",
    "img-src": f"const i = new Image(); i.src = '{FOREIGN}/image'; document.body.append(i);",
    "connect-src": f"fetch('{FOREIGN}/fetch').catch(() => 0);",
    "base-uri": f"const b = document.createElement('base'); b.href = '{FOREIGN}/'; document.head.append(b);",
}


_WHAT_WAS_STOPPED: Final = """(wanted) => new Promise((done) => {
  let looks = 0;
  const look = () => {
    const found = new Set(stopped);
    if (found.size >= wanted || looks++ > 40) done([...found]);
    else setTimeout(look, 25);
  };
  look();
})"""


def test_web_04_nothing_foreign_runs_and_the_console_works(stage: Stage) -> None:
    def act(page: Page) -> tuple[list[str], list[Any]]:
        page.goto(LIST)
        page.get_by_role("button", name="Actions for Production").click()
        expect(page.get_by_role("menuitem", name="Edit")).to_be_focused()
        page.keyboard.press("Escape")
        assert page.evaluate("stopped") == []
        for attempt in TRIES.values():
            page.evaluate(attempt)
        return page.evaluate(_WHAT_WAS_STOPPED, len(TRIES)), page.evaluate("hits")

    stopped, hits = _or_fails(stage, act)
    assert (set(stopped), hits) == (set(TRIES), [])
    assert [asked for asked in stage.asked if FOREIGN in asked and "/form" in asked] == []


def _or_fails[T](stage: Stage, act: Callable[[Page], T]) -> T:
    """A wait that ends in vain is a case that failed, whatever Playwright calls it."""
    try:
        return stage.play(act)
    except Exception as error:  # noqa: BLE001
        pytest.fail(str(error)[:500])


def test_web_06_a_foreign_page_cannot_frame_it(stage: Stage) -> None:
    def act(page: Page) -> str:
        page.goto(stage.url.replace("127.0.0.1", "localhost") + FRAMING)
        [frame] = page.frames[1:]
        frame.wait_for_load_state()
        return frame.content()

    assert "<form" not in stage.play(act)


def test_web_10_11_a_typed_secret_is_gone_with_its_page(stage: Stage) -> None:
    def look(page: Page, step: str) -> None:
        kept = page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}, history.state])")
        assert "htmx-history-cache" not in kept, step
        assert SECRET not in kept, step
        assert SECRET not in page.content(), step
        # Awaited: what a browser puts back it puts back when the page has loaded.
        expect(page.get_by_label("API Key", exact=True)).to_have_value("")

    def act(page: Page) -> None:
        page.goto(NEW)
        page.get_by_label("API Key", exact=True).fill(SECRET)
        page.get_by_role("textbox", name="Name", exact=True).fill("Kept")
        page.get_by_role("link", name="API Keys", exact=True).click()
        page.wait_for_url("**/api-keys/")
        page.go_back(wait_until="load")
        look(page, "back")
        page.go_forward()
        page.go_back(wait_until="load")
        look(page, "forward and back")
        page.get_by_label("API Key", exact=True).fill(SECRET)
        page.reload()
        look(page, "reloaded")

    _or_fails(stage, act)


def test_web_16_a_session_that_ends_in_mid_poll_leads_to_the_login_and_back(stage: Stage) -> None:
    before = CredentialCheck.objects.count()

    def press(page: Page) -> None:
        page.goto(NEW)
        page.get_by_label("API Key", exact=True).fill(SECRET)
        with page.expect_response("**/checks/chk_*/"):
            page.get_by_role("button", name="Test credentials", exact=True).click()

    def log_in(page: Page) -> None:
        # Not by waiting for a navigation: a second poll's answer may take the place of the first one's.
        expect(page.get_by_text("Your session has ended. Log in to go on.")).to_be_visible()
        expect(page).to_have_url(re.compile(r"/login/\?next="))
        page.get_by_label("Email").fill("alice@acme.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"**{NEW}")
        expect(page.get_by_label("API Key", exact=True)).to_have_value("")

    _or_fails(stage, press)
    Session.objects.all().delete()
    _or_fails(stage, log_in)

    # Nothing was posted again on the way.
    assert CredentialCheck.objects.count() == before + 1
    assert len([asked for asked in stage.asked if asked.startswith("POST") and "checks" in asked]) == 1


def test_web_14_a_hostile_name_does_nothing_in_a_browser(stage: Stage, site: Site) -> None:
    name_everything(site, list(HOSTILE))
    pages = [LIST, "/orgs/acme/api-keys/", f"{LIST}{site.values['pk']}/", f"/orgs/acme/api-keys/{site.values['key']}/"]
    staffs = [f"/admin/providerkeys/providerkey/{quote(site.values['pk'])}/change/", "/admin/organizations/apikey/"]

    def act(page: Page, addresses: list[str]) -> list[tuple[str, list[Any]]]:
        done = []
        for address in addresses:
            page.goto(address)
            page.locator("body").click(position={"x": 3, "y": 3})
            page.evaluate(
                "for (const one of document.querySelectorAll('*')) one.dispatchEvent(new MouseEvent('mouseover'))"
            )
            done.append((address, page.evaluate("[...hits, ...stopped]")))
        # A row's menu and the dialog that it opens are made by scripts.
        if addresses is pages:
            page.goto(LIST)
            page.get_by_role("button", name=f"Actions for {HOSTILE[0]}", exact=True).click()
            page.get_by_role("menuitem", name="Delete").click()
            expect(page.get_by_role("dialog")).to_contain_text(HOSTILE[0])
            done.append(("dialog", page.evaluate("[...hits, ...stopped]")))
        return done

    found = _or_fails(stage, lambda page: act(page, pages))
    stage.enter(site.sam)
    found += _or_fails(stage, lambda page: act(page, staffs))
    assert found == [(address, []) for address in [*pages, "dialog", *staffs]]
    assert [asked for asked in stage.asked if "evil" in asked or asked.startswith("POST")] == []


def failing(status: int) -> Callable[..., HttpResponse]:
    """A view that goes wrong in the way of this status."""
    raised: dict[int, Exception] = {400: BadRequest(), 403: PermissionDenied(), 404: Http404(), 500: RuntimeError()}
    raised[503] = OperationalError()

    def view(request: HttpRequest, **_: Any) -> HttpResponse:
        if status in raised:
            raise raised[status]
        return HttpResponseNotAllowed(["GET"]) if status == 405 else HttpResponse("nobody's words", status=status)

    return view


STATUSES: Final = (400, 403, 404, 405, 409, 413, 418, 422, 429, 500, 502, 503)


def test_web_17_whatever_fails_says_so_in_its_place(stage: Stage) -> None:
    def press(page: Page) -> None:
        page.get_by_role("textbox", name="Name", exact=True).fill("Kept")
        page.get_by_label("API Key", exact=True).fill(SECRET)
        page.get_by_label("Assign to entire organization").check()
        page.get_by_role("button", name="Save", exact=True).click()
        alert = page.get_by_role("alert")
        expect(alert).to_be_focused()
        said = alert.inner_text()
        assert said.endswith((".", "Go to BYOK"))
        assert "nobody's words" not in said
        # Nothing that was typed is lost.
        expect(page.get_by_label("API Key", exact=True)).to_have_value(SECRET)
        expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Kept")
        alert.evaluate("one => { one.remove(); document.activeElement.blur(); }")

    _or_fails(stage, lambda page: page.goto(NEW))
    for status in STATUSES:
        with pytest.MonkeyPatch.context() as monkeypatch:
            instead("provider_key_new", failing(status))(monkeypatch)
            _or_fails(stage, press)
    assert len([asked for asked in stage.asked if asked.startswith("POST") and "/new/" in asked]) == len(STATUSES)


def test_web_18_a_page_from_before_another_login_says_so_and_keeps_what_was_typed(stage: Stage) -> None:
    def act(page: Page) -> None:
        page.goto(NEW)
        page.get_by_role("textbox", name="Name", exact=True).fill("Kept")
        page.get_by_label("API Key", exact=True).fill(SECRET)
        page.get_by_label("Assign to entire organization").check()
        # Another tab: the session has ended, somebody logs in again.
        page.context.clear_cookies()
        asking = page.context.request
        token = asking.get("/login/").text().partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        form: Any = {"username": "alice@acme.example", "password": PASSWORD, "csrfmiddlewaretoken": token}
        assert asking.post("/login/", form=form, max_redirects=0).status == HTTPStatus.FOUND
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("alert")).to_be_focused()
        expect(page.get_by_role("alert")).to_contain_text("This page is out of date.")
        expect(page.get_by_role("alert")).to_contain_text("Nothing was changed.")
        expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Kept")
        expect(page.get_by_label("API Key", exact=True)).to_have_value(SECRET)

    _or_fails(stage, act)
    assert not ProviderKey.objects.filter(name="Kept").exists()


def test_web_21_back_after_a_logout_shows_the_login(stage: Stage) -> None:
    def act(page: Page) -> str:
        page.goto(LIST)
        expect(page.get_by_role("button", name="Actions for Production")).to_be_visible()
        page.get_by_role("button", name="Account of Alice").click()
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url("**/login/")
        page.go_back(wait_until="load")
        return page.content()

    content = _or_fails(stage, act)
    assert "Log in" in content
    assert "Production" not in content


# Defects.


def no_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "SECURE_CSP", {})


def evaluating_in_htmx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "SECURE_CSP", {**ours.SECURE_CSP, "script-src": ["'self'", "'unsafe-eval'"]})


def letting_anybody_frame_it(monkeypatch: pytest.MonkeyPatch) -> None:
    without = {name: value for name, value in ours.SECURE_CSP.items() if name != "frame-ancestors"}
    monkeypatch.setattr(ours, "SECURE_CSP", without)
    monkeypatch.setattr(XFrameOptionsMiddleware, "process_response", lambda _, __, response: response)


def keeping_what_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the manner of a page that restores its fields."""
    _script(
        monkeypatch,
        "secrets.js",
        """addEventListener("pagehide", () => sessionStorage.setItem("f", document.querySelector(".secret-input")?.value ?? ""));
        const kept = document.querySelector(".secret-input"); if (kept) kept.value = sessionStorage.getItem("f") ?? "";""",
    )


def saying_nothing_of_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    _script(monkeypatch, "failures.js", "")


def staying_where_the_session_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "redirect_to_login", lambda _: HttpResponse("Log in", status=HTTPStatus.OK))


def keeping_pages_after_a_logout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        middleware,
        "patch_cache_control",
        lambda response, **_: response.headers.update({"Cache-Control": "max-age=600"}),
    )
    monkeypatch.setattr(views.LogoutView, "post", auth_views.LogoutView.post)  # fmt: skip


def _script(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    """Serve another script. Set once the stage is ready: it begins each case with the console's own."""
    honest = Stage.play

    def play(stage: Stage, act: Callable[[Page], Any]) -> Any:
        stage.scripts[name] = text
        return honest(stage, act)

    monkeypatch.setattr(Stage, "play", play)


@controls(
    [
        Control(test_web_04_nothing_foreign_runs_and_the_console_works, no_policy),
        Control(test_web_04_nothing_foreign_runs_and_the_console_works, evaluating_in_htmx),
        Control(test_web_06_a_foreign_page_cannot_frame_it, letting_anybody_frame_it),
        Control(test_web_10_11_a_typed_secret_is_gone_with_its_page, keeping_what_was_typed),
        Control(test_web_14_a_hostile_name_does_nothing_in_a_browser, escaping_nothing),
        Control(test_web_16_a_session_that_ends_in_mid_poll_leads_to_the_login_and_back, staying_where_the_session_ended),
        Control(test_web_17_whatever_fails_says_so_in_its_place, saying_nothing_of_failures),
        Control(test_web_18_a_page_from_before_another_login_says_so_and_keeps_what_was_typed, saying_nothing_of_failures),
        Control(test_web_21_back_after_a_logout_shows_the_login, keeping_pages_after_a_logout),
    ]
)  # fmt: skip
def test_control(control: Control, request: pytest.FixtureRequest, shared_stage: Stage) -> None:
    # What a defect keeps from coming is not waited for as long as what is only slow.
    with shared_stage.impatient():
        control.must_bite(request)
