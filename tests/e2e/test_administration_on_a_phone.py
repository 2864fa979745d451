"""The staff's lists on a phone: filters and order are a drawer each."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.accessibility import faults
from tests.e2e.conftest import Visit
from tests.e2e.homes import Home, Person
from tests.e2e.test_weight import SHIFTS, first_load

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("product")]

PHONE: Final = ViewportSize(width=360, height=740)
DESKTOP: Final = ViewportSize(width=1280, height=900)
USERS, API_KEYS, PROVIDER_KEYS = (
    "/admin/organizations/user/",
    "/admin/organizations/apikey/",
    "/admin/providerkeys/providerkey/",
)
LISTS: Final = (
    USERS,
    API_KEYS,
    PROVIDER_KEYS,
    "/admin/organizations/organization/",
    "/admin/organizations/membership/",
)


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def page(request: pytest.FixtureRequest, visit: Visit, sam: Person) -> Page:
    """Sam's phone, which may run no scripts."""
    return visit(sam, viewport=PHONE, java_script_enabled=request.param).page


@pytest.fixture
def phone(visit: Visit, sam: Person) -> Page:
    return visit(sam, viewport=PHONE).page


def opener(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name)


def test_filters_are_one_drawer_and_its_button_says_what_is_set(page: Page, filled: Home) -> None:
    page.goto(f"{PROVIDER_KEYS}?q={filled.slug}")
    drawer = page.get_by_role("search", name="Filters")
    expect(drawer).to_be_hidden()
    expect(page.locator(".filter").first).to_be_hidden()
    button = opener(page, "Filters")
    expect(button).to_have_accessible_name("Filters")
    button.click()
    expect(drawer).to_be_visible()
    drawer.get_by_role("button", name="Close").click()
    expect(drawer).to_be_hidden()
    button.click()
    drawer.locator("summary", has_text="Provider").click()
    drawer.get_by_role("link", name="OpenAI", exact=True).click()
    expect(opener(page, "Filters")).to_have_accessible_name("Filters: Provider: OpenAI")
    expect(page.get_by_role("link", name="Production Key")).to_be_visible()
    opener(page, "Filters").click()
    drawer.get_by_role("link", name="Clear all filters").click()
    expect(opener(page, "Filters")).to_have_accessible_name("Filters")


def orders(page: Page) -> Iterator[tuple[str, str | None]]:
    for link in page.locator("#changelist-sort li a").all():
        yield " ".join((link.text_content() or "").split()), link.get_attribute("aria-current")


def test_rows_are_sorted_by_a_menu_that_says_how(page: Page, filled: Home) -> None:
    page.goto(f"{USERS}?q=@{filled.slug}.example")
    first = page.locator("#result_list tbody th").first
    drawer = page.get_by_role("navigation", name="Sort by")
    expect(drawer).to_be_hidden()
    expect(opener(page, "Sort by")).to_have_accessible_name("Sort by: Email ascending")
    assert [one for one in orders(page) if one[1]] == [("Email ↑ascending", "true")]
    expect(first).to_have_text(filled.alice.email)
    opener(page, "Sort by").click()
    drawer.get_by_role("link", name="Email ascending").click()
    expect(opener(page, "Sort by")).to_have_accessible_name("Sort by: Email descending")
    expect(first).to_have_text(filled.dana.email)
    opener(page, "Sort by").click()
    drawer.get_by_role("link", name="Created at").click()
    expect(opener(page, "Sort by")).to_have_accessible_name("Sort by: Created at ascending")
    assert [one for one in orders(page) if one[1]] == [("Created at ↑ascending", "true")]
    assert "Organizations" not in dict(orders(page)), "nothing sorts by that"
    opener(page, "Sort by").click()
    drawer.get_by_role("link", name="As usual").click()
    expect(opener(page, "Sort by")).to_have_accessible_name("Sort by: Email ascending")
    assert "As usual" not in dict(orders(page))
    # What was searched for is kept all the while.
    expect(page.locator("#result_list tbody tr")).to_have_count(3)


def test_open_drawers_are_fine(phone: Page, filled: Home) -> None:
    phone.goto(f"{PROVIDER_KEYS}?provider=openai")
    for name in ("Filters", "Sort by"):
        opener(phone, name).click()
        assert (name, list(faults(phone))) == (name, [])
        phone.set_viewport_size(PHONE)
        phone.reload()
        opener(phone, name).press("Enter")
        phone.keyboard.press("Tab")
        expect(phone.locator(":popover-open :focus")).to_have_count(1)
        phone.keyboard.press("Escape")
        expect(phone.locator(":popover-open")).to_have_count(0)
        expect(opener(phone, name)).to_be_focused()


def test_where_there_is_room_neither_buttons_nor_drawers_are_seen(phone: Page, filled: Home) -> None:
    phone.set_viewport_size(DESKTOP)
    phone.goto(f"{USERS}?q={filled.slug}")
    for hidden in (".opener", "#changelist-sort", ".drawer__close"):
        for one in phone.locator(hidden).all():
            expect(one).to_be_hidden()
    for seen in ("#changelist-filter", ".filter summary", ".actions select", "thead th .text a"):
        expect(phone.locator(seen).first).to_be_visible()
    expect(phone.get_by_role("columnheader", name="Email")).to_have_attribute("aria-sort", "ascending")
    expect(phone.get_by_role("columnheader", name="Name", exact=True)).not_to_have_attribute("aria-sort", "ascending")


def test_lists_hold_still_while_they_arrive(phone: Page, filled: Home) -> None:
    phone.add_init_script(SHIFTS)
    moved = {path: first_load(phone, path)[1] for path in LISTS}
    assert moved == {path: [] for path in LISTS}
