"""A file that is chosen or dropped: read in the page, sent with the form and not before."""

import re
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.files import choose, drop
from tests.look.stage import Reply, Stage, part

pytestmark = pytest.mark.browser

NEW = "/orgs/acme/provider-keys/new/"
CHECKS = "/orgs/acme/provider-keys/checks/"
FILE = '{"type": "service_account"}'
PROBLEM = "This file can’t be read as a service account JSON"


@pytest.fixture
def page(stage: Stage) -> Page:
    return stage.open("form-service-account", NEW)


@pytest.fixture
def field(page: Page) -> Locator:
    return page.get_by_label("Service account JSON", exact=True)


def test_a_chosen_file_fills_the_field_and_stays_in_the_page(
    page: Page, field: Locator, stage: Stage, tmp_path: Path
) -> None:
    file = tmp_path / "key.json"
    file.write_text(FILE)
    choose(page, file)
    expect(field).to_have_value(FILE)
    expect(field).to_be_focused()
    assert [request.url for request in stage.requests if request.method != "GET" or request.post_data] == []


def test_a_file_can_be_chosen_again_once_it_was_corrected(page: Page, field: Locator, tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    for text in ("{}", FILE):
        file.write_text(text)
        choose(page, file)
        expect(field).to_have_value(text)


@pytest.mark.parametrize("label", ["Service account JSON", "Name"])
def test_a_file_may_be_dropped_anywhere_on_the_form(page: Page, field: Locator, label: str) -> None:
    drop(page, page.get_by_label(label, exact=True), FILE)
    expect(field).to_have_value(FILE)
    expect(page.locator("[data-dropping]")).to_have_count(0)
    expect(page.get_by_text(PROBLEM)).to_be_hidden()


def test_a_file_far_too_large_is_not_read(page: Page, field: Locator) -> None:
    drop(page, field, "x" * 100_000)
    expect(page.get_by_text(PROBLEM)).to_be_visible()
    expect(field).to_have_value("")
    drop(page, field, FILE)
    expect(page.get_by_text(PROBLEM)).to_be_hidden()


def test_what_is_sent_is_the_text_and_the_location(page: Page, field: Locator, stage: Stage) -> None:
    stage.on("POST", CHECKS, Reply(part("check-valid", "pressed")))
    drop(page, field, FILE)
    page.get_by_label("Location", exact=True).fill("europe-west4")
    page.get_by_role("button", name="Test credentials").click()
    expect(page.locator("[data-verdict=valid]")).to_be_visible()
    sent = stage.asked("POST", CHECKS)[0].post_data or ""
    assert "provider_key=%7B%22type%22%3A" in sent
    assert "location=europe-west4" in sent
    drop(page, field, f"{FILE} ")
    expect(page.get_by_text("Changed since this test.")).to_be_visible()


def test_a_refusal_names_the_field_of_the_file_and_leads_to_the_empty_one(page: Page, stage: Stage) -> None:
    stage.on("POST", NEW, Reply(part("form-service-account-refused", "form"), 422))
    page.get_by_label("Name", exact=True).fill("Mine")
    page.get_by_label("Assign to entire organization").check()
    page.get_by_role("button", name="Save").click()
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("One field needs you: Service account JSON. Nothing was saved.")
    summary.get_by_role("link", name="Service account JSON").click()
    field = page.get_by_label("Service account JSON", exact=True)
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    expect(field).to_have_accessible_description(
        "token_uri isn’t Google’s token address. A file that names another one can never be used. Paste the whole JSON file of a service account key, as Google made it. Emptied for safety: paste it again. Keys are made at Google Vertex AI."
    )
    expect(page.get_by_label("Location", exact=True)).to_have_value("europe-west4")


def test_a_document_that_was_emptied_for_safety_is_pasted_again_or_the_stored_one_kept(stage: Stage) -> None:
    stage.on("POST", CHECKS, Reply(part("check-valid", "pressed")))
    page = stage.open("form-service-account-edit-emptied")
    field = page.get_by_label("Service account JSON", exact=True)
    expect(field).to_have_value("")
    expect(field).to_have_accessible_description(
        re.compile("^Emptied for safety: paste it again, or tick “Keep the stored key”")
    )
    page.get_by_role("alert").get_by_role("link", name="paste it again").click()
    expect(field).to_be_focused()
    keep = page.get_by_role("checkbox", name="Keep the stored key", exact=True)
    for ticked in (False, True):
        keep.set_checked(ticked)
        with page.expect_response(f"**{CHECKS}"):
            page.get_by_role("button", name="Test credentials").click()
        expect(page.locator("[data-verdict=valid]")).to_be_visible()
        sent = parse_qs(stage.asked("POST", CHECKS)[-1].post_data or "", keep_blank_values=True)
        assert (sent["provider_key"], sent["emptied"], sent.get("keep_stored")) == (
            [""],
            ["on"],
            ["on"] if ticked else None,
        )
        expect(page.get_by_text("Emptied for safety")).to_have_count(0)
        expect(keep).to_be_checked(checked=ticked)
