"""A newcomer's first key, from the login page to its row in the list: with script in a dialog, and without any."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.console import CREATE, LABELS, Console
from tests.e2e.homes import Home
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.product import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("product"), pytest.mark.quick]


def log_in(page: Page, email: str) -> None:
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


def test_a_newcomer_pastes_a_key_tests_it_and_saves_it(visit: Visit, home: Home, providers: CheckedProviders) -> None:
    page = visit().page
    console = Console(page, home)
    secret = samples.fresh_key("openai", "good")

    page.goto("/")
    log_in(page, home.alice.email)
    page.wait_for_url(f"**{home.keys}")
    navigation = page.get_by_role("navigation", name="Console")
    expect(navigation.get_by_role("link", name="BYOK", exact=True)).to_have_attribute("aria-current", "page")
    expect(navigation.get_by_role("link", name="API Keys", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="No provider keys yet")).to_be_visible()
    expect(console.table).to_have_count(0)

    console.open_dialog_of_new()
    expect(console.provider).to_be_focused()
    assert console.provider.get_by_role("option").all_inner_texts() == list(LABELS.values())
    console.choose("openai")
    console.name.fill("  Production Key ")
    console.api_key.fill(f'export OPENAI_API_KEY="{secret}"')
    console.press()
    console.see_verdict("valid")
    expect(console.name).to_have_value("  Production Key ")
    console.whole_organization.check()
    expect(console.api_keys).to_be_disabled()
    console.save_button.click()

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("Production Key was created.")).to_be_visible()
    cells = console.row("Production Key").get_by_role("cell")
    expect(cells.nth(0)).to_have_text("OpenAI")
    expect(cells.nth(1)).to_have_text(re.compile(rf"^\s*Production Key\s+sk-proj-…{secret[-4:]}\s*$"))
    organization = cells.nth(2).locator("[data-badge=organization]")
    expect(organization).to_have_text("Organization (all keys)")
    expect(cells.nth(3)).to_have_text("Active")
    cells.nth(4).get_by_role("button").focus()
    expect(page.get_by_role("tooltip")).to_have_text(re.compile(r"^Valid\. OpenAI accepted the key.*UTC$"))
    expect(cells.nth(5)).to_have_text(re.compile(r"^\s*today\s+never used\s*$"))
    # Its verdict came along: the provider was asked by the press alone.
    assert len(providers.requests(credential=secret)) == 1


def test_without_script_the_same_walk_goes_from_page_to_page(
    visit: Visit, home: Home, providers: CheckedProviders
) -> None:
    page = visit(java_script_enabled=False).page
    console = Console(page, home)
    secret = samples.fresh_key("anthropic", "good")

    page.goto(home.keys)
    log_in(page, home.alice.email)
    page.get_by_role("link", name=CREATE).first.click()
    expect(page.get_by_role("heading", name="Add Provider Key", level=1)).to_be_visible()
    page.get_by_role("link", name="Anthropic", exact=True).click()
    console.name.fill("Production Key")
    console.api_key.fill(secret)
    console.test_button.click()
    console.see_verdict("valid")
    page.get_by_role("link", name="Back to BYOK").click()
    expect(page.get_by_role("heading", name="No provider keys yet")).to_be_visible()

    console.open_page_of_new("anthropic")
    console.name.fill("Production Key")
    console.api_key.fill(secret)
    console.whole_organization.check()
    console.save_button.click()
    page.wait_for_url(f"**{home.keys}")
    expect(console.badge("Production Key", "Active")).to_be_visible()
    expect(console.badge("Production Key", "Untested")).to_have_count(0)
    assert len(providers.requests(credential=secret)) == 1
