"""What a page weighs when somebody comes for the first time, and that nothing on it moves while it arrives."""

import json

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import Visit
from tests.e2e.homes import Home, Person
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


def first_load(page: Page, path: str, slower: int = 8) -> tuple[int, list[object]]:
    """Bytes over the wire, heads included, with nothing in any cache; and what moved, on a machine that is so much slower."""
    wire = page.context.new_cdp_session(page)
    wire.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    wire.send("Network.enable")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    lengths: list[int] = []
    wire.on("Network.loadingFinished", lambda said: lengths.append(int(said["encodedDataLength"])))
    page.goto(path, wait_until="networkidle")
    shifts: list[object] = page.evaluate("shifts")
    wire.detach()
    return sum(lengths), shifts


def pages(product: Product, home: Home) -> list[str]:
    """Every page of a home with lists as long as a page shows."""
    code = f"from tests.e2e import homes; homes.furnish({home.slug!r}, provider_keys=50, api_keys=50)"
    one = json.loads(product.manage("shell", "--no-imports", "-c", code).splitlines()[-1])
    return [
        *(
            home.keys,
            f"{home.keys}new/",
            f"{home.keys}new/?provider=bedrock&rows=3",
            f"{home.keys}{one['provider_key']}/",
        ),
        *(home.api_keys, f"{home.api_keys}new/", f"{home.api_keys}{one['api_key']}/"),
        *(f"{home.api_keys}{one['api_key']}/edit/", f"{home.keys}{one['provider_key']}/delete/"),
    ]


def test_every_page_is_light_and_holds_still(product: Product, home: Home, visit: Visit) -> None:
    everyones = ["/login/", "/password-reset/"]
    for who, paths in ((None, everyones), (home.alice, pages(product, home))):
        for window in WINDOWS:
            desk = visit(who, viewport=window)
            desk.context.add_init_script(SHIFTS)
            found = {path: first_load(desk.page, path) for path in paths}
            assert {path: weight for path, (weight, _) in found.items() if not 1000 < weight <= MOST_BYTES} == {}
            assert {path: shifts for path, (_, shifts) in found.items() if shifts} == {}


def staffs(product: Product, home: Home) -> list[str]:
    """Every page of the administration that it doesn't refuse, with lists as long as a page shows."""
    pages(product, home)
    code = "from tests.e2e import homes; homes.staff_pages()"
    found: list[str] = json.loads(product.manage("shell", "--no-imports", "-c", code).splitlines()[-1])
    return found


def test_every_page_of_the_administration_is_light(product: Product, filled: Home, visit: Visit, sam: Person) -> None:
    paths = staffs(product, filled)
    assert len(paths) > 40
    desk = visit(sam)
    desk.context.add_init_script(SHIFTS)
    weights = {path: first_load(desk.page, path, slower=1)[0] for path in paths}
    assert {path: weight for path, weight in weights.items() if not 1000 < weight <= MOST_BYTES} == {}


def test_a_heavy_page_is_seen(visit: Visit, sam: Person) -> None:
    page = visit(sam).page
    page.add_init_script(SHIFTS)
    heavy = "fetch('/static/admin/js/vendor/select2/select2.full.js'); fetch('/static/admin/js/vendor/jquery/jquery.min.js')"
    page.add_init_script(heavy)
    assert first_load(page, "/admin/", slower=1)[0] > MOST_BYTES


def test_what_moves_is_seen(home: Home, visit: Visit) -> None:
    page = visit(home.alice).page
    page.add_init_script(SHIFTS)
    page.goto(home.keys)
    page.evaluate("document.querySelector('h1').style.marginTop = '200px'")
    page.wait_for_function("shifts.length > 0")
