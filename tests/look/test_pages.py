"""Every page in its states: for screen readers, under the strict policy, on phones and without script."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.look.stage import Reply, Stage

pytestmark = pytest.mark.browser

MOST_DIFFERENT = [
    "list",
    "list-empty",
    "form-refused",
    "form-conflict",
    "form-service-account-refused",
    "form-regions-refused",
    "form-regions-tested",
    "delete",
    "api-keys",
    "api-key-detail",
    "api-key-once",
    "login-refused",
    "check-regions-running",
    "check-forbidden",
    "404",
]
BREACHES = "document.addEventListener('securitypolicyviolation', event => breaches.push(event.violatedDirective))"
SCHEMES: list[Literal["light", "dark"]] = ["light", "dark"]


@pytest.mark.parametrize("name", MOST_DIFFERENT)
def test_a_page_is_clean_to_axe_fits_its_window_and_keeps_the_policy(stage: Stage, name: str) -> None:
    stage.context.add_init_script(f"globalThis.breaches = []; {BREACHES}")
    page = stage.open(name)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        violations = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in violations] == []
    for width in (360, 768, 1000):
        page.set_viewport_size({"width": width, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("breaches") == []


def test_controls_on_a_phone_are_large_enough_for_a_finger(chromium: Browser) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = Stage(context).open("form-refused")
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input:not([type=checkbox], [type=hidden])")]
            .filter(element => element.checkVisibility() && element.getBoundingClientRect().height < 44)
            .map(element => element.outerHTML)"""
    )
    context.close()
    assert small == []


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


def test_without_script_menus_open_and_forms_post(chromium: Browser) -> None:
    # Without motion, like every other test: a click that lands while the menu still moves falls beside it and closes it.
    context = chromium.new_context(java_script_enabled=False, reduced_motion="reduce")
    stage = Stage(context)
    page = stage.open("list", "/orgs/acme/provider-keys/")
    page.get_by_role("button", name="Actions for CI account").click()
    stage.on("POST", "/orgs/acme/provider-keys/pk_0000000000000000000004/checks/", Reply("tested"))
    page.get_by_role("menuitem", name="Test credentials").click()
    expect(page.get_by_text("tested")).to_be_visible()

    page = stage.open("form-new")
    stage.on("POST", "/orgs/acme/provider-keys/new/", Reply("saved"))
    page.get_by_label("API Key", exact=True).fill("sk-sample")
    page.get_by_role("checkbox", name="batch-eu").check()
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_text("saved")).to_be_visible()
    sent = stage.asked("POST", "/orgs/acme/provider-keys/new/")[0].post_data or ""
    context.close()
    assert "provider=openai" in sent
    assert "api_key_ids=key_1" in sent


def test_without_script_a_running_test_reloads_by_itself(chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    stage = Stage(context)
    page = stage.open("check-running", "/running")
    stage.on("GET", "/running", Reply("done"))
    expect(page.get_by_text("done")).to_be_visible()
    context.close()
