"""The same in a real browser, which is looked into after each step: document, fields, stores, caches, cookies."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import BrowserContext, Page, Route, sync_playwright

from tests import chromium
from tests.trust.canary import Canary
from tests.trust.walk.keys import API_KEYS, KEYS
from tests.trust.walk.scene import ALICE, Scene, Snapshot

# What a page's own script can reach, and what the page is.
_LOOK: Final = """async () => {
  const databases = {};
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((done) => (indexedDB.open(name).onsuccess = (event) => done(event.target.result)));
    for (const store of db.objectStoreNames) {
      const all = db.transaction(store).objectStore(store).getAll();
      databases[`${name} ${store}`] = await new Promise((done) => (all.onsuccess = () => done(all.result)));
    }
    db.close();
  }
  const cached = {};
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) cached[request.url] = await (await cache.match(request)).text();
  }
  return {
    address: location.href,
    document: document.documentElement.outerHTML,
    history: history.state,
    localStorage: { ...localStorage },
    sessionStorage: { ...sessionStorage },
    indexedDB: databases,
    "Cache API": cached,
    fields: [...document.querySelectorAll("input, select, textarea")].map((field) => [field.name, field.value]),
  };
}"""
PLACES: Final = (
    "address",
    "document",
    "history",
    "localStorage",
    "sessionStorage",
    "indexedDB",
    "Cache API",
    "fields",
    "cookies",
)
_PLANT: Final = """async (planted) => {
  history.replaceState(planted.history, "", `?${new URLSearchParams({ q: planted.address })}`);
  document.body.dataset.planted = planted.document;
  for (const [index, text] of planted.localStorage.entries()) localStorage.setItem(`planted ${index}`, text);
  sessionStorage.setItem("planted", planted.sessionStorage);
  document.querySelector("input:not([type=hidden])").value = planted.fields;
  document.cookie = `planted=${encodeURIComponent(planted.cookies)}; path=/`;
  await (await caches.open("planted")).put("/planted", new Response(planted["Cache API"]));
  await new Promise((done) => {
    const opening = indexedDB.open("planted");
    opening.onupgradeneeded = () => opening.result.createObjectStore("planted");
    opening.onsuccess = () => {
      const writing = opening.result.transaction("planted", "readwrite");
      writing.objectStore("planted").put(planted.indexedDB, 1);
      writing.oncomplete = () => done(opening.result.close());
    };
  });
}"""


@dataclass(frozen=True)
class Browser:
    """Alice's browser. Each answer that it gets is kept, each step is looked at."""

    scene: Scene
    context: BrowserContext
    page: Page

    @classmethod
    @contextmanager
    def open(cls, scene: Scene) -> Iterator["Browser"]:
        arguments = ["--no-sandbox", "--disable-background-networking"]
        with sync_playwright() as playwright:
            launched = playwright.chromium.launch(executable_path=chromium.find(), args=arguments)
            context = launched.new_context(base_url=scene.product.base_url, reduced_motion="reduce")
            context.set_default_timeout(30_000)
            context.route("**/*", _keeping(scene))
            yield cls(scene, context, context.new_page())
            launched.close()

    def look(self, step: str, *, typed: Canary | None = None, shown: Canary | None = None) -> None:
        """Keep what the browser holds. ``typed`` may stand in a field, ``shown`` in the document too."""
        held = {**self.page.evaluate(_LOOK), "cookies": self.context.cookies()}
        for place in PLACES:
            name = f"browser, {step}: {place}"
            self.scene.snapshots.append(Snapshot(name, json.dumps(held[place], ensure_ascii=False).encode()))
            if typed and place == "fields":
                self.scene.secrets.allow(typed, name)
            if shown and place in {"fields", "document"}:
                self.scene.secrets.allow(shown, name)

    def back(self) -> None:
        self.page.go_back(wait_until="load")

    def fill_in(self, canary: Canary, provider: str = "openai", name: str = "From a browser") -> None:
        """Fill in the form of a new key, wherever it is open."""
        self.page.get_by_label("Provider", exact=True).select_option(provider)
        self.page.get_by_label("API Key", exact=True).fill(canary.value)
        self.page.get_by_label("Name", exact=True).fill(name)
        self.page.get_by_label("Assign to entire organization").check()


def _keeping(scene: Scene) -> Callable[[Route], None]:
    def handle(route: Route) -> None:
        request = route.request
        if "/static/" in request.url:
            return route.continue_()
        answer = route.fetch(max_redirects=0)
        headers = [(one["name"], one["value"]) for one in answer.headers_array]
        path = request.url.removeprefix(scene.product.base_url)
        scene.record.keep(f"browser, {request.method} {path}", answer.status, headers, answer.body())
        return route.fulfill(response=answer)

    return handle


def walk(scene: Scene, planted: dict[str, str | list[str]]) -> None:
    """Log in, test, save, edit, leave and come back; make an API key; log out."""
    with Browser.open(scene) as browser:
        _log_in(browser)
        _save(browser)
        _edit(browser)
        _leave_and_come_back(browser)
        _make_api_key(browser)
        _log_out(browser)
        _plant(browser, planted)


def _log_in(browser: Browser) -> None:
    page, secrets = browser.page, browser.scene.secrets
    page.goto("/login/")
    browser.look("login")
    for password, step in (
        (secrets.password("a slip in a browser"), "wrong password"),
        (browser.scene.passwords[ALICE], "logged in"),
    ):
        page.get_by_label("Email").fill(ALICE)
        page.get_by_label("Password").fill(password.value)
        page.get_by_role("button", name="Log in").click()
        page.get_by_text("Email or password is wrong.").or_(page.get_by_role("heading", name="BYOK")).wait_for()
        browser.look(step)


def _save(browser: Browser) -> None:
    page, key = browser.page, browser.scene.secrets.key("openai", "good", "saved in a browser")
    page.get_by_role("link", name="Create a new Provider Key").first.click()
    browser.fill_in(key)
    browser.look("typed into the dialog", typed=key)
    page.get_by_role("button", name="Test credentials").click()
    page.locator("#test-result [data-state=done]").wait_for()
    browser.look("tested", typed=key)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("From a browser was created.").wait_for()
    browser.look("saved")


def _edit(browser: Browser) -> None:
    page, secrets = browser.page, browser.scene.secrets
    pk = browser.scene.one("SELECT id FROM providerkeys_providerkey WHERE name = 'From a browser'")
    page.goto(f"{KEYS}{pk}/")
    page.get_by_label("API Key", exact=True).fill(secrets.key("openai", "good", "refused in a browser").value)
    page.get_by_label("Name", exact=True).fill("")
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator("[data-error-summary]").wait_for()
    browser.look("edit refused")
    echoed = secrets.key("openai", "echo", "tested over a stored key in a browser")
    page.get_by_label("API Key", exact=True).fill(echoed.value)
    page.get_by_role("button", name="Test credentials").click()
    page.locator("#test-result [data-state=done]").wait_for()
    browser.look("edit tested", typed=echoed)
    page.get_by_label("Name", exact=True).fill("From a browser")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("From a browser was saved.").wait_for()
    browser.look("edit saved")
    browser.back()
    browser.look("back to the edit")


def _leave_and_come_back(browser: Browser) -> None:
    page, key = browser.page, browser.scene.secrets.key("anthropic", "good", "typed and left in a browser")
    page.goto(f"{KEYS}new/?provider=anthropic")
    browser.fill_in(key, "anthropic")
    browser.look("typed into the page", typed=key)
    page.get_by_role("link", name="API Keys", exact=True).first.click()
    page.get_by_role("heading", name="API Keys").wait_for()
    browser.look("left the page")
    browser.back()
    browser.look("back to the page")
    page.go_forward()
    page.go_back()
    page.reload()
    browser.look("the page reloaded")
    page.goto(KEYS)
    page.get_by_role("link", name="Create a new Provider Key").first.click()
    browser.fill_in(key, "anthropic")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    browser.look("dialog closed")


def _make_api_key(browser: Browser) -> None:
    page, scene = browser.page, browser.scene
    page.goto(f"{API_KEYS}new/")
    page.get_by_label("Name", exact=True).fill("From a browser")
    page.get_by_role("button", name="Save", exact=True).click()
    shown = page.get_by_label("API key", exact=True)
    shown.wait_for()
    canary = scene.secrets.add(Canary.api_key("API key made in a browser", shown.input_value()))
    made = next(answer for answer in reversed(scene.record.answers) if "browser, POST" in answer.place)
    scene.secrets.allow(canary, made.place)
    browser.look("API key shown", shown=canary)
    page.reload()
    browser.look("API key reloaded")
    page.goto(API_KEYS)
    browser.back()
    browser.look("back to the API key")


def _log_out(browser: Browser) -> None:
    page = browser.page
    page.goto(KEYS)
    page.locator("form[action='/logout/']").evaluate("form => form.requestSubmit()")
    page.get_by_role("heading", name="Log in").wait_for()
    browser.look("logged out")
    browser.back()
    browser.look("back after the log-out")


def _plant(browser: Browser, planted: dict[str, str | list[str]]) -> None:
    browser.page.goto("/login/")
    browser.page.evaluate(_PLANT, planted)
    browser.look("planted")
