"""Rows of regions in the browser: added, removed, moved, filled; what was typed stays in the page until it is tested or saved."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import FloatRect, Locator, Page, expect

from providerkeys.forms.regions import RegionForm, numbers_in
from tests.look.stage import ORIGIN, Reply, Request, Stage, part, whole

pytestmark = pytest.mark.browser

NEW = "/orgs/acme/provider-keys/new/"
EDIT = "/orgs/acme/provider-keys/pk_0000000000000000000007/"
CHECKS = "/orgs/acme/provider-keys/checks/"
ID, OTHER_ID, SECRET = "AKIAFAKEKEYSEXAMPLE2", "AKIAFAKEKEYSEXAMPLE3", "FAKE0SECRET0typed0and0never0in0a0URL0000"


def _another_row(request: Request) -> Reply | None:
    """What the console answers to *Add region*."""
    numbers = list(numbers_in(parse_qs(urlsplit(request.url).query, keep_blank_values=True)))
    context = {"row": RegionForm(max(numbers) + 1), "number": len(numbers) + 1}
    return Reply(render_to_string("providerkeys/credentials/region.html", context))


@pytest.fixture
def page(stage: Stage) -> Page:
    page = stage.open("form-regions", NEW)
    stage.on("GET", NEW, _another_row)
    return page


def group(page: Page, number: int) -> Locator:
    return page.get_by_role("group", name=f"Region {number}", exact=True)


def field(page: Page, number: int, label: str) -> Locator:
    return group(page, number).get_by_label(label, exact=True)


def fill(page: Page, number: int, region: str, key_id: str = ID, secret: str = SECRET) -> None:
    field(page, number, "Region").select_option(region)
    field(page, number, "Access Key ID").fill(key_id)
    field(page, number, "Secret Access Key").fill(secret)


def add(page: Page, button: str = "Add region") -> None:
    rows = page.locator("[data-region-row]").count()
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator("[data-region-row]")).to_have_count(rows + 1)


def chosen(page: Page) -> list[str]:
    rows: list[str] = page.locator("[data-region-row] select").evaluate_all("all => all.map(one => one.value)")
    return rows


def boxes(these: Locator) -> list[FloatRect]:
    return [box for box in (one.bounding_box() for one in these.all()) if box]


def names(page: Page) -> list[str]:
    found: list[str] = page.locator("[data-region-row] select").evaluate_all("all => all.map(one => one.name)")
    return found


def test_a_new_row_takes_the_focus_and_leaves_the_others_as_they_were(page: Page) -> None:
    fill(page, 1, "us-east-1")
    add(page)
    expect(field(page, 2, "Region")).to_be_focused()
    expect(field(page, 1, "Region")).to_have_value("us-east-1")
    expect(field(page, 1, "Secret Access Key")).to_have_value(SECRET)
    expect(field(page, 2, "Secret Access Key")).to_have_value("")


def test_no_credential_travels_to_add_a_row(page: Page, stage: Stage) -> None:
    fill(page, 1, "us-east-1")
    add(page, "Copy these credentials to the new row")
    add(page)
    for request in stage.requests:
        assert ID not in request.url
        assert SECRET not in request.url
        assert not request.post_data


def test_credentials_are_copied_to_the_new_row_by_one_press(page: Page) -> None:
    copy = page.get_by_role("button", name="Copy these credentials to the new row")
    expect(copy).to_be_disabled()
    fill(page, 1, "us-east-1")
    add(page, "Copy these credentials to the new row")
    expect(field(page, 2, "Access Key ID")).to_have_value(ID)
    expect(field(page, 2, "Secret Access Key")).to_have_value(SECRET)
    expect(field(page, 2, "Region")).to_be_focused()


def test_rows_that_wait_get_the_credentials_and_no_further_row(page: Page, stage: Stage) -> None:
    fill(page, 1, "us-east-1")
    for _ in range(2):
        add(page)
    field(page, 2, "Region").select_option("eu-central-1")
    asked = len(stage.asked("GET", NEW))
    page.get_by_role("button", name="Copy these credentials to the new row").click()
    for number in (2, 3):
        expect(field(page, number, "Access Key ID")).to_have_value(ID)
        expect(field(page, number, "Secret Access Key")).to_have_value(SECRET)
    expect(field(page, 3, "Region")).to_be_focused()
    assert len(stage.asked("GET", NEW)) == asked


def test_a_row_with_the_id_alone_gets_its_secret_and_one_with_another_id_does_not(page: Page) -> None:
    fill(page, 1, "us-east-1")
    for _ in range(2):
        add(page)
    field(page, 2, "Access Key ID").fill(ID)
    field(page, 3, "Access Key ID").fill(ID[::-1])
    page.get_by_role("button", name="Copy these credentials to the new row").click()
    expect(field(page, 2, "Secret Access Key")).to_have_value(SECRET)
    expect(field(page, 3, "Secret Access Key")).to_have_value("")


def test_replacing_credentials_begins_at_the_access_key_id(stage: Stage) -> None:
    stage.on("GET", EDIT, Reply(whole("form-regions-edit")))
    page = stage.page
    page.goto(f"{ORIGIN}{EDIT}?focus=credentials")
    expect(field(page, 1, "Access Key ID")).to_be_focused()


def test_a_stored_row_waits_for_nothing(stage: Stage) -> None:
    page = stage.open("form-regions-edit")
    stage.on("GET", EDIT, _another_row)
    field(page, 2, "Access Key ID").fill(ID)
    field(page, 2, "Secret Access Key").fill(SECRET)
    add(page, "Copy these credentials to the new row")
    expect(field(page, 4, "Secret Access Key")).to_have_value(SECRET)
    for number in (1, 3):
        expect(field(page, number, "Secret Access Key")).to_have_value("")


def test_a_removed_row_is_gone_and_the_rest_is_numbered_anew(page: Page) -> None:
    for number, region in enumerate(("us-east-1", "eu-central-1", "eu-south-1"), start=1):
        if number > 1:
            add(page)
        fill(page, number, region)
    page.get_by_role("button", name="Remove region 2", exact=True).click()
    assert chosen(page) == ["us-east-1", "eu-south-1"]
    assert names(page) == ["regions-0-region", "regions-1-region"]
    expect(field(page, 2, "Secret Access Key")).to_have_value(SECRET)
    expect(page.get_by_role("button", name="Remove region 2", exact=True)).to_be_focused()
    expect(page.get_by_role("button", name="Remove region 3", exact=True)).to_have_count(0)
    add(page)
    ids = page.locator("[data-region-row] [id]").evaluate_all("all => all.map(one => one.id)")
    assert len(set(ids)) == len(ids) == 9


def test_the_last_row_can_be_removed_and_another_added(page: Page) -> None:
    page.get_by_role("button", name="Remove region 1", exact=True).click()
    expect(page.get_by_role("button", name="Add region", exact=True)).to_be_focused()


def test_a_row_moves_to_first_with_all_that_was_typed(page: Page) -> None:
    fill(page, 1, "us-east-1")
    add(page)
    fill(page, 2, "eu-central-1", secret=SECRET[::-1])
    expect(page.get_by_role("button", name="Move region 1 to first")).to_be_hidden()
    page.get_by_role("button", name="Move region 2 to first").click()
    assert chosen(page) == ["eu-central-1", "us-east-1"]
    assert names(page) == ["regions-0-region", "regions-1-region"]
    expect(field(page, 1, "Secret Access Key")).to_have_value(SECRET[::-1])
    expect(field(page, 1, "Region")).to_be_focused()


def test_on_edit_one_access_key_goes_into_every_row(stage: Stage) -> None:
    page = stage.open("form-regions-edit")
    everywhere = page.get_by_role("button", name="Use these credentials in every row")
    expect(everywhere).to_be_disabled()
    field(page, 2, "Access Key ID").fill(ID)
    field(page, 2, "Secret Access Key").fill(SECRET)
    everywhere.click()
    for number in (1, 2, 3):
        expect(field(page, number, "Access Key ID")).to_have_value(ID)
        expect(field(page, number, "Secret Access Key")).to_have_value(SECRET)


def test_on_a_wide_page_what_is_said_of_a_field_takes_the_width_of_its_row(stage: Stage) -> None:
    page = stage.open("form-regions-refused")
    refused = page.locator("[data-region-row]", has=page.locator(".field__error"))
    assert refused.count() > 0
    for row in refused.all():
        whole_row = row.bounding_box()
        assert whole_row
        lowest = max(box["y"] + box["height"] for box in boxes(row.locator("input:visible, select")))
        for said in boxes(row.locator(".field__error")):
            assert said["width"] > 0.9 * whole_row["width"]
            assert said["y"] >= lowest


def test_and_a_tick_stands_in_one_line(stage: Stage) -> None:
    page = stage.open("form-regions-edit-emptied")
    ticks = page.get_by_text("Keep the stored key", exact=True)
    assert ticks.count() > 0
    assert all(box["height"] < 30 for box in boxes(ticks))


def test_whose_credentials_are_copied_is_said(stage: Stage) -> None:
    page = stage.open("form-regions-edit")
    told = page.get_by_text("“These credentials” are what is typed in row")
    expect(told).to_be_hidden()
    for number in (3, 2):
        field(page, number, "Access Key ID").fill(ID)
        expect(told).to_be_visible(visible=number == 2)
        field(page, number, "Secret Access Key").fill(SECRET)
        expect(told).to_have_text(f"“These credentials” are what is typed in row {number}.")
    # Whoever corrects a row means that one; its copies are no corrections.
    field(page, 3, "Access Key ID").fill(OTHER_ID)
    expect(told).to_have_text("“These credentials” are what is typed in row 3.")
    page.get_by_role("button", name="Use these credentials in every row").click()
    for number in (1, 2, 3):
        expect(field(page, number, "Access Key ID")).to_have_value(OTHER_ID)
    expect(told).to_have_text("“These credentials” are what is typed in row 3.")
    field(page, 3, "Secret Access Key").fill("")
    expect(told).to_have_text("“These credentials” are what is typed in row 2.")


def test_what_was_used_everywhere_stays_the_source(stage: Stage) -> None:
    page = stage.open("form-regions-edit")
    field(page, 2, "Access Key ID").fill(ID)
    field(page, 2, "Secret Access Key").fill(SECRET)
    # Begun last, and not ended: it gets what row 2 has, and is no source by that.
    field(page, 1, "Access Key ID").fill(OTHER_ID)
    page.get_by_role("button", name="Use these credentials in every row").click()
    expect(field(page, 1, "Access Key ID")).to_have_value(ID)
    told = page.get_by_text("“These credentials” are what is typed in row")
    expect(told).to_have_text("“These credentials” are what is typed in row 2.")


def test_on_a_phone_the_row_that_was_typed_in_offers_itself_to_all(stage: Stage) -> None:
    page = stage.open("form-regions-edit")
    page.set_viewport_size({"width": 360, "height": 740})
    everywhere = page.get_by_role("button", name="Use these credentials in every row")
    expect(everywhere).to_have_count(0)
    field(page, 2, "Access Key ID").fill(ID)
    field(page, 2, "Secret Access Key").fill(SECRET)
    expect(everywhere).to_have_count(1)
    expect(group(page, 2).get_by_role("button", name="Use these credentials in every row")).to_be_visible()
    everywhere.click()
    said = group(page, 2).get_by_text("Every row has them now.")
    expect(said).to_be_visible()
    for number in (1, 2, 3):
        expect(field(page, number, "Secret Access Key")).to_have_value(SECRET)
    field(page, 3, "Access Key ID").fill(OTHER_ID)
    expect(said).to_be_hidden()
    expect(group(page, 3).get_by_role("button", name="Use these credentials in every row")).to_be_visible()
    while page.locator("[data-region-row]").count() > 1:
        page.get_by_role("button", name=re.compile("^Remove region")).first.click()
    expect(everywhere).to_have_count(0)


def test_a_new_key_has_no_row_to_offer_anything_to(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    fill(page, 1, "us-east-1")
    add(page)
    expect(page.get_by_role("button", name="Use these credentials in every row")).to_have_count(0)


def test_a_row_that_keeps_what_is_stored_is_asked_for_nothing_more(stage: Stage) -> None:
    page = stage.open("form-regions-edit-emptied")
    row = group(page, 2)
    expect(row.locator("[aria-invalid]")).not_to_have_count(0)
    row.get_by_role("checkbox", name="Keep the stored key", exact=True).check()
    expect(row.locator("[aria-invalid], .field__error")).to_have_count(0)
    expect(group(page, 3).locator(".field__error")).not_to_have_count(0)


def test_what_no_row_has_any_more_is_said_before_it_is_deleted(stage: Stage) -> None:
    page = stage.open("form-regions-edit")
    told = page.get_by_text("Saving deletes the stored credentials of", exact=False)
    expect(told).to_be_hidden()
    first = chosen(page)[0]
    field(page, 1, "Region").select_option("ap-northeast-2")
    expect(told).to_have_text(f"Saving deletes the stored credentials of {first}.")
    expect(field(page, 1, "Secret Access Key")).to_have_attribute("placeholder", "")
    field(page, 1, "Region").select_option(first)
    expect(told).to_be_hidden()
    expect(field(page, 1, "Secret Access Key")).to_have_attribute("placeholder", "Unchanged")
    page.get_by_role("button", name="Remove region 1", exact=True).click()
    expect(told).to_have_text(f"Saving deletes the stored credentials of {first}.")


@pytest.mark.parametrize("width", [1280, 720, 360])
def test_a_chosen_region_is_read_to_its_last_character(stage: Stage, width: int) -> None:
    page = stage.open("form-regions", NEW)
    page.set_viewport_size({"width": width, "height": 800})
    select = field(page, 1, "Region")
    select.select_option("ap-northeast-1")
    room = """select => {
      const shown = document.createElement("span");
      const {font, paddingLeft, paddingRight, borderLeftWidth} = getComputedStyle(select);
      Object.assign(shown.style, {font, position: "absolute", whiteSpace: "nowrap"});
      shown.textContent = [...select.options].map((one) => one.label).reduce((a, b) => (a.length < b.length ? b : a));
      document.body.append(shown);
      const width = shown.getBoundingClientRect().width;
      shown.remove();
      return select.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) - width;
    }"""
    assert select.evaluate(room) >= 0


def test_a_change_of_rows_makes_a_verdict_stale(stage: Stage) -> None:
    page = stage.open("form-regions-tested")
    expect(page.get_by_text("Changed since this test.")).to_be_hidden()
    page.get_by_role("button", name="Remove region 2", exact=True).click()
    expect(page.get_by_text("Changed since this test.")).to_be_visible()


def test_what_is_sent_is_every_row_in_its_order(page: Page, stage: Stage) -> None:
    stage.on("POST", CHECKS, Reply(part("check-regions-done", "result")))
    fill(page, 1, "us-east-1")
    add(page, "Copy these credentials to the new row")
    field(page, 2, "Region").select_option("global")
    page.get_by_role("button", name="Move region 2 to first").click()
    page.get_by_role("button", name="Test credentials", exact=True).click()
    expect(page.get_by_role("status", name="Test result").locator("li")).to_have_count(3)
    [request] = stage.asked("POST", CHECKS)
    sent = parse_qs(request.post_data or "")
    assert (sent["regions-0-region"], sent["regions-1-region"]) == (["global"], ["us-east-1"])
    assert sent["regions-0-secret_access_key"] == sent["regions-1-secret_access_key"] == [SECRET]


def test_each_region_of_a_result_says_its_own_verdict(stage: Stage) -> None:
    page = stage.open("form-regions-tested")
    lines = page.get_by_role("status", name="Test result").locator("li")
    told = lines.evaluate_all("all => all.map(one => [one.dataset.region, one.dataset.verdict])")
    assert told == [["us-east-1", "valid"], ["eu-central-1", "valid"], ["eu-south-1", "forbidden"]]
    expect(lines.nth(2)).to_contain_text("Forbidden")


def test_no_more_rows_than_forty(page: Page) -> None:
    page.locator("[data-regions]").evaluate("regions => { regions.dataset.most = 2 }")
    add(page)
    expect(page.get_by_role("button", name="Add region", exact=True)).to_be_disabled()


def test_after_a_refusal_focus_leads_to_the_row(stage: Stage) -> None:
    page = stage.open("form-regions-refused")
    page.get_by_role("alert").get_by_role("link", name="Secret Access Key of region 1").click()
    expect(field(page, 1, "Secret Access Key")).to_be_focused()


class TestEmptiedForSafety:
    """Rows 2 and 3 are stored ones in which a new secret was typed; row 4 is a new one."""

    @pytest.fixture
    def page(self, stage: Stage) -> Page:
        return stage.open("form-regions-edit-emptied")

    @staticmethod
    def keep(page: Page, number: int) -> Locator:
        return group(page, number).get_by_role("checkbox", name="Keep the stored key", exact=True)

    def test_a_stored_row_offers_to_keep_its_secret_and_no_other_does(self, page: Page) -> None:
        assert [self.keep(page, number).count() for number in (1, 2, 3, 4)] == [0, 1, 1, 0]
        placeholders = [
            field(page, number, "Secret Access Key").get_attribute("placeholder") for number in (1, 2, 3, 4)
        ]
        assert placeholders == ["Unchanged", *["Type it again"] * 3]
        expect(field(page, 3, "Secret Access Key")).to_have_accessible_description(
            "Type the new secret access key again, or tick “Keep the stored key”."
        )

    def test_what_is_kept_and_what_is_typed_exclude_each_other(self, page: Page) -> None:
        keep = self.keep(page, 2)
        keep.check()
        expect(field(page, 2, "Access Key ID")).to_have_value("")
        field(page, 2, "Secret Access Key").fill(SECRET)
        expect(keep).not_to_be_checked()
        keep.check()
        expect(field(page, 2, "Secret Access Key")).to_have_value("")
        expect(keep).to_be_checked()
        field(page, 4, "Access Key ID").fill(ID)
        field(page, 4, "Secret Access Key").fill(SECRET)
        page.get_by_role("button", name="Use these credentials in every row").click()
        for number in (2, 3):
            expect(self.keep(page, number)).not_to_be_checked()

    def test_what_was_emptied_and_what_is_kept_moves_with_its_row(self, page: Page, stage: Stage) -> None:
        stage.on("POST", CHECKS, Reply(part("check-regions-done", "pressed")))
        group(page, 3).get_by_text("Keep the stored key", exact=True).click()
        page.get_by_role("button", name="Remove region 1", exact=True).click()
        page.get_by_role("button", name="Move region 2 to first").click()
        expect(self.keep(page, 1)).to_be_checked()
        expect(self.keep(page, 2)).not_to_be_checked()
        group(page, 2).get_by_text("Keep the stored key", exact=True).click()
        group(page, 2).get_by_text("Keep the stored key", exact=True).click()
        expect(self.keep(page, 1)).to_be_checked()
        for number in (2, 3):
            field(page, number, "Secret Access Key").fill(SECRET)

        page.get_by_role("button", name="Test credentials", exact=True).click()
        expect(page.get_by_role("status", name="Test result").locator("li")).to_have_count(3)
        sent = parse_qs(stage.asked("POST", CHECKS)[0].post_data or "", keep_blank_values=True)
        assert {name: values for name, values in sent.items() if name.startswith("regions-")} == {
            "regions-0-region": ["eu-south-1"],
            "regions-0-access_key_id": [""],
            "regions-0-secret_access_key": [""],
            "regions-0-emptied": ["on"],
            "regions-0-keep_stored": ["on"],
            "regions-1-region": ["eu-central-1"],
            "regions-1-access_key_id": [ID],
            "regions-1-secret_access_key": [SECRET],
            "regions-1-emptied": ["on"],
            "regions-2-region": ["eu-west-3"],
            "regions-2-access_key_id": [ID],
            "regions-2-secret_access_key": [SECRET],
        }

    def test_a_row_more_asks_for_no_more_than_the_regions(self, page: Page, stage: Stage) -> None:
        stage.on("GET", EDIT, _another_row)
        self.keep(page, 2).check()
        add(page)
        asked = parse_qs(urlsplit(stage.asked("GET", EDIT)[0].url).query)
        assert set(asked) == {"provider", *(f"regions-{place}-region" for place in range(4))}
        expect(self.keep(page, 2)).to_be_checked()
        expect(self.keep(page, 5)).to_have_count(0)

    def test_the_summary_leads_to_each_row_wherever_it_is(self, page: Page) -> None:
        links = page.get_by_role("alert").get_by_role("link", name="of region")
        expect(links).to_have_text(["Secret Access Key of region 2", "Secret Access Key of region 3"])
        page.get_by_role("button", name="Remove region 1", exact=True).click()
        expect(links).to_have_text(["Secret Access Key of region 1", "Secret Access Key of region 2"])
        links.last.click()
        expect(field(page, 2, "Secret Access Key")).to_be_focused()
        expect(field(page, 2, "Region")).to_have_value("eu-south-1")
        page.get_by_role("button", name="Remove region 1", exact=True).click()
        expect(links).to_have_text(["Secret Access Key of region 1"])
        links.click()
        expect(field(page, 1, "Secret Access Key")).to_be_focused()

    def test_a_press_of_the_test_makes_history_of_the_refusal_but_not_of_the_choice(
        self, page: Page, stage: Stage
    ) -> None:
        stage.on("POST", CHECKS, Reply(part("check-regions-done", "pressed")))
        self.keep(page, 2).check()
        for number in (3, 4):
            field(page, number, "Access Key ID").fill(ID)
            field(page, number, "Secret Access Key").fill(SECRET)
        page.get_by_role("button", name="Test credentials", exact=True).click()
        expect(page.get_by_role("status", name="Test result").locator("li")).to_have_count(3)
        expect(page.get_by_text("emptied for safety")).to_have_count(0)
        expect(page.locator("[aria-invalid]")).to_have_count(0)
        expect(self.keep(page, 2)).to_be_checked()
        expect(self.keep(page, 3)).not_to_be_checked()

    def test_a_row_that_was_emptied_needs_its_secret_or_the_tick(self, page: Page, stage: Stage) -> None:
        stage.on("POST", CHECKS, Reply(part("check-regions-done", "pressed")))
        for number in (3, 4):
            field(page, number, "Access Key ID").fill(ID)
            field(page, number, "Secret Access Key").fill(SECRET)
        page.get_by_role("button", name="Test credentials", exact=True).click()
        blank = field(page, 2, "Secret Access Key")
        expect(blank).to_be_focused()
        expect(blank).to_have_accessible_description(
            "Type the new secret access key again, or tick “Keep the stored key”."
        )
        expect(field(page, 3, "Secret Access Key")).to_have_value(SECRET)
        assert stage.asked("POST", CHECKS) == []
        self.keep(page, 2).check()
        expect(page.locator("[aria-invalid]")).to_have_count(0)
        page.get_by_role("button", name="Test credentials", exact=True).click()
        expect(page.get_by_role("status", name="Test result").locator("li")).to_have_count(3)


class TestBlanks:
    """A row that was begun needs all three parts; a press without them costs nobody what was typed."""

    @pytest.fixture
    def page(self, page: Page) -> Page:
        fill(page, 1, "us-east-1")
        add(page)
        return page

    @pytest.mark.parametrize("press", ["Test credentials", "Save"])
    def test_a_press_says_what_is_missing_and_keeps_what_was_typed(self, page: Page, stage: Stage, press: str) -> None:
        page.get_by_label("Name", exact=True).fill("Fleet")
        page.get_by_label("Assign to entire organization").check()
        field(page, 2, "Access Key ID").fill(ID)
        page.get_by_role("button", name=press, exact=True).click()
        expect(field(page, 2, "Region")).to_be_focused()
        expect(field(page, 2, "Region")).to_have_accessible_description("Choose a region.")
        expect(field(page, 2, "Secret Access Key")).to_have_accessible_description("Enter the secret access key.")
        expect(page.locator("[aria-invalid]")).to_have_count(2)
        expect(field(page, 1, "Secret Access Key")).to_have_value(SECRET)
        assert [request for request in stage.requests if SECRET in (request.post_data or "")] == []

    @pytest.mark.parametrize("press", ["Test credentials", "Save"])
    def test_where_no_row_was_begun_the_first_one_is_needed(self, stage: Stage, press: str) -> None:
        page = stage.open("form-regions", NEW)
        page.get_by_label("Name", exact=True).fill("Fleet")
        page.get_by_label("Assign to entire organization").check()
        page.get_by_role("button", name=press, exact=True).click()
        expect(field(page, 1, "Region")).to_be_focused()
        expect(page.locator("[aria-invalid]")).to_have_count(3)
        assert stage.asked("POST", NEW) == stage.asked("POST", CHECKS) == []

    def test_a_row_of_which_nothing_was_said_is_in_nobodys_way(self, page: Page, stage: Stage) -> None:
        stage.on("POST", CHECKS, Reply(part("check-regions-done", "pressed")))
        page.get_by_role("button", name="Test credentials", exact=True).click()
        expect(page.get_by_role("status", name="Test result").locator("li")).to_have_count(3)

    def test_what_is_said_holds_until_it_is_put_right(self, page: Page, stage: Stage) -> None:
        stage.on("POST", CHECKS, Reply(part("check-regions-done", "pressed")))
        field(page, 2, "Region").select_option("eu-central-1")
        page.get_by_role("button", name="Test credentials", exact=True).click()
        expect(field(page, 2, "Access Key ID")).to_be_focused()
        expect(field(page, 2, "Access Key ID")).to_have_accessible_description("Enter the access key ID.")
        field(page, 2, "Access Key ID").fill(ID)
        expect(page.locator("[aria-invalid]")).to_have_count(1)
        field(page, 2, "Secret Access Key").fill(SECRET)
        expect(page.locator("[aria-invalid]")).to_have_count(0)
        page.get_by_role("button", name="Test credentials", exact=True).click()
        expect(page.get_by_role("status", name="Test result").locator("li")).to_have_count(3)

    def test_a_removed_row_takes_along_what_was_said_of_it(self, page: Page, stage: Stage) -> None:
        stage.on("POST", CHECKS, Reply(part("check-regions-done", "pressed")))
        field(page, 2, "Access Key ID").fill(ID)
        page.get_by_role("button", name="Test credentials", exact=True).click()
        expect(page.locator("[aria-invalid]")).to_have_count(2)
        page.get_by_role("button", name="Remove region 2", exact=True).click()
        expect(page.locator("[aria-invalid]")).to_have_count(0)
        page.get_by_role("button", name="Test credentials", exact=True).click()
        expect(page.get_by_role("status", name="Test result").locator("li")).to_have_count(3)


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2"])
def test_a_stored_row_may_be_left_blank_until_it_is_for_another_region(stage: Stage, region: str) -> None:
    page = stage.open("form-regions-edit")
    stored = field(page, 1, "Region").input_value()
    checks = page.get_by_role("button", name="Test credentials", exact=True).get_attribute("hx-post") or ""
    stage.on("POST", checks, Reply(part("check-regions-done", "pressed")))
    field(page, 1, "Region").select_option(region)
    page.get_by_role("button", name="Test credentials", exact=True).click()
    if region == stored:
        expect(page.get_by_role("status", name="Test result").locator("li")).to_have_count(3)
    else:
        expect(field(page, 1, "Access Key ID")).to_be_focused()
        assert stage.asked("POST", checks) == []


def test_a_region_is_chosen_once(page: Page) -> None:
    for _ in range(2):
        add(page)
    fill(page, 1, "us-east-1")
    taken = field(page, 2, "Region").get_by_role("option", name=re.compile("us-east-1"), include_hidden=True)
    expect(taken).to_be_disabled()
    fill(page, 2, "eu-central-1")
    assert off(page, 3) == ["us-east-1", "eu-central-1"]
    # What is given up is for all again, and so is what a removed row had.
    field(page, 1, "Region").select_option("us-west-2")
    assert off(page, 3) == ["us-west-2", "eu-central-1"]
    page.get_by_role("button", name="Remove region 2", exact=True).click()
    assert off(page, 2) == ["us-west-2"]
    assert off(page, 1) == []


def off(page: Page, number: int) -> list[str]:
    """The regions that the row doesn't offer, in the order of the rows that have them."""
    disabled: list[str] = field(page, number, "Region").evaluate(
        "select => [...select.options].filter((one) => one.disabled).map((one) => one.value)"
    )
    return sorted(disabled, key=chosen(page).index)
