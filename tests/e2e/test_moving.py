"""A provider key is moved in a list that is longer than its window."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.console import Console
from tests.e2e.homes import Home
from tests.e2e.visitor import Visitor
from tests.fakeproviders import samples
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("product")]

NAMES = [f"Account {letter}" for letter in "ABCDEFGHIJKL"]


@pytest.mark.parametrize(("width", "window"), [(360, 740), (1280, 740)], ids=["phone", "desktop"])
def test_a_moved_key_stays_before_the_eyes_of_who_moved_it(
    product: Product, home: Home, visit: Visit, width: int, window: int
) -> None:
    visitor = Visitor.alice(product, home)
    for name in NAMES:
        visitor.save(name, samples.fresh_key("openai", "good"))
    page = visit(home.alice, viewport={"width": width, "height": window}).page
    console = Console(page, home)
    # The first time it tells of all that was saved, over the row's menu.
    console.open_list()
    console.open_list()
    messages = page.get_by_role("status", name="Messages")
    expect(messages.locator("[data-toast]")).to_have_count(0)
    expect(console.table.get_by_text("Testing", exact=True)).to_have_count(0)
    row = console.row("Account E")
    row.evaluate("row => row.scrollIntoView({block: 'center'})")
    before, height = page.evaluate("scrollY"), row.evaluate("row => row.offsetHeight")
    # There is more page below, to which it could be thrown; and its menu has room without a scroll of its own.
    assert before + window + height < page.evaluate("document.documentElement.scrollHeight")
    for direction, places in (("up", "ABCEDFGHIJKL"), ("down", "ABCDEFGHIJKL"), ("down", "ABCDFEGHIJKL")):
        console.act("Account E", f"Move {direction}")
        expect(console.table.locator(".table__name")).to_have_text([f"Account {letter}" for letter in places])
        said = messages.get_by_text(f"Account E moved {direction}: ")
        expect(said).to_be_in_viewport(ratio=1)
        expect(messages.locator("[data-toast]")).to_have_count(1)
        expect(row).to_be_in_viewport(ratio=1)
        assert abs(page.evaluate("scrollY") - before) <= 2 * height
        expect(page.get_by_role("button", name="Actions for Account E", exact=True)).to_be_focused()
