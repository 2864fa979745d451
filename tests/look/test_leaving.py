"""Leaving a page that holds what nobody could bring back: the browser asks first, and only then."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.look.stage import Reply, Stage, part

pytestmark = pytest.mark.browser

NEW = "/orgs/acme/provider-keys/new/"
LIST = "/orgs/acme/provider-keys/"
DETAIL = "/orgs/acme/api-keys/key_1/"
SECRET = "sk-proj-typed-but-never-kept"


@pytest.fixture
def asked(stage: Stage) -> Iterator[list[str]]:
    """What the browser asked on leaving. It is let go."""
    kinds: list[str] = []

    def let_go(dialog: Dialog) -> None:
        kinds.append(dialog.type)
        dialog.accept()

    stage.page.on("dialog", let_go)
    stage.on("GET", LIST, Reply("<h1>BYOK</h1>"))
    yield kinds
    stage.page.remove_listener("dialog", let_go)


def leave(page: Page) -> None:
    page.evaluate(f"location.assign({LIST!r})")
    page.wait_for_url(f"**{LIST}")


def typed(stage: Stage) -> Page:
    page = stage.open("form-new", NEW)
    page.get_by_label("API Key", exact=True).press_sequentially(SECRET)
    return page


def test_a_typed_secret_is_asked_about(stage: Stage, asked: list[str]) -> None:
    leave(typed(stage))
    assert asked == ["beforeunload"]


def test_nothing_else_is(stage: Stage, asked: list[str]) -> None:
    page = stage.open("form-new", NEW)
    page.get_by_label("Name", exact=True).press_sequentially("Mine")
    leave(page)
    page = typed(stage)
    page.get_by_label("API Key", exact=True).fill("")
    leave(page)
    assert asked == []


@pytest.mark.parametrize("button", ["Save", "Cancel"])
def test_the_consoles_own_ways_out_ask_nothing(stage: Stage, asked: list[str], button: str) -> None:
    stage.on("POST", NEW, Reply("", 200, {"HX-Redirect": LIST}))
    page = typed(stage)
    stage.on("GET", "/list", Reply("<h1>BYOK</h1>"))
    page.get_by_label("Assign to entire organization").check()
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("heading", name="BYOK")).to_be_visible()
    assert asked == []


def test_a_save_that_was_refused_is_no_way_out(stage: Stage, asked: list[str]) -> None:
    stage.on("POST", NEW, Reply("", 503))
    page = typed(stage)
    page.get_by_label("Assign to entire organization").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[data-failures] .notice").first).to_be_visible()
    leave(page)
    assert asked == ["beforeunload"]


def by_the_button(page: Page) -> None:
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status", name="Clipboard")).to_have_text("Copied")


def by_hand(page: Page) -> None:
    page.get_by_role("textbox", name="API key").focus()
    page.keyboard.press("Control+A")
    page.keyboard.press("Control+C")


def done(page: Page) -> None:
    stored = page.get_by_role("link", name="Done, I have stored it")
    stored.evaluate("(link, list) => { link.href = list; }", LIST)
    stored.click()


def nothing(page: Page) -> None:
    page.mouse.click(5, 5)


@pytest.mark.parametrize(("do", "asks"), [(nothing, True), (by_the_button, False), (by_hand, False), (done, False)])
def test_a_new_api_key_is_asked_about_until_it_was_copied(
    stage: Stage, asked: list[str], do: Callable[[Page], None], asks: bool
) -> None:
    stage.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = stage.open("api-key-once")
    do(page)
    if do is not done:
        leave(page)
    page.wait_for_url(f"**{LIST}")
    assert asked == ["beforeunload"] * asks


def test_a_provider_key_made_in_another_tab_is_told_on_coming_back_and_the_api_key_stays(stage: Stage) -> None:
    page = stage.open("api-key-once-unserved")
    served = page.get_by_role("list", name="Which key will serve it")
    expect(served).to_contain_text("None yet: add a provider key in a new tab, and it will.")
    with page.expect_event("requestfinished"):
        page.evaluate("dispatchEvent(new Event('focus'))")
    # Nobody is told that this failed: nothing was pressed.
    expect(served).to_contain_text("None yet")
    expect(page.locator("[data-failure]")).to_have_count(0)
    stage.on("GET", DETAIL, Reply(part("api-key-once", "served_by")))
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(served).to_contain_text("Production Key")
    expect(page.get_by_label("API key", exact=True)).to_have_value(re.compile("^byok_"))
    expect(page).to_have_title(re.compile("Copy your new API key"))
    # And again, whatever was changed there since.
    stage.on("GET", DETAIL, Reply(part("api-key-once-unserved", "served_by")))
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(served).to_contain_text("None yet")
    assert {request.headers["hx-target"] for request in stage.asked("GET", DETAIL)} == {"served-by"}
