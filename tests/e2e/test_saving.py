"""What a save makes of a test: a verdict belongs to the bytes that were tested, and a key to the form it was saved by."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.console import Console
from tests.e2e.database import Database
from tests.e2e.homes import Home
from tests.e2e.visitor import Visitor
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.processes import eventually
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("product")]


@pytest.fixture
def visitor(product: Product, home: Home) -> Visitor:
    """Alice elsewhere."""
    return Visitor.alice(product, home)


@pytest.fixture
def database(product: Product) -> Database:
    return Database(product)


def fill(console: Console, name: str, key: str, provider: str = "openai") -> None:
    console.open_page_of_new(provider)
    console.name.fill(name)
    console.api_key.fill(key)
    console.whole_organization.check()


def saved(visitor: Visitor, name: str, key: str, provider: str = "openai") -> None:
    """Save a key and await the verdict of its own test."""
    check = visitor.press(key, provider).check
    visitor.await_done(check, 15)
    assert visitor.save(name, key, provider).status == 200


@pytest.mark.parametrize(
    ("scenario", "badges"),
    [("good", ["Active"]), ("quota", ["Active", "Limited"]), ("wrong", ["Failing"]), ("deactivated", ["Failing"])],
)
def test_the_verdict_of_the_tested_bytes_arrives_with_the_saved_key(
    console: Console, providers: CheckedProviders, scenario: str, badges: list[str]
) -> None:
    key = samples.fresh_key("openai", scenario)
    fill(console, "Tested", key)
    console.press()
    expect(console.result).to_have_attribute("data-state", "done")
    console.save()
    expect(console.status_of("Tested")).to_have_text(re.compile(r"^\s*" + r"\s*".join(badges) + r"\s*$"))
    assert len(providers.requests(credential=key)) == 1


def test_what_was_changed_after_its_test_is_saved_untested_and_tested_then(
    console: Console, providers: CheckedProviders
) -> None:
    tested, typed = samples.fresh_key("openai", "good"), samples.fresh_key("openai", "gate")
    fill(console, "Changed", tested)
    console.press()
    console.see_verdict("valid")
    expect(console.page.get_by_text("Changed since this test.")).to_be_hidden()
    console.api_key.fill(typed)
    expect(console.page.get_by_text("Changed since this test.")).to_be_visible()
    console.save()
    expect(console.page.get_by_text("Changed was created. Its test is running.")).to_be_visible()
    for word in ("Active", "Untested", "Testing"):
        expect(console.badge("Changed", word)).to_be_visible()
    expect(console.row("Changed")).to_contain_text("not yet")
    providers.wait_for(typed)
    providers.release(typed, "wrong")
    expect(console.badge("Changed", "Failing")).to_be_visible()
    expect(console.badge("Changed", "Testing")).to_have_count(0)


def test_saving_needs_no_test_and_does_not_wait_for_one(console: Console, providers: CheckedProviders) -> None:
    key = samples.fresh_key("anthropic", "gate")
    fill(console, "Impatient", key, "anthropic")
    console.press()
    providers.wait_for(key)
    console.save()
    expect(console.badge("Impatient", "Untested")).to_be_visible()
    providers.release(key)
    expect(console.badge("Impatient", "Untested")).to_have_count(0)
    expect(console.badge("Impatient", "Active")).to_be_visible()


def test_blank_credentials_keep_the_stored_ones_and_typed_ones_replace_them(
    console: Console, home: Home, visitor: Visitor, database: Database, providers: CheckedProviders
) -> None:
    stored, typed = samples.fresh_key("openai", "good"), samples.fresh_key("openai", "good")
    saved(visitor, "Kept", stored)
    before = database.key("Kept", home.slug)
    console.open_list()
    console.open_edit("Kept")
    expect(console.provider).to_be_disabled()
    expect(console.api_key).to_have_value("")
    console.name.fill("Renamed")
    console.save()
    kept = database.key("Renamed", home.slug)
    assert kept["credentials"] == before["credentials"]
    assert (kept["verdict"], kept["version"]) == ("valid", before["version"] + 1)
    assert len(providers.requests(credential=stored)) == 1

    console.open_edit("Renamed")
    console.api_key.fill(typed)
    console.save()
    replaced = database.key("Renamed", home.slug)
    assert replaced["credentials"] != before["credentials"]
    assert replaced["id"] == before["id"]
    expect(console.page.get_by_text("Revoke the old one at")).to_be_visible()
    expect(console.row("Renamed")).to_contain_text(f"sk-proj-…{typed[-4:]}")


def test_a_test_in_an_edit_takes_the_stored_key_when_blank_and_the_typed_one_else_and_saves_neither(
    console: Console, home: Home, visitor: Visitor, database: Database, providers: CheckedProviders
) -> None:
    stored, typed = samples.fresh_key("openai", "good"), samples.fresh_key("openai", "wrong")
    saved(visitor, "Tried", stored)
    before = database.key("Tried", home.slug)
    console.open_list()
    console.open_edit("Tried")
    console.press()
    console.see_verdict("valid")
    assert len(providers.wait_for(stored, count=2)) == 2
    console.api_key.fill(typed)
    console.press()
    console.see_verdict("invalid")
    assert len(providers.requests(credential=stored)) == 2
    console.page.get_by_role("button", name="Cancel", exact=True).click()
    expect(console.page.get_by_role("dialog")).to_have_count(0)
    console.open_list()
    expect(console.badge("Tried", "Active")).to_be_visible()
    after = database.key("Tried", home.slug)
    assert {name for name in before if before[name] != after[name]} == {"verdict_at", "last_check_at"}


def test_a_provider_that_is_down_never_makes_a_valid_key_invalid(
    console: Console, home: Home, visitor: Visitor, database: Database, providers: CheckedProviders
) -> None:
    key = samples.fresh_key("openai", "good")
    saved(visitor, "Steady", key)
    console.open_list()
    providers.down("openai")
    console.act("Steady", "Test credentials")
    last_check = console.last_check_of("Steady")
    expect(last_check).to_contain_text("Unreachable. No connection to OpenAI could be made. The key was not judged.")
    expect(console.badge("Steady", "Testing")).to_have_count(0)
    expect(console.status_of("Steady")).to_have_text("Active")
    row = database.key("Steady", home.slug)
    assert (row["verdict"], row["last_check_verdict"]) == ("valid", "unreachable")

    providers.up("openai")
    console.act("Steady", "Test credentials")
    expect(last_check).to_contain_text("Valid. OpenAI accepted the key")
    row = database.key("Steady", home.slug)
    assert (row["verdict"], row["last_check_verdict"]) == ("valid", "valid")


def test_a_key_can_be_edited_and_deleted_while_it_is_tested(
    console: Console, visitor: Visitor, providers: CheckedProviders
) -> None:
    key = samples.fresh_key("openai", "gate")
    visitor.save("Busy", key)
    providers.wait_for(key)
    console.open_list()
    expect(console.badge("Busy", "Testing")).to_be_visible()
    for action, title in (("Edit", "Edit Provider Key"), ("Delete", "Delete Busy")):
        console.act("Busy", action)
        dialog = console.page.get_by_role("dialog", name=title)
        expect(dialog).to_be_visible()
        assert console.page.url.endswith(console.home.keys)
        dialog.get_by_role("button", name="Cancel", exact=True).click()

    console.act("Busy", "Edit")
    providers.release(key)
    expect(console.table.get_by_text("Untested")).to_have_count(0)
    expect(console.page.get_by_role("dialog", name="Edit Provider Key")).to_be_visible()
    console.page.keyboard.press("Escape")
    # Its row is another element by now: focus returns to where the dialog was opened from all the same.
    expect(console.page.get_by_role("button", name="Actions for Busy")).to_be_focused()


def test_news_of_a_key_wait_while_somebody_chooses_from_its_menu(
    console: Console, visitor: Visitor, database: Database, providers: CheckedProviders
) -> None:
    key, page = samples.fresh_key("openai", "gate"), console.page
    visitor.save("Chosen", key)
    providers.wait_for(key)
    console.open_list()
    page.get_by_role("button", name="Actions for Chosen").click()
    providers.release(key)
    eventually(lambda: database.key("Chosen", console.home.slug)["verdict"], 10)
    for _ in range(2):
        with page.expect_response(re.compile("/checks/chk_")):
            pass
    expect(console.badge("Chosen", "Testing")).to_be_visible()
    page.get_by_role("menuitem", name="Edit", exact=True).click()
    expect(page.get_by_role("dialog", name="Edit Provider Key")).to_be_visible()
    expect(console.table.get_by_text("Testing", exact=True)).to_have_count(0)
