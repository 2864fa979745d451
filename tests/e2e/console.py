"""The console by the names that people and assistive technology know: roles, labels, visible words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Locator, Page, expect

from tests.e2e.homes import Home
from tests.e2e.region import Region
from tests.fakeproviders import samples

LABELS: Final = {
    "anthropic": "Anthropic",
    "openai": "OpenAI",
    "google_vertex_ai": "Google Vertex AI",
    "mistral": "Mistral",
    "deepseek": "DeepSeek",
    "xai": "xAI",
    "zai": "zAI",
    "bedrock": "AWS Bedrock",
}
"""What people choose a provider by, in the order of the list."""
WORDS: Final = ("Valid", "Limited", "Invalid", "Forbidden", "Unreachable")
CREATE: Final = "Create a new Provider Key"


@dataclass(frozen=True)
class Console:
    """One tab of a browser in which an admin of ``home`` works.

    What comes within a moment is awaited by ``wait_for``, which looks again sooner than ``expect`` does.
    """

    page: Page
    home: Home

    # Pages

    def open_list(self) -> None:
        self.page.goto(self.home.keys)
        expect(self.page.get_by_role("heading", name="BYOK", level=1)).to_be_visible()

    def open_page_of_new(self, provider: str = "") -> None:
        """Open the form at its own address, with a provider chosen before typing if wanted."""
        self.page.goto(f"{self.home.keys}new/{f'?provider={provider}' if provider else ''}")
        expect(self.page.get_by_role("heading", name="Add Provider Key", level=1)).to_be_visible()

    def open_dialog_of_new(self) -> None:
        """Open the form over the list that is on the page."""
        self.page.get_by_role("link", name=CREATE).first.click()
        self.page.get_by_role("dialog", name="Add Provider Key").wait_for()

    def act(self, key: str, action: str) -> None:
        """Choose from the menu of a row."""
        self.page.get_by_role("button", name=f"Actions for {key}", exact=True).click()
        self.page.get_by_role("menuitem", name=action, exact=True).click()

    def open_edit(self, key: str) -> None:
        """Open the edit form over the list."""
        self.act(key, "Edit")
        self.page.get_by_role("dialog", name="Edit Provider Key").wait_for()

    # The list

    @property
    def table(self) -> Locator:
        return self.page.get_by_role("table", name="Provider keys")

    def row(self, key: str) -> Locator:
        """The row of the provider key ``key``."""
        # Its menu names the whole key; other rows may hold the name as a part of theirs.
        menu = self.page.get_by_role("button", name=f"Actions for {key}", exact=True)
        return self.table.get_by_role("row").filter(has=menu)

    def status_of(self, key: str) -> Locator:
        """The cell that says whether it serves."""
        return self.row(key).get_by_role("cell").nth(3)

    def last_check_of(self, key: str) -> Locator:
        """The cell that says what its latest test said."""
        return self.row(key).get_by_role("cell").nth(4)

    def badge(self, key: str, word: str) -> Locator:
        return self.status_of(key).get_by_text(word, exact=True)

    # The form

    @property
    def provider(self) -> Locator:
        return self.page.get_by_role("combobox", name="Provider", exact=True)

    @property
    def name(self) -> Locator:
        return self.page.get_by_role("textbox", name="Name", exact=True)

    @property
    def api_key(self) -> Locator:
        return self.page.get_by_label("API Key", exact=True)

    @property
    def service_account(self) -> Locator:
        return self.page.get_by_role("textbox", name="Service account JSON", exact=True)

    @property
    def location(self) -> Locator:
        return self.page.get_by_role("combobox", name="Location", exact=True)

    def region(self, number: int) -> Region:
        return Region(self.page, number)

    @property
    def regions(self) -> Locator:
        """All rows of regions."""
        return self.page.get_by_role("group", name=re.compile(r"^Region \d+$"))

    def add_region(self, button: str = "Add region") -> Region:
        """Add a row, by one of the two buttons that do; the focus lands in it."""
        row = self.region(self.regions.count() + 1)
        self.page.get_by_role("button", name=button, exact=True).click()
        expect(row.region).to_be_focused()
        return row

    def secret(self, provider: str) -> Locator:
        """The field that takes the secret."""
        others = {"google_vertex_ai": self.service_account, "bedrock": self.region(1).secret}
        return others.get(provider, self.api_key)

    def fill_credentials(self, provider: str, key: str) -> None:
        """Type a sample ``key`` in the way of its kind, where it is used."""
        if provider == "bedrock":
            self.region(1).fill(key, samples.destination(provider, key)["region"])
        else:
            self.secret(provider).fill(key)

    @property
    def test_button(self) -> Locator:
        return self.page.get_by_role("button", name="Test credentials", exact=True)

    @property
    def whole_organization(self) -> Locator:
        return self.page.get_by_role("checkbox", name="Assign to entire organization", exact=True)

    @property
    def api_keys(self) -> Locator:
        return self.page.get_by_role("group", name="API keys", exact=True)

    def api_key_box(self, name: str) -> Locator:
        return self.api_keys.get_by_role("checkbox", name=name, exact=True)

    @property
    def save_button(self) -> Locator:
        return self.page.get_by_role("button", name="Save", exact=True)

    def choose(self, provider: str) -> None:
        """Choose a provider, and see its credential fields."""
        self.provider.select_option(label=LABELS[provider])
        self.secret(provider).wait_for()
        expect(self.secret(provider)).to_be_editable()

    def save(self) -> None:
        """Save, and be back at the list."""
        self.save_button.click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)
        self.page.wait_for_url(f"**{self.home.keys}")

    # The test

    @property
    def status(self) -> Locator:
        return self.page.get_by_role("status", name="Test result", exact=True)

    @property
    def result(self) -> Locator:
        """The polled fragment."""
        return self.status.locator("[data-state]")

    def press(self) -> None:
        """Press Test credentials, and see the answer to the press."""
        self.test_button.click()
        self.result.wait_for()

    def see_state(self, state: str) -> None:
        self.status.locator(f"[data-state={state}]").wait_for()

    def see_verdict(self, verdict: str, region: str = "") -> None:
        """See the test done: verdict for scripts, its word first (in a line of its ``region``), a sentence behind it."""
        self.see_state("done")
        expect(self.result).to_have_attribute("data-verdict", verdict)
        if region:
            self.see_regions({region: verdict})
        else:
            expect(self.result).to_have_text(_said(verdict))

    def see_regions(self, verdicts: Mapping[str, str]) -> None:
        """See exactly these regions, in this order, with their verdicts; an empty one: not told yet."""
        lines = self.status.get_by_role("listitem")
        expect(lines).to_have_text([_said(verdict, region) for region, verdict in verdicts.items()])
        told = lines.evaluate_all("all => all.map((line) => [line.dataset.region, line.dataset.verdict ?? ''])")
        assert dict(told) == dict(verdicts)


def _said(verdict: str, region: str = "") -> re.Pattern[str]:
    words = rf"{verdict.capitalize()}\s+\w.+\." if verdict else "Waiting for "
    return re.compile(rf"^\s*{region}\s*{words}")


def words_in(text: str) -> set[str]:
    """The verdicts' words in ``text``, as whole words."""
    return {word for word in WORDS if re.search(rf"\b{word}\b", text)}
