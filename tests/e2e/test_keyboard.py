"""The walk by keyboard alone: nothing here moves a pointer or sets a focus that a key did not bring."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.console import CREATE, Console
from tests.e2e.homes import Home
from tests.e2e.region import Region
from tests.e2e.visitor import Visitor
from tests.fakeproviders import samples
from tests.fakeproviders.access_keys import halves
from tests.product import PASSWORD, Product
from tests.watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("product")]

_MOST_TABS = 30


def tab_to(page: Page, wanted: Locator, *, backwards: bool = False) -> None:
    """Press Tab until ``wanted`` has the focus."""
    for _ in range(_MOST_TABS):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
    raise AssertionError(f"{_MOST_TABS} tabs do not lead to {wanted}")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.closest('dialog') ? 'dialog' : document.activeElement.tagName"))


def log_in(page: Page, home: Home) -> None:
    """From the list, where nobody is let in, back to it."""
    page.goto(home.keys)
    expect(page.get_by_label("Email", exact=True)).to_be_focused()
    page.keyboard.type(home.alice.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{home.keys}")


def test_the_whole_walk_needs_no_pointer(console: Console, product: Product, home: Home, watch: Watch) -> None:
    Visitor.alice(product, home).make_api_key("staging")
    page = console.page
    page.context.clear_cookies()
    watch.expect(422)
    press, write = page.keyboard.press, page.keyboard.type
    log_in(page, home)
    press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    press("Enter")
    tab_to(page, page.get_by_role("link", name=CREATE).first)
    press("Enter")

    expect(console.provider).to_be_focused()
    write("O")
    expect(console.api_key).to_be_editable()
    expect(console.provider.get_by_role("option", selected=True)).to_have_text("OpenAI")
    tab_to(page, console.api_key)
    write(samples.fresh_key("openai", "good"))
    press("Tab")
    tab_to(page, console.test_button)
    press("Space")
    console.see_verdict("valid")
    expect(console.test_button).to_be_focused()

    # A save without a name leads to it, and one that would serve nobody to the choice; nothing was sent, and the test
    # still stands.
    tab_to(page, console.save_button)
    press("Enter")
    expect(console.name).to_be_focused()
    write("By \u200bkeyboard")
    tab_to(page, console.save_button)
    press("Enter")
    expect(console.whole_organization).to_be_focused()
    console.see_verdict("valid")
    tab_to(page, console.api_key_box("staging"))
    press("Space")

    # A refusal takes the focus, and leads from there to its fields.
    tab_to(page, console.save_button)
    press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    press("Tab")
    expect(page.get_by_role("alert").get_by_role("link", name="Name", exact=True)).to_be_focused()
    press("Enter")
    expect(console.name).to_be_focused()
    press("Control+a")
    write("By keyboard")
    tab_to(page, console.api_key)
    write(samples.fresh_key("openai", "good"))
    expect(console.api_key_box("staging")).to_be_checked()
    press("Enter")

    page.wait_for_url(f"**{home.keys}")
    expect(console.row("By keyboard").locator("[data-badge=api-key]")).to_have_text("staging")
    expect(console.badge("By keyboard", "Untested")).to_have_count(0)


def test_regions_are_added_filled_and_removed_by_keys_and_say_what_they_are(console: Console) -> None:
    page, press, write = console.page, console.page.keyboard.press, console.page.keyboard.type
    shared = samples.fresh_key("bedrock", "good")
    console.open_page_of_new("bedrock")
    expect(console.name).to_be_focused()
    write("By keyboard")
    press("Tab")

    def fill(row: Region, region: str) -> None:
        """Fill a row from its first field on."""
        expect(row.region).to_be_focused()
        write(region)
        expect(row.region).to_have_value(region)
        for field, half in zip((row.key_id, row.secret), halves(shared), strict=True):
            press("Tab")
            expect(field).to_be_focused()
            write(half)

    fill(console.region(1), "us-east-1")
    # An only row has nowhere to move to; behind it comes what makes another one.
    press("Tab")
    expect(console.region(1).remove).to_be_focused()
    press("Tab")
    expect(page.get_by_role("button", name="Add region", exact=True)).to_be_focused()
    press("Enter")
    fill(console.region(2), "eu-central-1")
    tab_to(page, page.get_by_role("button", name="Copy these credentials to the new row", exact=True))
    press("Space")
    third = console.region(3)
    expect(third.region).to_be_focused()
    expect(third.secret).to_have_value(halves(shared)[1])
    write("eu-south-1")
    expect(third.group).to_match_aria_snapshot("""
      - group "Region 3":
        - combobox "Region"
        - textbox "Access Key ID"
        - textbox "Secret Access Key"
        - button "Move region 3 to first"
        - button "Remove region 3"
    """)

    # Removed, the next row's button has the focus, and each is called by its new number.
    tab_to(page, console.region(2).remove, backwards=True)
    press("Enter")
    expect(console.region(2).remove).to_be_focused()
    expect(console.regions).to_have_count(2)
    press("Shift+Tab")
    expect(console.region(2).to_first).to_be_focused()
    press("Enter")
    expect(console.region(1).region).to_be_focused()
    assert [console.region(number).region.input_value() for number in (1, 2)] == ["eu-south-1", "us-east-1"]

    tab_to(page, console.test_button)
    press("Enter")
    console.see_regions({"eu-south-1": "forbidden", "us-east-1": "valid"})
    tab_to(page, console.whole_organization)
    press("Space")
    tab_to(page, console.save_button)
    press("Enter")
    page.wait_for_url(f"**{console.home.keys}")
    expect(console.row("By keyboard")).to_contain_text("eu-south-1, us-east-1")


def test_focus_stays_in_the_dialog_and_goes_back_to_what_opened_it(console: Console) -> None:
    page = console.page
    console.open_list()
    link = page.get_by_role("link", name=CREATE).first
    tab_to(page, link)
    page.keyboard.press("Enter")
    expect(console.provider).to_be_focused()
    seen = set()
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.add(focused(page))
    # Between its last and its first field the focus is the browser's own, never the page's behind it.
    assert seen - {"BODY"} == {"dialog"}
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(link).to_be_focused()


def test_a_row_menu_and_a_deletion_by_keys(console: Console, product: Product, home: Home) -> None:
    Visitor.alice(product, home).save("Old", samples.fresh_key("openai", "good"))
    page, press = console.page, console.page.keyboard.press
    console.open_list()
    expect(console.badge("Old", "Testing")).to_have_count(0)
    menu = page.get_by_role("button", name="Actions for Old", exact=True)
    items = page.get_by_role("menuitem")
    edit, delete = items.and_(page.get_by_text("Edit", exact=True)), items.and_(page.get_by_text("Delete", exact=True))
    tab_to(page, menu)
    press("Enter")
    expect(edit).to_be_focused()
    press("ArrowDown")
    expect(items.nth(1)).to_be_focused()
    press("End")
    expect(delete).to_be_focused()
    press("ArrowDown")
    expect(edit).to_be_focused()
    press("Escape")
    expect(edit).to_be_hidden()
    expect(menu).to_be_focused()

    press("Space")
    expect(edit).to_be_focused()
    press("ArrowUp")
    press("Enter")
    dialog = page.get_by_role("dialog", name="Delete Old")
    expect(dialog.get_by_role("button", name="Cancel", exact=True)).to_be_focused()
    press("Enter")
    expect(dialog).to_have_count(0)
    expect(menu).to_be_focused()
    press("Enter")
    expect(edit).to_be_focused()
    press("End")
    press("Enter")
    expect(dialog.get_by_role("button", name="Cancel", exact=True)).to_be_focused()
    press("Tab")
    press("Enter")
    expect(page.get_by_text(re.compile(r"Old \(.*\) was deleted\."))).to_be_visible()
    expect(console.table).to_have_count(0)


def test_a_row_keeps_the_focus_while_its_test_comes_and_goes(console: Console, product: Product, home: Home) -> None:
    Visitor.alice(product, home).save("Watched", samples.fresh_key("openai", "wrong"))
    page, press = console.page, console.page.keyboard.press
    console.open_list()
    menu = page.get_by_role("button", name="Actions for Watched", exact=True)
    tab_to(page, menu)
    expect(console.badge("Watched", "Failing")).to_be_visible()
    expect(menu).to_be_focused()
    press("Enter")
    expect(page.get_by_role("menuitem", name="Edit", exact=True)).to_be_focused()
    while not page.get_by_role("menuitem", name="Test credentials").evaluate("item => item === document.activeElement"):
        press("ArrowDown")
    press("Enter")
    last_check = console.last_check_of("Watched")
    expect(console.badge("Watched", "Testing")).to_have_count(0)
    expect(last_check).to_contain_text(re.compile("just now"))
    expect(menu).to_be_focused()
