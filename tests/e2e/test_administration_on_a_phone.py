"""The staff's lists on a phone: rows begin high, filters and order are a drawer each, and what is chosen is at hand."""

from collections.abc import Callable, Iterator
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.accessibility import faults
from tests.e2e.conftest import Visit
from tests.e2e.homes import Home, Person
from tests.e2e.test_weight import SHIFTS, first_load
from tests.product import Product

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
FINGER: Final = 40


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def page(request: pytest.FixtureRequest, visit: Visit, sam: Person) -> Page:
    """Sam's phone, which may run no scripts."""
    return visit(sam, viewport=PHONE, java_script_enabled=request.param).page


@pytest.fixture
def phone(visit: Visit, sam: Person) -> Page:
    return visit(sam, viewport=PHONE).page


def opener(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name)


def top_of_rows(page: Page) -> float:
    box = page.locator("#result_list tbody tr").first.bounding_box()
    assert box
    return box["y"]


def assert_rows_begin_high(page: Page, path: str) -> None:
    """Above the middle of a phone, head and search and all."""
    assert top_of_rows(page) <= PHONE["height"] / 2, path


def cut_options(page: Page) -> list[str]:
    """Of the menu of actions, what it would show only a part of once it is chosen."""
    found: list[str] = page.locator(".actions select").evaluate(
        """select => {
          const width = select.getBoundingClientRect().width;
          const alone = select.parentNode.appendChild(select.cloneNode());
          Object.assign(alone.style, {position: "absolute", inlineSize: "max-content"});
          const cut = [...select.options].filter((one) => {
            alone.replaceChildren(one.cloneNode(true));
            return alone.getBoundingClientRect().width > width;
          });
          alone.remove();
          return cut.map((one) => one.label);
        }"""
    )
    return found


def small_targets(page: Page) -> list[str]:
    """What is to be pressed with a finger, and smaller than one."""
    found: list[str] = page.locator(
        ".opener, #searchbar, #toolbar [type=submit], .tick, thead label, .actions select, .actions button"
    ).evaluate_all(
        """(all, least) => all.filter((one) => one.checkVisibility()).filter((one) => {
          const {width, height} = one.getBoundingClientRect();
          return Math.min(width, height) < least;
        }).map((one) => one.outerHTML)""",
        FINGER,
    )
    return found


def assert_all_is_in_reach(page: Page, path: str) -> None:
    assert (path, cut_options(page), small_targets(page)) == (path, [], [])


def test_rows_begin_high_and_everything_fits_a_finger(phone: Page, filled: Home) -> None:
    for path in LISTS:
        phone.goto(path)
        assert_rows_begin_high(phone, path)
        assert phone.locator(".tick").count() > 0
        phone.locator(".action-select").first.check()
        assert_all_is_in_reach(phone, path)


def test_what_is_low_small_or_cut_is_seen(phone: Page, filled: Home) -> None:
    def all_filters_above_the_rows() -> None:
        for name, value in (("display", "block"), ("position", "static")):
            phone.locator("#changelist-filter").evaluate(
                "(it, [name, value]) => { it.style[name] = value }", [name, value]
            )

    def a_small_box() -> None:
        phone.evaluate("document.querySelector('.tick').style.blockSize = '20px'")

    def a_long_action() -> None:
        phone.evaluate(
            "document.querySelector('.actions select').append(new Option('Something that is long '.repeat(3)))"
        )

    rules: list[tuple[Callable[[], None], Callable[[Page, str], None]]] = [
        (all_filters_above_the_rows, assert_rows_begin_high),
        (a_small_box, assert_all_is_in_reach),
        (a_long_action, assert_all_is_in_reach),
    ]
    for plant, rule in rules:
        phone.goto(USERS)
        phone.locator(".action-select").first.check()
        rule(phone, USERS)
        plant()
        with pytest.raises(AssertionError):
            rule(phone, USERS)


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


def test_actions_are_at_hand_once_a_row_is_chosen(page: Page, filled: Home) -> None:
    page.goto(f"{API_KEYS}?q={filled.slug}")
    bar = page.locator(".actions")
    expect(bar).to_be_hidden()
    expect(page.get_by_text("Select all", exact=True)).to_be_visible()
    page.locator(".tick").first.click()
    expect(page.get_by_role("checkbox", name="Select this object for an action - staging")).to_be_checked()
    expect(bar).to_be_in_viewport(ratio=1)
    page.get_by_role("combobox", name="Action:").select_option("Disable: the gateway refuses them")
    bar.get_by_role("button", name="Run").click()
    expect(page.get_by_role("heading", name="Disable these API keys?")).to_be_visible()


def test_the_bar_stays_at_the_edge_of_a_long_list(phone: Page, filled: Home, product: Product) -> None:
    code = f"from tests.e2e import homes; homes.furnish({filled.slug!r}, provider_keys=1, api_keys=55)"
    product.manage("shell", "--no-imports", "-c", code)
    phone.goto(f"{API_KEYS}?q={filled.slug}")
    bar, name = phone.locator(".actions"), phone.locator("#result_list tbody th")
    phone.get_by_text("Select all", exact=True).click()
    expect(bar.get_by_text("50 of 50 selected")).to_be_in_viewport(ratio=1)
    expect(bar.get_by_role("button", name="Select all 56 API keys")).to_be_visible()
    assert list(faults(phone)) == []
    phone.set_viewport_size(PHONE)
    name.nth(25).scroll_into_view_if_needed()
    expect(bar).to_be_in_viewport(ratio=1)
    phone.locator(".paginator").scroll_into_view_if_needed()
    expect(bar).to_be_in_viewport(ratio=1)
    expect(phone.locator(".paginator")).to_be_in_viewport(ratio=1)
    # What the keyboard comes to isn't behind it.
    phone.locator(".action-select").nth(20).focus()
    for _ in range(20):
        phone.keyboard.press("Tab")
        box, edge = phone.locator(":focus").bounding_box(), bar.bounding_box()
        assert box
        assert edge
        assert box["y"] + box["height"] <= edge["y"]
    phone.get_by_text("Select all", exact=True).click()
    expect(bar).to_be_hidden()


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


# Whatever is wider than its place: it would have to be scrolled sideways.
WIDE: Final = """[...document.querySelectorAll('.results, .results table, .tabular .wrapper, .tabular table, .tabular tbody')]
.filter((one) => one.scrollWidth > one.clientWidth).length"""


def with_regions(product: Product, home: Home) -> str:
    """Make a key of AWS Bedrock with three regions; the address of its page."""
    code = (
        "from organizations.access import access_for; from organizations.models import User; "
        "from tests.providerkeys import regions; "
        f"print(regions.stored(access_for(User.objects.get(email='alice@{home.slug}.example'), {home.slug!r})).pk)"
    )
    pk = product.manage("shell", "--no-imports", "-c", code).splitlines()[-1].replace("_", "_5F")
    return f"{PROVIDER_KEYS}{pk}/change/"


def test_rows_of_an_objects_page_are_read_without_scrolling_sideways(
    phone: Page, filled: Home, product: Product
) -> None:
    phone.goto(with_regions(product, filled))
    rows = phone.locator(".tabular tbody tr:visible")
    expect(rows).to_have_count(3)
    for row in rows.all():
        assert row.locator("td:visible").evaluate_all("all => all.map((one) => one.dataset.label)") == [
            *("Position", "Region", "Hint", "Verdict", "Verdict at", "Last check at", "Unreadable at")
        ]
    assert phone.evaluate(WIDE) == 0
    assert list(faults(phone)) == []
    phone.set_viewport_size(PHONE)
    phone.locator(".tabular table").evaluate("one => { one.style.minInlineSize = '500px' }")
    assert phone.evaluate(WIDE) > 0


def test_members_are_changed_and_added_on_a_phone(phone: Page, filled: Home) -> None:
    phone.goto(f"/admin/organizations/organization/?q={filled.slug}")
    phone.locator("#result_list tbody th a").first.click()
    rows = phone.locator(".tabular tbody tr.form-row:visible")
    expect(rows.first).to_be_visible()
    members = rows.count()
    phone.get_by_role("button", name="Add another Membership").click()
    expect(rows).to_have_count(members + 1)
    labels = rows.last.locator("td[data-label]:visible").evaluate_all("all => all.map((one) => one.dataset.label)")
    assert labels[:2] == ["User", "Role"]
    expect(rows.last.get_by_role("combobox", name="Role")).to_be_visible()
    assert phone.evaluate(WIDE) == 0


def test_a_small_desktop_has_room_for_every_column(phone: Page, filled: Home, product: Product) -> None:
    phone.set_viewport_size(DESKTOP)
    page_of_key = with_regions(product, filled)
    phone.goto("/admin/")
    lists = phone.locator("#content-main th a").evaluate_all("all => all.map((one) => one.pathname)")
    assert set(LISTS) < set(lists)
    wide = []
    for path in (*lists, page_of_key):
        phone.goto(path)
        wide += [path] * phone.evaluate(WIDE)
    assert wide == []


def test_where_there_is_room_neither_buttons_nor_drawers_are_seen(phone: Page, filled: Home) -> None:
    phone.set_viewport_size(DESKTOP)
    phone.goto(f"{USERS}?q={filled.slug}")
    for hidden in (".opener", "#changelist-sort", ".drawer__close", ".on-a-phone"):
        for one in phone.locator(hidden).all():
            expect(one).to_be_hidden()
    for seen in ("#changelist-filter", ".filter summary", ".actions select", "thead th .text a"):
        expect(phone.locator(seen).first).to_be_visible()
    expect(phone.get_by_role("columnheader", name="Email")).to_have_attribute("aria-sort", "ascending")
    expect(phone.get_by_role("columnheader", name="Name", exact=True)).not_to_have_attribute("aria-sort", "ascending")


def assert_still(page: Page) -> None:
    page.add_init_script(SHIFTS)
    paths = (*LISTS, "/admin/", f"{USERS}add/", f"{USERS}?q=nobody")
    moved = {path: first_load(page, path)[1] for path in paths}
    assert moved == {path: [] for path in paths}


def test_pages_hold_still_while_they_arrive(phone: Page, filled: Home) -> None:
    assert_still(phone)


@pytest.mark.parametrize("sidebar", [True, False], ids=["sidebar-open", "sidebar-closed"])
def test_pages_hold_still_beside_the_sidebar(phone: Page, filled: Home, *, sidebar: bool) -> None:
    phone.set_viewport_size(DESKTOP)
    phone.goto(USERS)
    if not sidebar:
        phone.get_by_role("button", name="Toggle navigation").click()
    assert_still(phone)
    expect(phone.get_by_role("searchbox", name="Filter navigation items")).to_be_visible(visible=sidebar)
