"""The same in a real browser, which is looked into after each step: document, fields, stores, caches, cookies."""

import json
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests import chromium
from tests.fakeproviders.access_keys import halves
from tests.trust.canary import Canary
from tests.trust.walk.keys import API_KEYS, KEYS
from tests.trust.walk.kinds import REGIONAL, REGIONS, fresh, ids, may_show_ids
from tests.trust.walk.scene import ALICE, Scene, Snapshot, Typed
from tests.trust.walk.visitor import Answer

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
# The page stops a save without a name; this one only the server refuses.
REFUSED_NAME: Final = "A name \u200bto refuse"
_NO_BODY: Final = {"body": "", "base64Encoded": False}
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
        arguments = [*chromium.ARGUMENTS, *chromium.FRUGAL]
        with sync_playwright() as playwright:
            launched = playwright.chromium.launch(executable_path=chromium.find(), args=arguments)
            context = launched.new_context(base_url=scene.product.base_url, reduced_motion="reduce")
            context.set_default_timeout(30_000)
            page = context.new_page()
            _keep_answers(scene, page)
            yield cls(scene, context, page)
            launched.close()

    def look(self, step: str, *, typed: Iterable[Canary] = (), shown: Iterable[Canary] = ()) -> None:
        """Keep what the browser holds. ``typed`` may stand in fields, ``shown`` in the document too."""
        held = {**self.page.evaluate(_LOOK), "cookies": self.context.cookies()}
        for place in PLACES:
            name = f"browser, {step}: {place}"
            self.scene.snapshots.append(Snapshot(name, json.dumps(held[place], ensure_ascii=False).encode()))
            for canary in (*typed, *shown) if place == "fields" else shown if place == "document" else ():
                self.scene.secrets.allow(canary, name)

    def back(self) -> None:
        self.page.go_back(wait_until="load")

    def open_dialog(self) -> None:
        """Open the form of a new key over the list."""
        self.page.get_by_role("link", name="Create a new Provider Key").first.click()
        self.page.get_by_role("dialog", name="Add Provider Key").wait_for()

    def fill_in(self, canary: Canary, provider: str = "openai", name: str = "From a browser") -> None:
        """Fill in the form of a new key, wherever it is open."""
        self.page.get_by_label("Provider", exact=True).select_option(provider)
        self.page.get_by_label("API Key", exact=True).fill(canary.value)
        self.page.get_by_label("Name", exact=True).fill(name)
        self.page.get_by_label("Assign to entire organization").check()


def _keep_answers(scene: Scene, page: Page) -> None:
    """Hold each answer that is no file until it is kept, and let it pass unchanged.

    By the browser's own protocol: a route of Playwright's would have every page fetch all its files anew.
    """
    protocol = page.context.new_cdp_session(page)

    def keep(paused: dict[str, Any]) -> None:
        request, held = paused["request"], {"requestId": paused["requestId"]}
        if status := paused.get("responseStatusCode"):
            has_body = not HTTPStatus(status).is_redirection and status != HTTPStatus.NO_CONTENT
            body: dict[str, Any] = protocol.send("Fetch.getResponseBody", held) if has_body else _NO_BODY
            headers = [(one["name"], one["value"]) for one in paused["responseHeaders"]]
            path = request["url"].removeprefix(scene.product.base_url)
            text: str = body["body"]
            data = b64decode(text) if body["base64Encoded"] else text.encode()
            scene.record.keep(f"browser, {request['method']} {path}", status, headers, data)
        protocol.send("Fetch.continueRequest", held)

    def keep_cookies(told: dict[str, Any]) -> None:
        # The headers as they came: what sets a cookie is not in those above.
        scene.record.keep(
            f"browser, headers {told['requestId']}", told["statusCode"], list(told["headers"].items()), b""
        )

    protocol.on("Fetch.requestPaused", keep)
    protocol.on("Network.responseReceivedExtraInfo", keep_cookies)
    protocol.send("Network.enable")
    kinds = [{"requestStage": "Response", "resourceType": kind} for kind in ("Document", "XHR", "Fetch")]
    protocol.send("Fetch.enable", {"patterns": kinds})


def walk(scene: Scene, account: Typed, planted: dict[str, str | list[str]]) -> None:
    """Log in, test, save, edit, leave and come back; save credentials of other kinds; make an API key; log out."""
    with Browser.open(scene) as browser:
        _log_in(browser)
        _save(browser)
        _edit(browser)
        _leave_and_come_back(browser)
        _save_account(browser, account)
        _save_regions(browser)
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
    browser.open_dialog()
    browser.fill_in(key)
    browser.look("typed into the dialog", typed=[key])
    _test(browser, until="")
    browser.look("being tested", typed=[key])
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("From a browser was created.").wait_for()
    browser.look("saved")


def _edit(browser: Browser) -> None:
    page, secrets = browser.page, browser.scene.secrets
    pk = browser.scene.one("SELECT id FROM providerkeys_providerkey WHERE name = 'From a browser'")
    page.goto(f"{KEYS}{pk}/")
    page.get_by_label("API Key", exact=True).fill(secrets.key("openai", "good", "refused in a browser").value)
    page.get_by_label("Name", exact=True).fill(REFUSED_NAME)
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator("[data-error-summary]").wait_for()
    browser.look("edit refused")
    echoed = secrets.key("openai", "echo", "tested over a stored key in a browser")
    page.get_by_label("API Key", exact=True).fill(echoed.value)
    _test(browser)
    browser.look("edit tested", typed=[echoed])
    page.get_by_label("Name", exact=True).fill("From a browser")
    page.get_by_role("button", name="Save", exact=True).click()
    # Where the stored one was found to work by now, it would be given up: that is asked, and a press within a second is the same.
    asked, saved = (
        page.get_by_text("press Save again to replace them all the same"),
        page.get_by_text("From a browser was saved."),
    )
    asked.or_(saved).first.wait_for()
    if asked.is_visible():
        browser.look("asked before the edit is saved", typed=[echoed])
        page.wait_for_function("since => performance.now() - since > 1000", arg=page.evaluate("performance.now()"))
        page.get_by_role("button", name="Save", exact=True).click()
    saved.wait_for()
    browser.look("edit saved")
    browser.back()
    browser.look("back to the edit")


def _leave_and_come_back(browser: Browser) -> None:
    page, key = browser.page, browser.scene.secrets.key("anthropic", "good", "typed and left in a browser")
    page.goto(f"{KEYS}new/?provider=anthropic")
    browser.fill_in(key, "anthropic")
    browser.look("typed into the page", typed=[key])
    page.get_by_role("link", name="API Keys", exact=True).first.click()
    page.get_by_role("heading", name="API Keys", exact=True).wait_for()
    browser.look("left the page")
    browser.back()
    browser.look("back to the page")
    page.go_forward()
    page.go_back()
    page.reload()
    browser.look("the page reloaded")
    page.goto(KEYS)
    browser.open_dialog()
    browser.fill_in(key, "anthropic")
    # The first one says that a secret is typed, the second one discards it.
    page.keyboard.press("Escape")
    page.get_by_text("Close again").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    browser.look("dialog closed")


def _save_account(browser: Browser, account: Typed) -> None:
    """Refused, tested, saved; then back to what was refused."""
    page, fields = browser.page, list(account.fields.values())
    page.goto(f"{KEYS}new/?provider={account.provider}")
    field = page.get_by_label("Service account JSON", exact=True)
    field.fill(account.value)
    browser.look("service account typed", typed=fields)
    _refuse(browser)
    browser.look("service account refused")
    field.fill(account.value)
    _test(browser, until="")
    browser.look("service account being tested", typed=fields)
    _save_as(browser, "Account of a browser")
    browser.look("service account saved")
    browser.back()
    browser.look("back to the service account")


def _save_regions(browser: Browser) -> None:
    """The same with two regions, whose access key ids are shown again."""
    page, typed = browser.page, fresh(browser.scene, REGIONAL, "good", "saved in a browser")
    fields = [canary for one in typed for canary in one.fields.values()]
    page.goto(f"{KEYS}new/?provider={REGIONAL}&rows={len(typed)}")
    rows = [page.get_by_role("group", name=f"Region {number}", exact=True) for number in range(1, len(typed) + 1)]
    for row, region, one in zip(rows, REGIONS, typed, strict=True):
        row.get_by_label("Region", exact=True).select_option(region)
        row.get_by_label("Access Key ID", exact=True).fill(halves(one.value)[0])
        row.get_by_label("Secret Access Key", exact=True).fill(halves(one.value)[1])
    browser.look("regions typed", typed=fields)
    may_show_ids(browser.scene, _refuse(browser), typed)
    browser.look("regions refused", shown=ids(typed))
    for row, one in zip(rows, typed, strict=True):
        row.get_by_label("Secret Access Key", exact=True).fill(halves(one.value)[1])
    _test(browser, until="")
    browser.look("regions being tested", typed=fields, shown=ids(typed))
    _save_as(browser, "Regions of a browser")
    browser.look("regions saved")


def _refuse(browser: Browser) -> Answer:
    """Press Save with a name that is refused; returns the answer that says so."""
    browser.page.get_by_label("Name", exact=True).fill(REFUSED_NAME)
    browser.page.get_by_label("Assign to entire organization").check()
    browser.page.get_by_role("button", name="Save", exact=True).click()
    browser.page.locator("[data-error-summary]").wait_for()
    answers = reversed(browser.scene.record.answers)
    return next(answer for answer in answers if answer.place.endswith(f"browser, POST {KEYS}new/, 422"))


def _test(browser: Browser, *, until: str = "=done") -> None:
    """Press the button; returns when the test is done, or with ``until=""`` when it has begun."""
    browser.page.get_by_role("button", name="Test credentials").click()
    browser.page.locator(f"#test-result [data-state{until}]").first.wait_for()


def _save_as(browser: Browser, name: str) -> None:
    browser.page.get_by_label("Name", exact=True).fill(name)
    browser.page.get_by_label("Assign to entire organization").check()
    browser.page.get_by_role("button", name="Save", exact=True).click()
    browser.page.get_by_text(f"{name} was created.").wait_for()


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
    browser.look("API key shown", shown=[canary])
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
