"""One walk through the running product with AWS Bedrock: three regions of which one is bad, in a real browser."""

import sqlite3
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.chromium import find
from tests.fakeproviders import samples
from tests.fakeproviders.access_keys import halves
from tests.fakeproviders.fixtures import CheckedProviders
from tests.product import PASSWORD, Product

pytestmark = pytest.mark.browser

THREE = {"us-east-1": "valid", "eu-central-1": "valid", "eu-south-1": "forbidden"}
ID, SECRET = halves(samples.key("bedrock", "good"))
OTHER_ID, OTHER_SECRET = halves(samples.key("bedrock", "optedin"))
EMAIL = "alice@acme.example"
_SECONDS = 20_000


@pytest.fixture
def product(providers: CheckedProviders) -> Iterator[Product]:
    with Product.start(providers) as running:
        running.add_member("Acme", EMAIL)
        yield running


@pytest.fixture
def page(product: Product) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(executable_path=find(), args=["--no-sandbox"])
        page = browser.new_page(base_url=product.base_url, viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(_SECONDS)
        page.goto("/login/")
        page.get_by_label("Email", exact=True).fill(EMAIL)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        yield page
        browser.close()


def group(page: Page, number: int) -> Locator:
    return page.get_by_role("group", name=f"Region {number}", exact=True)


def fill(page: Page, number: int, key_id: str, secret: str) -> None:
    group(page, number).get_by_label("Access Key ID", exact=True).fill(key_id)
    group(page, number).get_by_label("Secret Access Key", exact=True).fill(secret)


def verdicts(page: Page, expected: dict[str, str]) -> None:
    """Wait for the result panel to say ``expected``, region by region."""
    status = page.get_by_role("status", name="Test result")
    expect(status.locator("[data-state=done]")).to_be_visible(timeout=_SECONDS)
    lines = status.get_by_role("listitem")
    told = lines.evaluate_all("all => all.map(one => [one.dataset.region, one.dataset.verdict])")
    assert dict(told) == expected


def ciphertexts(product: Product) -> dict[str, str]:
    with sqlite3.connect(product.data_dir / "db.sqlite3") as database:
        return dict(database.execute("SELECT region, credentials FROM providerkeys_bedrockregion"))


def open_form(page: Page) -> None:
    page.get_by_role("link", name="Create a new Provider Key").first.click()
    page.get_by_label("Provider", exact=True).select_option(label="AWS Bedrock")
    page.get_by_label("Name", exact=True).fill("Bedrock shared")


def test_three_regions_of_which_one_is_bad(page: Page, product: Product) -> None:
    open_form(page)
    fill(page, 1, ID, SECRET)
    for number, region in enumerate(THREE, start=1):
        if number > 1:
            page.get_by_role("button", name="Copy these credentials to the new row").click()
        group(page, number).get_by_label("Region", exact=True).select_option(region)
    page.get_by_role("button", name="Test credentials", exact=True).click()
    verdicts(page, THREE)
    page.get_by_role("checkbox", name="Assign to entire organization").check()
    page.get_by_role("button", name="Save", exact=True).click()
    row = page.get_by_role("row").filter(has_text="Bedrock shared")
    expect(row).to_contain_text("1 of 3 regions failing", timeout=_SECONDS)
    expect(row).to_contain_text("us-east-1, eu-central-1, eu-south-1")

    before = ciphertexts(product)
    row.get_by_role("button", name="Actions for Bedrock shared").click()
    page.get_by_role("menuitem", name="Edit").click()
    expect(group(page, 3).get_by_label("Region", exact=True)).to_have_value("eu-south-1")
    fill(page, 3, OTHER_ID, OTHER_SECRET)
    page.get_by_role("button", name="Test credentials", exact=True).click()
    verdicts(page, {**THREE, "eu-south-1": "valid"})
    page.get_by_role("button", name="Save", exact=True).click()
    expect(row).to_contain_text("Active", timeout=_SECONDS)
    expect(row).not_to_contain_text("failing")
    after = ciphertexts(product)
    assert [after[region] == before[region] for region in THREE] == [True, True, False]
    assert not any(half in product.logs() for half in (ID, SECRET, OTHER_ID, OTHER_SECRET))
