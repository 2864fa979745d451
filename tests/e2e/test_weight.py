"""What a page weighs when somebody comes for the first time, and that nothing in a form moves while it arrives."""

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import Visit
from tests.e2e.homes import Home
from tests.e2e.visitor import Visitor
from tests.fakeproviders import samples
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("product")]

MOST_BYTES = 60_000
WINDOWS = ({"width": 1280, "height": 900}, {"width": 360, "height": 740})
# The browser's own measure: shares of the window that moved without anybody having asked for it.
SHIFTS = """
globalThis.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    globalThis.shifts.push([entry.value, entry.sources.map(({node}) => node?.outerHTML?.slice(0, 80))]);
  }
}).observe({type: "layout-shift", buffered: true});
"""


def first_load(page: Page, path: str) -> tuple[int, list[object]]:
    """Bytes over the wire, heads included, with nothing in any cache; and what moved."""
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    lengths: list[int] = []
    wire.on("Network.loadingFinished", lambda said: lengths.append(int(said["encodedDataLength"])))
    page.goto(path, wait_until="networkidle")
    shifts: list[object] = page.evaluate("shifts")
    wire.detach()
    return sum(lengths), shifts


def test_every_page_is_light_and_every_form_holds_still(product: Product, home: Home, visit: Visit) -> None:
    visitor = Visitor.alice(product, home)
    for name in ("staging", "production"):
        visitor.make_api_key(name)
    for number in range(50):
        visitor.save(f"Key {number}", samples.fresh_key("openai", "good"))
    paths = ["/login/", home.keys, f"{home.keys}new/?provider=bedrock&rows=3", home.api_keys, f"{home.api_keys}new/"]
    for window in WINDOWS:
        desk = visit(home.alice, viewport=window)
        desk.context.add_init_script(SHIFTS)
        found = {path: first_load(desk.page, path) for path in paths}
        assert {path: weight for path, (weight, _) in found.items() if not 1000 < weight <= MOST_BYTES} == {}
        # A table's columns find their widths as its rows arrive, on a busy machine one after the other: of lists nothing is
        # said. `/login/` leads whoever is logged in to one.
        lists = {"/login/", home.keys, home.api_keys}
        assert {path: shifts for path, (_, shifts) in found.items() if shifts and path not in lists} == {}
    page = visit(home.alice).page
    page.add_init_script(SHIFTS)
    page.goto(home.keys)
    page.evaluate("document.querySelector('h1').style.marginTop = '200px'")
    page.wait_for_function("shifts.length > 0")
