"""Every page in its states: for screen readers, under the strict policy, on phones and without script."""

import pytest
from playwright.sync_api import expect

from tests.accessibility import DARK, DARK_PHONE, LIGHT, faults
from tests.look.conftest import Build
from tests.look.stage import ORIGIN, Reply, Stage, part, whole
from tests.look.things import KEYS

pytestmark = pytest.mark.browser

MOST_DIFFERENT = [
    "list",
    "list-empty",
    "form-refused",
    "form-conflict",
    "form-service-account-refused",
    "form-service-account-edit-emptied",
    "form-regions-refused",
    "form-regions-edit-emptied",
    "form-regions-tested",
    "form-edit-tested-before",
    "form-regions-edit-tested-before",
    "delete",
    "enable",
    "api-keys",
    "api-key-detail",
    "api-key-once",
    "api-key-refused",
    "api-key-rotate-refused",
    "api-key-delete",
    "api-key-stop-again",
    "login-refused",
    "check-regions-running",
    "check-forbidden",
    "403-member",
    "404",
    "429",
    "500",
]


@pytest.mark.parametrize("name", MOST_DIFFERENT)
def test_a_page_is_clean_to_axe_and_fits_its_window(stage: Stage, name: str) -> None:
    page = stage.open(name)
    assert list(faults(page, (LIGHT, DARK, DARK_PHONE), widths=(768, 1000))) == []


def test_the_stage_tells_a_breach_of_the_policy(stage: Stage) -> None:
    page = stage.open("404")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")
    with page.expect_event("pageerror"):
        page.evaluate("setTimeout(() => { throw new Error('planted') })")
    expect(page.get_by_text("x", exact=True)).to_be_visible()
    assert [said.split()[1] for said in stage.watch.breaches()] == ["policy:", "planted"]
    stage.watch.forget()


def test_controls_on_a_phone_are_large_enough_for_a_finger(build: Build) -> None:
    page = build(viewport={"width": 390, "height": 844}, has_touch=True).open("form-refused")
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input:not([type=checkbox], [type=hidden])")]
            .filter(element => element.checkVisibility() && element.getBoundingClientRect().height < 44)
            .map(element => element.outerHTML)"""
    )
    assert small == []


def test_with_the_readers_own_colours_all_is_seen_and_the_current_page_told(build: Build) -> None:
    page = build(forced_colors="active").open("list")
    here, elsewhere = (page.get_by_role("link", name=name, exact=True) for name in ("BYOK", "API Keys"))
    expect(here).to_have_css("border-top-width", "2px")
    expect(elsewhere).to_have_css("border-top-width", "0px")
    create = page.get_by_role("link", name="Create a new Provider Key").first
    ink = create.evaluate("element => getComputedStyle(element).color")
    expect(create.locator(".icon")).to_have_css("color", ink)


def test_on_paper_stands_what_the_page_says_and_nothing_to_press(build: Build) -> None:
    page = build(color_scheme="dark").open("list")
    page.emulate_media(media="print")
    expect(page.get_by_role("table", name="Provider keys")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("navigation")).to_be_hidden()
    for role in ("searchbox", "combobox"):
        expect(page.get_by_role(role)).to_have_count(0)
    expect(page.get_by_role("link", name="Create a new Provider Key")).to_have_count(0)
    expect(page.get_by_role("button", name="Actions for")).to_have_count(0)
    ground = page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
    assert ground == "rgb(255, 255, 255)"


def test_an_api_key_is_copied_by_one_press(stage: Stage) -> None:
    stage.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = stage.open("api-key-once")
    button = page.get_by_role("button", name="Copy")
    expect(button).to_be_focused()
    button.press("Enter")
    expect(page.get_by_role("status", name="Clipboard")).to_have_text("Copied")
    field = page.get_by_role("textbox", name="API key")
    expect(field).not_to_be_editable()
    assert page.evaluate("navigator.clipboard.readText()") == field.input_value()


def test_a_copy_inside_a_dialog_is_announced_inside_it(stage: Stage) -> None:
    """Behind an open dialog the page is inert, and silent with it."""
    stage.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = stage.open("list", "/orgs/acme/provider-keys/")
    stage.on("GET", f"/orgs/acme/provider-keys/{KEYS[0].id}/", Reply(part("form-edit", "form")))
    page.get_by_role("button", name=f"Actions for {KEYS[0].name}").first.click()
    page.get_by_role("menuitem", name="Edit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Copy the id").click()
    expect(dialog.get_by_role("status", name="Clipboard")).to_have_text("Copied")


def test_without_script_menus_open_forms_post_and_a_running_test_reloads_by_itself(build: Build) -> None:
    stage = build(java_script_enabled=False)
    # It reloads after two seconds: time enough for the rest.
    running = stage.context.new_page()
    stage.on("GET", "/running", Reply(whole("check-running")))
    running.goto(f"{ORIGIN}/running")
    stage.on("GET", "/running", Reply("done"))

    page = stage.open("list", "/orgs/acme/provider-keys/")
    page.get_by_role("button", name="Actions for CI account").click()
    stage.on("POST", "/orgs/acme/provider-keys/pk_0000000000000000000004/checks/", Reply("tested"))
    page.get_by_role("menuitem", name="Test credentials").click()
    expect(page.get_by_text("tested")).to_be_visible()

    stage.open("form-new")
    stage.on("POST", "/orgs/acme/provider-keys/new/", Reply("saved"))
    page.get_by_label("API Key", exact=True).fill("sk-sample")
    page.get_by_role("checkbox", name="batch-eu").check()
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_text("saved")).to_be_visible()
    sent = stage.asked("POST", "/orgs/acme/provider-keys/new/")[0].post_data or ""
    assert "provider=openai" in sent
    assert "api_key_ids=key_1" in sent

    expect(running.get_by_text("done")).to_be_visible()
