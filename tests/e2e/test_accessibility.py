"""Every page in its real states: clean to axe, light and dark, desktop and phone; no sideways scrolling on a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.accessibility import faults
from tests.e2e.console import Console
from tests.e2e.homes import Home
from tests.e2e.visitor import Visitor
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.product import Product
from tests.watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("product")]


def assert_fine(page: Page, state: str) -> None:
    __tracebackhide__ = True
    assert (state, list(faults(page))) == (state, [])


def test_login_and_lost_pages(console: Console, home: Home, watch: Watch) -> None:
    page = console.page
    watch.expect(404)
    page.goto(f"{home.keys}pk_nobody/")
    expect(page.get_by_role("heading", name="Nothing is at this address.")).to_be_visible()
    assert_fine(page, "404")
    page.context.clear_cookies()
    page.goto("/login/")
    assert_fine(page, "login")
    page.get_by_label("Email", exact=True).fill("nobody@example.com")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert_fine(page, "login refused")
    page.goto("/password-reset/")
    assert_fine(page, "password reset")


def test_the_list_empty_and_filled_its_menu_and_its_dialogs(
    console: Console, product: Product, home: Home, providers: CheckedProviders
) -> None:
    visitor, page = Visitor.alice(product, home), console.page
    console.open_list()
    assert_fine(page, "empty")
    for name in ("staging", "production", "an API key with quite a long name for a phone", "ci"):
        visitor.make_api_key(name)
    ids = re.findall(r'name="api_key_ids" value="(key_\w+)"', visitor.get(f"{home.keys}new/").text)
    visitor.save("Production Key", samples.fresh_key("openai", "good"))
    visitor.save("Spare", samples.fresh_key("openai", "quota"))
    visitor.save("Old", samples.fresh_key("anthropic", "wrong"), "anthropic")
    visitor.save("x" * 100, samples.fresh_key("openai", "hang"), assign_to_organization="", api_key_ids=ids)
    console.open_list()
    for name, word in (("Production Key", "Active"), ("Spare", "Limited"), ("Old", "Failing"), ("x" * 100, "Testing")):
        expect(console.badge(name, word)).to_be_visible()
    expect(console.table.get_by_text("Testing")).to_have_count(1)
    assert_fine(page, "filled")
    # What was said of the keys has been read; under a dialog nobody could reach it.
    console.open_list()
    page.get_by_role("button", name="Actions for Spare").click()
    assert_fine(page, "menu")
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("dialog", name="Delete Spare")).to_be_visible()
    assert_fine(page, "deletion")


def test_the_form_in_each_state(
    console: Console, product: Product, home: Home, providers: CheckedProviders, watch: Watch
) -> None:
    watch.expect(422)
    visitor, page = Visitor.alice(product, home), console.page
    for name in ("staging", "production"):
        visitor.make_api_key(name)
    console.open_list()
    console.open_dialog_of_new()
    assert_fine(page, "new")
    console.choose("openai")
    key = samples.fresh_key("openai", "gate")
    console.api_key.fill(key)
    console.press()
    providers.wait_for(key)
    console.see_state("running")
    assert_fine(page, "testing")
    providers.release(key, "wrong")
    console.see_verdict("invalid")
    assert_fine(page, "tested")
    console.api_key.fill(samples.fresh_key("openai", "quota"))
    console.press()
    console.see_verdict("limited")
    console.api_key.press_sequentially("x")
    assert_fine(page, "changed since the test")
    console.save_button.click()
    expect(console.name).to_be_focused()
    assert_fine(page, "stopped, for it has no name and would serve nobody")
    console.name.fill("M\u200bine")
    console.whole_organization.check()
    console.save_button.click()
    expect(page.get_by_role("alert")).to_be_focused()
    assert_fine(page, "refused")
    console.name.fill("Mine")
    console.api_key.fill(samples.fresh_key("openai", "good"))
    console.save()
    console.open_edit("Mine")
    assert_fine(page, "edit")


def test_api_key_pages(console: Console, product: Product, home: Home) -> None:
    page = console.page
    page.goto(home.api_keys)
    assert_fine(page, "no API keys")
    page.get_by_role("link", name="Create API Key").first.click()
    assert_fine(page, "new API key")
    page.get_by_label("Name", exact=True).fill("staging")
    console.save_button.click()
    expect(page.get_by_role("textbox", name="API key", exact=True)).to_be_visible()
    assert_fine(page, "shown once")
    page.reload()
    assert_fine(page, "one API key")
    page.goto(home.api_keys)
    assert_fine(page, "API keys")
    page.goto(f"{home.keys}new/?provider=openai")
    assert_fine(page, "the form as a page")


def test_a_watched_browser_tells_what_it_must(console: Console, watch: Watch) -> None:
    """The positive control of every test here: what a page does wrong is heard."""
    page = console.page
    console.open_list()
    assert watch.complaints() == []
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), { textContent: '1' }))")
    page.evaluate("document.body.append(Object.assign(new Image(), { src: 'https://elsewhere.example/x.png' }))")
    page.evaluate("setTimeout(() => { throw new Error('planted') })")
    page.evaluate("fetch('/nowhere/').then((answer) => answer.text())")
    page.wait_for_function("performance.getEntriesByName(new URL('/nowhere/', location).href).length > 0")
    heard = " ".join(watch.complaints())
    for sign in ("policy: style-src-attr", "policy: script-src-elem", "policy: img-src", "uncaught: ", "answer of 404"):
        assert sign in heard
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=/static/none.png>')")
    assert any("image-alt" in fault for fault in faults(page))
    page.evaluate("document.body.append(Object.assign(document.createElement('p'), { textContent: 'w'.repeat(3000) }))")
    assert any("px wide in a window of 360 px" in fault for fault in faults(page))
    watch.forget()
