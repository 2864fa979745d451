"""For whom a provider key serves: API keys, the organization, nobody; and two admins at one key."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.console import Console
from tests.e2e.database import Database
from tests.e2e.homes import Home
from tests.e2e.visitor import Visitor
from tests.fakeproviders import samples
from tests.product import Product
from tests.watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("product")]

NOBODY = "Choose at least one API key, or assign to the entire organization."


@pytest.fixture
def visitor(product: Product, home: Home) -> Visitor:
    """Alice elsewhere."""
    return Visitor.alice(product, home)


def test_a_key_serves_the_api_keys_that_were_chosen_and_then_the_organization(
    console: Console, visitor: Visitor
) -> None:
    for name in ("ci", "production", "staging"):
        visitor.make_api_key(name)
    console.open_page_of_new("openai")
    console.name.fill("Some")
    console.api_key.fill(samples.fresh_key("openai", "good"))
    assert console.api_keys.get_by_role("checkbox").count() == 3
    console.api_key_box("ci").check()
    console.api_key_box("staging").check()
    console.save()
    assigned = console.row("Some").locator("[data-badge]")
    expect(assigned).to_have_text(["ci", "staging"])
    assert [badge.get_attribute("data-badge") for badge in assigned.all()] == ["api-key", "api-key"]

    console.open_edit("Some")
    expect(console.api_key_box("ci")).to_be_checked()
    expect(console.api_key_box("production")).not_to_be_checked()
    console.whole_organization.check()
    expect(console.api_keys).to_be_disabled()
    expect(console.api_keys).to_contain_text("Assigned to all organization's API keys")
    console.save()
    expect(assigned).to_have_text("Organization (all keys)")
    expect(assigned).to_have_attribute("data-badge", "organization")


def test_a_key_for_nobody_is_not_sent_and_a_refusal_keeps_all_but_the_secret(
    console: Console, visitor: Visitor, watch: Watch
) -> None:
    watch.expect(422)
    visitor.make_api_key("staging")
    console.open_page_of_new("openai")
    console.name.fill("Nobody's")
    key = samples.fresh_key("openai", "good")
    console.api_key.fill(key)
    console.save_button.click()
    expect(console.page.get_by_role("alert")).to_have_text(NOBODY)
    expect(console.whole_organization).to_be_focused()
    expect(console.whole_organization).to_have_accessible_description(NOBODY)
    expect(console.whole_organization).to_have_attribute("aria-invalid", "true")
    expect(console.api_key).to_have_value(key)

    console.api_key_box("staging").check()
    expect(console.page.get_by_role("alert")).to_have_count(0)
    # So is one without a name; what only the server can judge goes there.
    console.name.fill(" ")
    console.save_button.click()
    expect(console.page.get_by_role("alert")).to_have_text("Give the key a name.")
    expect(console.name).to_be_focused()
    expect(console.api_key).to_have_value(key)
    console.name.fill("Nobody\u200b's")
    expect(console.page.get_by_role("alert")).to_have_count(0)
    console.save_button.click()
    alert = console.page.get_by_role("alert")
    expect(alert).to_be_focused()
    expect(alert).to_contain_text("Nothing was saved.")
    expect(console.name).to_have_attribute("aria-invalid", "true")
    expect(console.api_key_box("staging")).to_be_checked()
    expect(console.api_key).to_have_value("")
    expect(console.api_key).to_have_accessible_description(re.compile("type it again"))
    expect(console.provider.get_by_role("option", selected=True)).to_have_text("OpenAI")

    console.name.fill("Nobody's")
    console.api_key.fill(samples.fresh_key("openai", "good"))
    console.save()
    expect(console.row("Nobody's").locator("[data-badge]")).to_have_text("staging")


def test_an_api_key_is_shown_once_and_never_again(console: Console, product: Product, home: Home) -> None:
    page = console.page
    page.goto(home.api_keys)
    page.get_by_role("link", name="Create API Key").first.click()
    page.get_by_label("Name", exact=True).fill("staging")
    page.get_by_label("Expiration", exact=True).select_option(label="In 90 days")
    page.set_viewport_size({"width": 360, "height": 480})
    # It is before the eyes all along.
    expect(console.save_button).to_be_in_viewport(ratio=1)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert page.evaluate("scrollY") > 0
    console.save_button.click()
    # Whoever had scrolled to the button sees first what this page is.
    expect(page.get_by_role("heading", name="Copy your new API key", level=1)).to_be_in_viewport(ratio=1)
    shown = page.get_by_role("textbox", name="API key", exact=True)
    expect(shown).not_to_be_editable()
    expect(page.get_by_role("button", name="Copy", exact=True)).to_be_focused()
    plaintext = shown.input_value()
    assert re.fullmatch(r"byok_[0-9A-Za-z]{40,}", plaintext)

    page.reload()
    expect(page.get_by_role("heading", name="staging", level=1)).to_be_visible()
    assert plaintext not in page.content()
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", name="staging", level=1)).to_be_visible()
    assert plaintext not in page.content()
    assert Database(product).one("SELECT count(*) FROM organizations_apikey WHERE digest = ?", plaintext) == 0
    page.get_by_role("link", name="API Keys", exact=True).first.click()
    expect(page.get_by_role("table", name="API keys").get_by_role("row")).to_have_count(2)
    assert plaintext not in page.content()


def test_the_second_of_two_admins_is_told_who_changed_what_and_loses_nothing_but_the_secret(
    console: Console, visit: Visit, visitor: Visitor, home: Home, watch: Watch
) -> None:
    watch.expect(409)
    visitor.save("Shared", samples.fresh_key("openai", "good"))
    visitor.make_api_key("staging")
    bob = Console(visit(home.bob).page, home)
    for admin in (console, bob):
        admin.open_list()
        admin.open_edit("Shared")
    bob.name.fill("Shared by Bob")
    bob.save()

    console.name.fill("Shared by Alice")
    console.api_key.fill(samples.fresh_key("openai", "good"))
    console.whole_organization.uncheck()
    console.api_key_box("staging").check()
    console.save_button.click()
    alert = console.page.get_by_role("alert")
    expect(alert).to_be_focused()
    expect(alert).to_contain_text(re.compile(r"Bob.* saved this key just now and changed its name\."))
    expect(alert).to_contain_text("Nothing was saved.")
    expect(console.name).to_have_value("Shared by Alice")
    expect(console.api_key_box("staging")).to_be_checked()
    expect(console.api_key).to_have_value("")
    bob.open_list()
    expect(bob.row("Shared by Bob").locator("[data-badge=organization]")).to_be_visible()

    console.page.get_by_role("checkbox", name="Keep the stored key").check()
    console.save()
    expect(console.row("Shared by Alice").locator("[data-badge]")).to_have_text("staging")


def test_a_member_sees_the_list_and_no_way_to_change_it(visit: Visit, visitor: Visitor, home: Home) -> None:
    visitor.save("Seen", samples.fresh_key("openai", "good"))
    desk = visit(home.dana)
    dana = Console(desk.page, home)
    dana.open_list()
    expect(dana.table.get_by_role("row")).to_have_count(2)
    expect(dana.page.get_by_role("link", name="Create a new Provider Key")).to_have_count(0)
    expect(dana.page.get_by_role("button", name="Actions for Seen")).to_have_count(0)
    desk.watch.expect(403)
    dana.page.goto(f"{home.keys}new/")
    expect(dana.page.get_by_role("heading", name="This isn’t yours to change.")).to_be_visible()
