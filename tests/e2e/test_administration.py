"""The staff's pages in a browser: clean to axe, light and dark, desktop and phone, under the strict policy, by keyboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.accessibility import faults
from tests.e2e.conftest import Visit
from tests.e2e.homes import Home, Person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("product")]

ADMIN = "/admin/organizations"


@pytest.fixture
def page(visit: Visit, sam: Person) -> Page:
    """A tab in which Sam works."""
    return visit(sam).page


def assert_fine(page: Page, state: str) -> None:
    __tracebackhide__ = True
    assert (state, list(faults(page, widths=(390, 768)))) == (state, [])


def assert_nothing_is_aside(page: Page, state: str) -> None:
    """On a phone all of a list is there without scrolling sideways, and each value says of what."""
    size = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 844})
    results = page.locator("#changelist-form .results")
    expect(results).to_be_visible()
    assert results.evaluate("it => it.scrollWidth - it.clientWidth") == 0, state
    cells = results.locator("tbody td:not(.action-checkbox)")
    assert cells.evaluate_all("all => all.filter((one) => !one.dataset.label).length") == 0, state
    assert size
    page.set_viewport_size(size)


def open_first(page: Page, path: str, text: str, home: Home) -> None:
    """From a list, found by the organization's slug, to the page of one of its objects."""
    page.goto(f"{path}?q={home.slug}")
    page.get_by_role("link", name=text, exact=True).first.click()
    expect(page.get_by_role("heading", name=text, level=1)).to_be_visible()


def test_the_way_in(visit: Visit) -> None:
    desk = visit()
    desk.page.goto("/admin/")
    assert_fine(desk.page, "login")
    desk.page.get_by_label("Email").fill("nobody@example.com")
    desk.page.get_by_label("Password").fill("wrong")
    desk.page.get_by_role("button", name="Log in").click()
    expect(desk.page.get_by_text("Please enter the correct email and password")).to_be_visible()
    assert_fine(desk.page, "login refused")


def test_lists_are_fine_and_their_filters_are_menus(page: Page, filled: Home) -> None:
    page.goto("/admin/")
    assert_fine(page, "index")
    lists = page.get_by_role("rowheader").get_by_role("link").evaluate_all("all => all.map(one => one.href)")
    assert len(lists) >= 14
    for path in (
        "organizations/user",
        "organizations/auditevent",
        "providerkeys/providerkey",
        "providerkeys/checkresult",
    ):
        assert any(path in one for one in lists)
        page.goto(f"/admin/{path}/")
        assert_fine(page, path)
        assert_nothing_is_aside(page, path)
    page.goto("/admin/providerkeys/providerkey/")
    page.locator("summary").last.click()
    assert_fine(page, "an open menu")
    page.locator("summary", has_text="Provider").click()
    page.get_by_role("link", name="OpenAI", exact=True).click()
    expect(page.locator("summary", has_text="Provider: OpenAI")).to_be_visible()
    expect(page.get_by_role("link", name="Clear all filters")).to_be_visible()
    assert_fine(page, "filtered")


def test_an_objects_page_its_history_and_its_questions(page: Page, filled: Home) -> None:
    open_first(page, f"{ADMIN}/organization/", filled.name, filled)
    assert_fine(page, "organization")
    # Enter in a field saves; it presses no action.
    page.get_by_label("Name:").press("Enter")
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    open_first(page, f"{ADMIN}/organization/", filled.name, filled)
    page.get_by_role("button", name="Suspend").click()
    expect(page.get_by_role("heading", name="Suspend this organization?")).to_be_visible()
    assert_fine(page, "question")
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.get_by_text(f"Suspended: {filled.name}.")).to_be_visible()
    assert_fine(page, "done")
    expect(page.get_by_role("button", name="Suspend")).to_have_count(0)
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text(f"Resumed: {filled.name}.")).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("organization.resumed")).to_be_visible()
    assert_fine(page, "history")
    open_first(page, f"{ADMIN}/apikey/", "staging", filled)
    assert_fine(page, "API key")
    page.get_by_role("button", name="Delete").click()
    assert_fine(page, "deletion")
    open_first(page, "/admin/providerkeys/providerkey/", "Production Key", filled)
    assert_fine(page, "provider key")


def test_forms_of_people_and_memberships(page: Page, filled: Home) -> None:
    open_first(page, f"{ADMIN}/user/", filled.dana.email, filled)
    assert_fine(page, "user")
    for path in ("user", "membership", "organization"):
        page.goto(f"{ADMIN}/{path}/add/")
        assert_fine(page, f"new {path}")
    page.get_by_role("button", name="Add another Membership").click()
    expect(page.get_by_role("combobox", name="User")).to_be_visible()
    assert_fine(page, "a row more")


def test_a_member_is_added_by_a_name_that_is_suggested(page: Page, filled: Home, homes: Iterator[Home]) -> None:
    other = next(homes)
    open_first(page, f"{ADMIN}/organization/", filled.name, filled)
    add = page.get_by_role("button", name="Add another Membership")
    add.click()
    add.click()
    page.get_by_role("button", name="Remove").first.click()
    expect(add).to_be_focused()
    person = page.get_by_role("combobox", name="User")
    person.press_sequentially(other.alice.email[:-3])
    expect(page.locator(f'datalist option[value="{other.alice.email}"]')).to_have_count(1)
    person.fill(other.alice.email)
    page.get_by_role("combobox", name="Role").last.select_option("Member")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    open_first(page, f"{ADMIN}/organization/", filled.name, filled)
    expect(page.get_by_role("link", name=other.alice.email)).to_be_visible()
