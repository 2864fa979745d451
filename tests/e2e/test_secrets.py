"""A pasted secret in the browser: in its field, in the body of a POST, and nowhere else; gone when its page is left."""

import json
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.console import Console
from tests.e2e.homes import Home
from tests.e2e.visitor import Visitor
from tests.product import Product
from tests.trust.canary import Canary, Search
from tests.watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("product")]

# All that a page keeps outside of its fields' current values, as one text.
_KEPT: Final = """async () => {
  const found = {
    document: document.documentElement.outerHTML,
    address: [location.href, document.referrer, document.title, window.name, JSON.stringify(history.state)],
    cookie: document.cookie,
    local: JSON.stringify({...localStorage}),
    session: JSON.stringify({...sessionStorage}),
    asked: performance.getEntries().map((entry) => entry.name),
    caches: [],
    databases: [],
  };
  for (const name of await caches?.keys() ?? []) {
    found.caches.push(name, ...(await (await caches.open(name)).keys()).map((request) => request.url));
  }
  for (const {name} of await indexedDB.databases()) {
    const database = await new Promise((opened, failed) => {
      const asked = indexedDB.open(name);
      asked.onsuccess = () => opened(asked.result);
      asked.onerror = failed;
    });
    for (const store of database.objectStoreNames) {
      const rows = database.transaction(store).objectStore(store).getAll();
      await new Promise((done) => { rows.onsuccess = done; });
      found.databases.push(name, store, JSON.stringify(rows.result));
    }
    database.close();
  }
  return JSON.stringify(found);
}"""
_FIELDS: Final = "[...document.querySelectorAll('input, textarea')].map((field) => field.value)"
# How a careless page could leave a secret in each of these places.
_PLANTS: Final = {
    "document": "secret => document.querySelector('.secret-input').setAttribute('value', secret)",
    "local": "secret => localStorage.setItem('planted', secret)",
    "session": "secret => sessionStorage.setItem('planted', btoa(secret))",
    "address": "secret => history.replaceState({ secret }, '')",
    "all addresses": "secret => fetch(`/healthz?planted=${secret}`).then((answer) => answer.text())",
    "databases": """secret => new Promise((done) => {
      const asked = indexedDB.open("planted");
      asked.onupgradeneeded = () => asked.result.createObjectStore("all", { autoIncrement: true });
      asked.onsuccess = () => {
        const row = asked.result.transaction("all", "readwrite").objectStore("all").add({ secret });
        row.onsuccess = () => { asked.result.close(); done(); };
      };
    })""",
}


class Trail:
    """Looks for one secret in everything that a browser shows and keeps."""

    def __init__(self, secret: Canary, page: Page, watch: Watch) -> None:
        self.secret = secret.value
        self._search, self._page, self._watch = Search([secret]), page, watch

    def found(self) -> set[str]:
        """The places and encodings in which a part of the secret is, fields' current values aside."""
        kept = json.loads(self._page.evaluate(_KEPT)) | {"all addresses": self._watch.addresses}
        hits = [hit for place, held in kept.items() for hit in self._search.hits(place, json.dumps(held).encode())]
        return {f"{hit.place}: {hit.encoding}" for hit in hits}

    def in_fields(self) -> bool:
        """Whether a field holds it."""
        return self.secret in self._page.evaluate(_FIELDS)


@pytest.fixture
def trail(console: Console, watch: Watch) -> Trail:
    return Trail(Canary.provider_key("pasted", "openai", "good"), console.page, watch)


def test_a_pasted_secret_is_in_its_field_and_in_no_other_place(
    console: Console, home: Home, trail: Trail, watch: Watch
) -> None:
    watch.expect(422)
    page = console.page

    def step(what: str, *, typed: bool) -> None:
        assert (what, trail.found(), trail.in_fields()) == (what, set(), typed)

    console.open_list()
    console.open_dialog_of_new()
    console.choose("openai")
    console.api_key.fill(trail.secret)
    step("typed", typed=True)
    console.press()
    console.see_verdict("valid")
    step("tested", typed=True)
    page.keyboard.press("Escape")
    step("about to be lost", typed=True)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    step("closed", typed=False)

    console.open_page_of_new("openai")
    console.api_key.fill(trail.secret)
    console.whole_organization.check()
    console.save_button.click()
    expect(console.name).to_be_focused()
    step("stopped in the page", typed=True)
    console.name.fill("What only the server \u200brefuses")
    console.save_button.click()
    expect(page.get_by_role("alert")).to_be_focused()
    step("refused", typed=False)
    console.api_key.fill(trail.secret)
    page.get_by_role("link", name="API Keys", exact=True).click()
    page.wait_for_url(f"**{home.api_keys}")
    step("left", typed=False)
    page.go_back()
    expect(console.api_key).to_have_value("")
    step("back", typed=False)
    page.go_forward()
    page.go_back()
    expect(console.name).to_be_visible()
    step("forward and back", typed=False)
    console.api_key.fill(trail.secret)
    page.reload()
    expect(console.api_key).to_have_value("")
    step("reloaded", typed=False)

    console.name.fill("Kept")
    console.api_key.fill(trail.secret)
    console.whole_organization.check()
    console.save()
    step("saved", typed=False)
    console.open_edit("Kept")
    expect(console.api_key).to_have_value("")
    step("edited", typed=False)


def test_the_trail_finds_what_a_careless_page_would_leave(console: Console, trail: Trail) -> None:
    console.open_page_of_new("openai")
    places: set[str] = set()
    assert trail.found() == places
    for place, plant in _PLANTS.items():
        console.page.evaluate(plant, trail.secret)
        # The page's own list of what it asked for tells addresses too.
        places |= {place, "asked"} if place == "all addresses" else {place}
        assert {hit.partition(":")[0] for hit in trail.found()} == places


def test_another_provider_keeps_name_and_assignment_and_takes_the_secret_away(
    console: Console, product: Product, home: Home, trail: Trail
) -> None:
    Visitor.alice(product, home).make_api_key("staging")
    console.open_list()
    console.open_dialog_of_new()
    console.choose("openai")
    console.name.fill("Mine")
    console.api_key.fill(trail.secret)
    console.api_key_box("staging").check()
    with console.page.expect_response(f"**{home.keys}new/?**"):
        console.provider.select_option(label="Anthropic")
    expect(console.api_key).to_have_value("")
    expect(
        console.page.get_by_text(
            "What you typed under the other provider was emptied: paste it again if it belongs here."
        )
    ).to_be_visible()
    expect(console.name).to_have_value("Mine")
    expect(console.api_key_box("staging")).to_be_checked()
    assert (trail.found(), trail.in_fields()) == (set(), False)
