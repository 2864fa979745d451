"""AWS Bedrock in the running product: rows of regions, each with a verdict of its own, each kept or replaced by itself."""

import re
from typing import Final

import pytest
from playwright.sync_api import expect

from tests.e2e.console import Console
from tests.e2e.database import Database
from tests.e2e.homes import Home
from tests.e2e.visitor import Visitor
from tests.fakeproviders import samples
from tests.fakeproviders.access_keys import halves
from tests.fakeproviders.fixtures import CheckedProviders
from tests.product import Product
from tests.providerkeys.regions import posted

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("product")]

NAME: Final = "Bedrock shared"
COPY: Final = "Copy these credentials to the new row"
FIRST, SECOND, BAD = "us-east-1", "eu-central-1", "eu-south-1"
NINE: Final = (
    *("us-east-1", "us-east-2", "us-west-2", "eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3", "ap-south-1"),
    "sa-east-1",
)


@pytest.fixture
def database(product: Product) -> Database:
    return Database(product)


def key_id(key: str) -> str:
    return halves(key)[0]


def saved(product: Product, home: Home, *regions: str) -> None:
    """Save a good key for ``regions``."""
    key = samples.fresh_key("bedrock", "good")
    rows = {name: value for number, region in enumerate(regions) for name, value in posted(number, region, key).items()}
    assert Visitor.alice(product, home).save(NAME, "", "bedrock", **rows).status == 200


def test_three_regions_of_which_one_is_bad_have_three_verdicts_and_on_edit_two_stay_byte_for_byte(
    console: Console, product: Product, home: Home, providers: CheckedProviders, database: Database
) -> None:
    shared, bad, better = (samples.fresh_key("bedrock", scenario) for scenario in ("good", "gate", "optedin"))
    console.open_list()
    console.open_dialog_of_new()
    console.choose("bedrock")
    console.name.fill(NAME)
    console.region(1).fill(shared, FIRST)
    console.add_region(COPY).region.select_option(SECOND)
    console.add_region().fill(bad, BAD)

    # Each region says its verdict as soon as it has one.
    console.press()
    providers.wait_for(key_id(bad))
    console.see_regions({FIRST: "valid", SECOND: "valid", BAD: ""})
    progress = console.status.get_by_role("progressbar", name="Testing 3 regions")
    expect(progress).to_have_js_property("position", 2 / 3)
    providers.release(key_id(bad), "optin")
    console.see_regions({FIRST: "valid", SECOND: "valid", BAD: "forbidden"})
    expect(progress).to_have_count(0)
    expect(console.status).to_contain_text("2 of 3 regions can be used")

    # It is saved whatever they are, and they come along.
    console.whole_organization.check()
    console.save()
    expect(console.status_of(NAME)).to_have_text(re.compile(r"^\s*Active\s+1 of 3 regions failing\s*$"))
    expect(console.row(NAME)).to_contain_text(f"{FIRST}, {SECOND}, {BAD}")
    asked = [request.name for request in providers.requests()]
    assert (asked.count("aws_sts"), asked.count("bedrock")) == (2, 3)

    before = database.regions(NAME, home.slug)
    console.open_edit(NAME)
    rows = [console.region(number) for number in (1, 2, 3)]
    assert [row.region.input_value() for row in rows] == [FIRST, SECOND, BAD]
    assert [row.key_id.input_value() + row.secret.input_value() for row in rows] == ["", "", ""]
    rows[2].fill(better)
    console.press()
    console.see_regions({FIRST: "valid", SECOND: "valid", BAD: "valid"})
    console.save()
    expect(console.status_of(NAME)).to_have_text("Active")
    after = database.regions(NAME, home.slug)
    assert [after[region]["credentials"] == before[region]["credentials"] for region in after] == [True, True, False]
    assert [row["credentials_version"] for row in after.values()] == [1, 1, 2]
    assert [row["id"] for row in after.values()] == [row["id"] for row in before.values()]
    assert not any(half in product.logs() for key in (shared, bad, better) for half in halves(key))


def test_rows_are_moved_and_removed_and_what_stays_stays_byte_for_byte(
    console: Console, product: Product, home: Home, database: Database
) -> None:
    saved(product, home, FIRST, SECOND, BAD)
    before = database.regions(NAME, home.slug)
    console.open_list()
    console.open_edit(NAME)
    console.region(2).remove.click()
    expect(console.region(2).remove).to_be_focused()
    console.region(2).to_first.click()
    expect(console.region(1).region).to_be_focused()
    assert [console.region(number).region.input_value() for number in (1, 2)] == [BAD, FIRST]
    console.save()
    expect(console.row(NAME)).to_contain_text(f"{BAD}, {FIRST}")
    after = database.regions(NAME, home.slug)
    assert [*after] == [BAD, FIRST]
    assert {region: row["credentials"] for region, row in after.items()} == {
        region: before[region]["credentials"] for region in after
    }


def test_one_access_key_is_copied_from_row_to_row_and_eight_regions_are_asked_at_once(
    console: Console, providers: CheckedProviders
) -> None:
    copied, ninth = samples.fresh_key("bedrock", "thengate"), samples.fresh_key("bedrock", "good")
    console.open_page_of_new("bedrock")
    console.region(1).fill(copied, NINE[0])
    for region in NINE[1:]:
        row = console.add_region(COPY)
        assert (row.key_id.input_value(), row.secret.input_value()) == halves(copied)
        row.region.select_option(region)
    console.region(9).fill(ninth)

    console.press()
    providers.wait_for(key_id(copied), name="bedrock", count=8)
    with console.page.expect_response("**/checks/chk_*/"):
        pass
    console.see_regions(dict.fromkeys(NINE, ""))
    assert providers.requests(credential=key_id(ninth)) == []
    providers.release(key_id(copied))
    console.see_regions(dict.fromkeys(NINE, "valid"))
    expect(console.status).to_contain_text("9 of 9 regions can be used")
    # Each region was asked once, and STS once about each access key.
    assert len(providers.requests(name="bedrock")) == 9
    assert len(providers.requests(name="aws_sts")) == 2
