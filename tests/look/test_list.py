"""The BYOK list, as hands and eyes meet it: menus, tests in a row, search, tooltips."""

import re
from datetime import timedelta
from types import SimpleNamespace as Thing
from urllib.parse import quote_plus

import pytest
from django.template.loader import render_to_string
from django.utils.html import format_html
from playwright.sync_api import Page, expect

from organizations import tokens
from providerkeys.providers import whole_keys
from tests.accessibility import DARK_PHONE, LIGHT, faults
from tests.fakeproviders import samples
from tests.look.conftest import Build
from tests.look.stage import NEVER, ORIGIN, Reply, Request, Stage, part, whole
from tests.look.states import PAGES, Toast
from tests.look.things import ACTIVE, DISABLED, KEYS, checked, told

pytestmark = pytest.mark.browser

LIST = "/orgs/acme/provider-keys/"
KEY = KEYS[3]
ROW = f"#row-{KEY.id}"
MINUTES_AGO = re.compile(r"^used \d+ min ago$")
CUT = "element => element.scrollWidth > element.clientWidth"
OPEN_CHECK = "/orgs/acme/provider-keys/checks/chk_row/"


@pytest.fixture
def page(stage: Stage) -> Page:
    return stage.open("list", LIST)


def row(**changes: object) -> str:
    return part("list", "row", key=told(Thing(**{**vars(KEY), **changes})))


def test_a_menu_opens_by_keyboard_walks_by_arrows_and_gives_focus_back(page: Page) -> None:
    button = page.get_by_role("button", name=f"Actions for {KEY.name}", exact=True)
    button.press("Enter")
    names = ["Edit", "Replace credentials", "Test credentials", "Disable", "Delete"]
    for name in [*names, names[0]]:
        expect(page.get_by_role("menuitem", name=name, exact=True)).to_be_focused()
        page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="Delete", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(button).to_be_focused()


def test_delete_asks_first_with_focus_on_cancel_and_gives_focus_back_to_the_row(page: Page, stage: Stage) -> None:
    stage.on("GET", f"{LIST}{KEY.id}/delete/", Reply(part("delete", "sheet")))
    button = page.get_by_role("button", name=f"Actions for {KEY.name}", exact=True)
    button.click()
    page.get_by_role("menuitem", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog", name="Delete Bedrock fleet")
    expect(dialog).to_contain_text("2 API keys lose AWS Bedrock")
    expect(dialog).to_contain_text("1 API key moves to Bedrock EU")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Cancel").press("Enter")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()


def moved(words: str) -> dict[str, object]:
    """What the list is given beside its rows after one of them was moved."""
    return {
        "moved": True,
        "messages": [Toast("success", format_html('<span data-moved="{}">{}</span>', KEYS[2].id, words))],
    }


def test_a_moved_row_keeps_focus_at_its_menu_and_says_where_it_went(page: Page, stage: Stage) -> None:
    first, second = KEYS[1], KEYS[2]
    swapped = [KEYS[0], second, first, *KEYS[3:]]
    table = part("list", "table", keys=swapped, **moved("Overflow account moved up: it is tried first."))
    stage.on("POST", f"{LIST}{second.id}/position/", Reply(table))
    button = page.get_by_role("button", name="Actions for Overflow account", exact=True)
    button.press("Enter")
    expect(page.get_by_role("menuitem", name="Move down", exact=True)).to_be_disabled()
    page.get_by_role("menuitem", name="Move up", exact=True).press("Enter")
    expect(page.get_by_role("status", name="Messages")).to_contain_text("Overflow account moved up: it is tried first.")
    expect(page.locator("tbody tr").nth(1)).to_contain_text("Overflow account")
    expect(button).to_be_focused()
    request = stage.asked("POST", f"{LIST}{second.id}/position/")[0]
    assert "move=up" in (request.post_data or "")
    assert "csrfmiddlewaretoken" in (request.post_data or "")


MARKED = re.compile("table__saved")


def test_a_moved_row_is_marked_until_the_table_is_drawn_anew(page: Page, stage: Stage) -> None:
    first, second = KEYS[1], KEYS[2]
    table = part("list", "table", keys=[second, first], **moved("Overflow account moved up."))
    stage.on("POST", f"{LIST}{second.id}/position/", Reply(table))
    page.get_by_role("button", name="Actions for Overflow account", exact=True).press("Enter")
    page.get_by_role("menuitem", name="Move up", exact=True).press("Enter")
    expect(page.locator(f"#row-{second.id}")).to_have_class(MARKED)
    expect(page.locator(f"#row-{first.id}")).not_to_have_class(MARKED)
    stage.on("GET", LIST, Reply(part("list", "table", keys=[second])))
    page.get_by_role("searchbox", name="Search provider keys").fill("overflow")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator(f"#row-{second.id}")).not_to_have_class(MARKED)


def test_a_row_that_was_moved_by_a_page_of_its_own_is_marked_too(stage: Stage) -> None:
    template, context = PAGES["list"]
    stage.on("GET", LIST, Reply(render_to_string(template, {**context, **moved("Overflow account moved up.")})))
    expect(stage.open("list", LIST).locator(f"#row-{KEYS[2].id}")).to_have_class(MARKED)


class Column:
    """A list that is longer than any window, whose middle row is moved and moved again."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.name, self.at = stage, "Row 20", 20
        self.rows = [
            told(Thing(**{**vars(KEYS[2]), "id": f"pk_{number}", "name": f"Row {number}", "may_move_up": True}))
            for number in range(40)
        ]
        template, context = PAGES["list"]
        stage.on("GET", LIST, Reply(render_to_string(template, {**context, "keys": self.rows})))
        self.page = stage.open("list", LIST)
        self.row = self.page.locator("#row-pk_20")
        self.button = self.page.get_by_role("button", name=f"Actions for {self.name}", exact=True)
        self.toasts = self.page.locator("[data-toast]")

    def move_up(self, *, to: int) -> None:
        self.rows.insert(to, self.rows.pop(self.at))
        self.at = to
        table = part("list", "table", keys=self.rows, **moved(f"{self.name} moved up, tried as number {to}."))
        self.stage.on("POST", f"{LIST}pk_20/position/", Reply(table))
        self.button.press("Enter")
        self.page.get_by_role("menuitem", name="Move up", exact=True).press("Enter")
        expect(self.toasts).to_have_text([f"{self.name} moved up, tried as number {to}."])

    @property
    def scrolled(self) -> float:
        return float(self.page.evaluate("scrollY"))

    def sees_the_row_free_of_bar_and_message(self) -> bool:
        boxes = [one.bounding_box() for one in (self.row, self.page.locator(".shell__bar"), self.toasts)]
        row, bar, toast = (box for box in boxes if box)
        ceiling = bar["y"] + bar["height"] if bar["width"] == self.width else 0
        return ceiling <= row["y"] and row["y"] + row["height"] <= toast["y"]

    @property
    def width(self) -> int:
        assert self.page.viewport_size
        return self.page.viewport_size["width"]


@pytest.mark.parametrize("width", [360, 1280])
def test_a_moved_row_stays_in_view_and_a_message_for_all_says_where_it_went(stage: Stage, width: int) -> None:
    column = Column(stage)
    column.page.set_viewport_size({"width": width, "height": 740})
    column.row.evaluate("row => row.scrollIntoView({block: 'center'})")
    before = column.scrolled
    assert before > 740
    column.move_up(to=19)
    # At most by what the row itself has moved.
    assert abs(column.scrolled - before) <= column.row.evaluate("row => row.offsetHeight")
    assert column.sees_the_row_free_of_bar_and_message()
    expect(column.button).to_be_focused()
    # Heard once: as the message that is seen, which the next one replaces.
    expect(column.page.locator("[data-announced]")).to_be_empty()
    column.move_up(to=18)
    # One that goes far is followed.
    column.move_up(to=2)
    assert column.scrolled < before
    assert column.sees_the_row_free_of_bar_and_message()
    expect(column.button).to_be_focused()


def test_a_message_of_a_move_leaves_by_itself_and_no_other_for_it(build: Build) -> None:
    # In a window of its own: a clock that was taken over stays so.
    stage = build()
    stage.page.clock.install()
    page = stage.open("list-toasts", LIST)
    table = part("list", "table", keys=KEYS, **moved("Overflow account moved up: it is tried first."))
    stage.on("POST", f"{LIST}{KEYS[2].id}/position/", Reply(table))
    page.get_by_role("button", name="Actions for Overflow account", exact=True).press("Enter")
    page.get_by_role("menuitem", name="Move up", exact=True).press("Enter")
    said = page.locator("[data-toast]")
    expect(said.last).to_have_text("Overflow account moved up: it is tried first.")
    expect(said).to_have_count(2)
    page.clock.run_for(20_000)
    expect(page.locator("[data-line]")).to_have_text(
        ["Bedrock shared was created. Its test is running.", "Saved untested."]
    )


def test_a_search_after_a_move_says_only_what_it_found(page: Page, stage: Stage) -> None:
    table = part("list", "table", keys=KEYS, **moved("Overflow account moved up: it is tried first."))
    stage.on("POST", f"{LIST}{KEYS[2].id}/position/", Reply(table))
    page.get_by_role("button", name="Actions for Overflow account", exact=True).press("Enter")
    page.get_by_role("menuitem", name="Move up", exact=True).press("Enter")
    expect(page.locator("[data-toast]")).to_have_count(1)
    stage.on("GET", LIST, Reply(part("list-no-match", "table")))
    page.get_by_role("searchbox", name="Search provider keys").fill("nope")
    expect(page.locator("[data-announced]")).to_have_text("No provider key matches")
    expect(page.locator("[data-toast]")).to_have_count(1)


def test_enabling_asks_first_where_it_takes_over_and_gives_focus_back(page: Page, stage: Stage) -> None:
    key = KEYS[5]
    asked = Reply(part("enable", "sheet"), headers={"HX-Retarget": "#dialog", "HX-Reswap": "innerHTML"})
    stage.on("POST", f"{LIST}{key.id}/activation/", asked)
    button = page.get_by_role("button", name=f"Actions for {key.name}", exact=True)
    button.click()
    page.get_by_role("menuitem", name="Enable", exact=True).click()
    dialog = page.get_by_role("dialog", name="Enable Trial key")
    expect(dialog).to_contain_text("3 API keys move to this key")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_replacing_credentials_is_the_edit_form_with_the_secret_in_focus(page: Page, stage: Stage) -> None:
    stage.on("GET", f"{LIST}{KEY.id}/", Reply(part("form-edit", "form")))
    page.get_by_role("button", name=f"Actions for {KEY.name}", exact=True).click()
    page.get_by_role("menuitem", name="Replace credentials", exact=True).click()
    dialog = page.get_by_role("dialog", name="Edit Provider Key")
    expect(dialog).to_have_accessible_description(f"OpenAI {KEY.name} {KEY.hint}")
    expect(dialog.get_by_label("API Key", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("button", name=f"Actions for {KEY.name}", exact=True).click()
    page.get_by_role("menuitem", name="Edit", exact=True).click()
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()


def test_a_name_opens_its_form_over_the_list_and_gets_focus_back(page: Page, stage: Stage) -> None:
    stage.on("GET", f"{LIST}{KEY.id}/", Reply(part("form-edit", "form")))
    name = page.get_by_role("table").get_by_role("link", name=KEY.name, exact=True)
    name.click()
    dialog = page.get_by_role("dialog", name="Edit Provider Key")
    expect(dialog).to_have_accessible_description(f"OpenAI {KEY.name} {KEY.hint}")
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    expect(page).to_have_url(f"{ORIGIN}{LIST}")
    page.keyboard.press("Escape")
    expect(name).to_be_focused()


def test_the_ring_around_a_focused_name_is_seen_whole(page: Page) -> None:
    name = page.get_by_role("table").get_by_role("link", name=KEY.name, exact=True)
    name.focus()
    page.keyboard.press("Shift+Tab")
    ring = "one => getComputedStyle(one).outlineStyle"
    box = name.locator("..")
    assert box.evaluate(ring) == "none"
    page.keyboard.press("Tab")
    expect(name).to_be_focused()
    assert (box.evaluate(ring), name.evaluate(ring)) == ("solid", "none")


def test_focus_stays_at_a_name_whose_row_is_drawn_anew(page: Page, stage: Stage) -> None:
    stage.on("POST", f"{LIST}{KEY.id}/checks/", Reply(row(open_check=Thing(url=OPEN_CHECK))))
    drawn = iter([row(open_check=Thing(url=OPEN_CHECK)), row(status_badges=KEYS[2].status_badges)])
    stage.on("GET", OPEN_CHECK, lambda _: Reply(next(drawn)))
    page.get_by_role("button", name=f"Actions for {KEY.name}", exact=True).click()
    page.get_by_role("menuitem", name="Test credentials", exact=True).click()
    expect(page.locator(ROW)).to_contain_text("Testing")
    name = page.get_by_role("link", name=KEY.name, exact=True)
    name.focus()
    expect(page.locator(ROW)).not_to_contain_text("Testing")
    expect(name).to_be_focused()


def test_to_a_member_a_name_is_text(stage: Stage) -> None:
    page = stage.open("list-member", LIST)
    expect(page.get_by_role("table").get_by_text(KEY.name, exact=True)).to_be_visible()
    expect(page.get_by_role("table").get_by_role("link")).to_have_count(0)


def test_replacing_credentials_works_on_a_page_of_its_own(stage: Stage) -> None:
    stage.on("GET", f"{LIST}{KEY.id}/", Reply(whole("form-edit")))
    stage.page.goto(f"{ORIGIN}{LIST}{KEY.id}/?focus=credentials")
    expect(stage.page.get_by_label("API Key", exact=True)).to_be_focused()


def test_two_keys_of_one_name_are_told_apart_by_their_provider(page: Page) -> None:
    buttons = page.get_by_role("button", name="Actions for Production Key", exact=True)
    expect(buttons.first).to_have_accessible_description("Anthropic")
    expect(buttons.last).to_have_accessible_description("OpenAI")
    expect(page.get_by_role("button", name=re.compile("^CI account, checked"))).to_be_visible()


def test_a_test_in_a_row_changes_that_row_alone(page: Page, stage: Stage) -> None:
    stage.on("POST", f"{LIST}{KEY.id}/checks/", Reply(row(open_check=Thing(url=OPEN_CHECK))))
    # Open until that was seen, however long a look takes.
    stage.on("GET", OPEN_CHECK, Reply(row(open_check=Thing(url=OPEN_CHECK))))
    page.locator(f"{ROW} + tr").evaluate("element => { element.seen = true }")
    page.get_by_role("button", name=f"Actions for {KEY.name}", exact=True).click()
    page.get_by_role("menuitem", name="Test credentials", exact=True).click()
    expect(page.locator(ROW)).to_contain_text("Testing")
    stage.on("GET", OPEN_CHECK, Reply(row(status_badges=KEYS[2].status_badges)))
    expect(page.locator(ROW)).to_contain_text("Limited")
    expect(page.get_by_role("status", name="Messages")).to_contain_text("CI account: Invalid. OpenAI doesn’t recognize")
    expect(page.locator(ROW)).not_to_contain_text("Testing")
    assert page.locator(f"{ROW} + tr").evaluate("element => element.seen")
    request = stage.asked("POST", f"{LIST}{KEY.id}/checks/")[0]
    assert request.headers["hx-target"] == f"row-{KEY.id}"
    assert "csrfmiddlewaretoken" in (request.post_data or "")


def press_for_a_test(page: Page, stage: Stage, verdict: str) -> None:
    """Press in the row's menu; the check answers with the row ``verdict``."""
    stage.on("POST", f"{LIST}{KEY.id}/checks/", Reply(row(open_check=Thing(url=OPEN_CHECK))))
    stage.on("GET", OPEN_CHECK, Reply(verdict))
    page.get_by_role("button", name=f"Actions for {KEY.name}", exact=True).click()
    page.get_by_role("menuitem", name="Test credentials", exact=True).click()


def test_whoever_pressed_for_the_test_of_a_row_is_told_what_came_of_it(page: Page, stage: Stage) -> None:
    message, line = page.locator("[data-toast]"), page.locator("[data-line]")
    press_for_a_test(page, stage, row())
    expect(message).to_contain_text("CI account: Invalid. OpenAI doesn’t recognize this key.")
    expect(line).to_have_class(re.compile(r"\btone-red\b"))
    expect(message.get_by_role("link")).to_have_attribute("href", "https://openai.example/keys")
    # Told once: what stands there is not said by a second place.
    assert not page.locator("[data-announced]").text_content()

    press_for_a_test(page, stage, row(status_badges=[ACTIVE], last_check=checked(timedelta(0))))
    expect(message).to_have_text(re.compile(r"^\s*CI account: Valid\. OpenAI accepted the key\.\s*$"))
    expect(line).to_have_class(re.compile(r"\btone-green\b"))


def test_that_a_test_learned_nothing_of_a_key_that_works_is_no_good_news(page: Page, stage: Stage) -> None:
    nothing = checked(timedelta(0), "Unreachable", "OpenAI didn’t answer in time.", "grey")
    press_for_a_test(page, stage, row(status_badges=[ACTIVE], last_check=nothing))
    expect(page.locator("[data-line]")).to_contain_text("CI account: Unreachable. OpenAI didn’t answer in time.")
    expect(page.locator("[data-line]")).to_have_class(re.compile(r"\btone-amber\b"))


def test_of_a_test_that_somebody_else_has_pressed_for_no_message_stands_in_the_way(stage: Stage) -> None:
    template, context = PAGES["list"]
    stage.on("GET", LIST, Reply(render_to_string(template, {**context, "keys": [*KEYS[:3], under_test()]})))
    stage.on("GET", OPEN_CHECK, Reply(row()))
    page = stage.open("list", LIST)
    expect(page.locator("[data-announced]")).to_contain_text("CI account: Invalid.")
    expect(page.locator("[data-toast]")).to_have_count(0)


def test_what_a_message_has_told_is_not_told_again_with_another_table(stage: Stage) -> None:
    stage.on("GET", OPEN_CHECK, Reply(row(open_check=Thing(url=OPEN_CHECK))))
    page = saved(stage, *KEYS[:3], under_test())
    with page.expect_response(f"**{LIST}{KEY.id}/checks/"):
        press_for_a_test(page, stage, row(open_check=Thing(url=OPEN_CHECK)))
    stage.on("GET", OPEN_CHECK, Reply(row()))
    expect(page.locator("[data-line]")).to_contain_text("Its test said: Invalid.")
    page.get_by_role("button", name="Dismiss").click()
    stage.on("GET", LIST, Reply(part("list", "table", keys=[told(KEY)])))
    page.get_by_role("combobox", name="Filter by provider").select_option("openai")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.locator("[data-toast]")).to_have_count(0)


def test_the_verdict_is_told_also_where_the_table_was_drawn_anew_meanwhile(page: Page, stage: Stage) -> None:
    press_for_a_test(page, stage, row(open_check=Thing(url=OPEN_CHECK)))
    expect(page.locator(ROW)).to_contain_text("Testing")
    stage.on("GET", LIST, Reply(part("list", "table", keys=[told(KEY)])))
    page.get_by_role("combobox", name="Filter by provider").select_option("openai")
    expect(page.locator("[data-line]")).to_contain_text("CI account: Invalid.")


@pytest.mark.parametrize(("tone", "drawn"), [("red", "red"), ("green", "green"), ("", "amber")])
def test_of_a_disabled_key_the_verdict_decides_how_it_is_told(page: Page, stage: Stage, tone: str, drawn: str) -> None:
    judged = row(status_badges=[DISABLED]).replace('data-told="red"', f'data-told="{tone}"')
    press_for_a_test(page, stage, judged)
    line = page.locator("[data-line]")
    expect(line).to_have_count(1)
    expect(line).to_contain_text("CI account: Invalid. OpenAI doesn’t recognize this key.")
    expect(line).to_have_class(re.compile(rf"\btone-{drawn}\b"))
    # Its sign is not the badge's pause.
    sign, badge = line.locator("svg"), page.locator(ROW).locator(".provider-keys__status svg")
    assert sign.inner_html() != badge.inner_html()


def test_a_failed_test_in_a_row_is_told_above_the_list(page: Page, stage: Stage) -> None:
    limit = part(
        "lost", "fragment", status=429, headline="Too many tests at once.", text="Try again in 12 s.", actions=[]
    )
    stage.on("POST", f"{LIST}{KEY.id}/checks/", Reply(limit, 429))
    page.get_by_role("button", name=f"Actions for {KEY.name}", exact=True).click()
    page.get_by_role("menuitem", name="Test credentials", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Try again in 12 s.")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.locator(ROW)).to_contain_text(KEY.name)


def test_a_row_that_is_gone_leaves_the_list(page: Page, stage: Stage) -> None:
    stage.on("POST", f"{LIST}{KEY.id}/checks/", Reply(row(open_check=Thing(url=OPEN_CHECK))))
    stage.on("GET", OPEN_CHECK, Reply(part("lost", "fragment"), 404))
    page.get_by_role("button", name=f"Actions for {KEY.name}", exact=True).click()
    page.get_by_role("menuitem", name="Test credentials", exact=True).click()
    expect(page.locator(ROW)).to_have_count(0)


def saved(stage: Stage, *keys: Thing) -> Page:
    """The list after a save whose test is running, with ``keys`` in it."""
    running = format_html('CI account was saved. <span data-running="{}">Its test is running.</span>', KEY.id)
    template, context = PAGES["list"]
    shown = {**context, "keys": list(keys), "messages": [Toast("success", running)]}
    stage.on("GET", LIST, Reply(render_to_string(template, shown)))
    return stage.open("list", LIST)


def under_test() -> Thing:
    """The row's key while its test runs."""
    return told(Thing(**{**vars(KEY), "open_check": Thing(url=OPEN_CHECK)}))


def test_the_verdict_takes_the_place_of_its_test_is_running(stage: Stage) -> None:
    stage.on("GET", OPEN_CHECK, Reply(row(open_check=Thing(url=OPEN_CHECK))))
    page = saved(stage, *KEYS[:3], under_test())
    messages = page.get_by_role("status", name="Messages")
    toast = messages.locator("[data-line]")
    expect(toast).to_have_text("CI account was saved. Its test is running.")
    stage.on("GET", OPEN_CHECK, Reply(row()))
    expect(toast).to_contain_text("CI account was saved. Its test said: Invalid. OpenAI doesn’t recognize this key.")
    expect(toast).to_have_class("toast__line tone-red")
    # In the row's tooltip nothing can be pressed; here the next step leads to its place.
    expect(toast.get_by_role("link", name="OpenAI’s keys")).to_have_attribute("href", "https://openai.example/keys")
    # What is heard of it is heard once.
    expect(messages.locator("[data-announced]")).to_be_empty()


def test_a_verdict_that_was_there_before_the_page_is_said_at_once(stage: Stage) -> None:
    page = saved(stage, *KEYS[:3], told(KEY))
    toast = page.get_by_role("status", name="Messages").locator("[data-line]")
    expect(toast).to_contain_text("CI account was saved. Its test said: Invalid. OpenAI doesn’t recognize this key.")
    expect(toast).to_have_class("toast__line tone-red")


def test_that_nothing_could_be_learned_stays_until_it_is_read(build: Build) -> None:
    stage = build()
    stage.on("GET", OPEN_CHECK, Reply(row(open_check=Thing(url=OPEN_CHECK))))
    stage.page.clock.install()
    untested = Thing(word="Untested", tone="outline", icon="circle-dashed")
    page = saved(stage, *KEYS[:3], told(Thing(**{**vars(KEY), "status_badges": [untested]})))
    expect(page.locator("[data-line]")).to_contain_text("Its test said:")
    page.clock.run_for(20_000)
    expect(page.locator("[data-line]")).to_have_count(1)


def test_what_was_saved_is_brought_into_view(stage: Stage) -> None:
    said = format_html('<span data-saved="{}">CI account was saved.</span>', KEY.id)
    template, context = PAGES["list"]
    many = [told(Thing(**{**vars(KEY), "id": f"pk_9{number:021}"})) for number in range(40)]
    shown = {**context, "keys": [*many, told(KEY)], "messages": [Toast("success", said)]}
    stage.on("GET", LIST, Reply(render_to_string(template, shown)))
    page = stage.open("list", LIST)
    saved_row = page.locator(f"#row-{KEY.id}")
    expect(saved_row).to_be_in_viewport(ratio=1)
    toast = page.locator("[data-toast]").bounding_box()
    row_box = saved_row.bounding_box()
    assert toast
    assert row_box
    assert row_box["y"] + row_box["height"] <= toast["y"]


SAVED = format_html(
    '<span data-saved="{0}">CI account was saved.</span> <span data-running="{0}">Its test is running.</span>', KEY.id
)
WHAT_FOLLOWS = format_html(
    'Requests use the new key within 5 s. <span data-awaits="{}">Revoke the old one once a test says so.</span>'
    '<template data-then="green">Now revoke it.</template><template data-then="red">It failed its test.</template>',
    KEY.id,
)
HIDDEN = "It isn’t among the rows that are shown: show it."


def saved_elsewhere(stage: Stage, *shown: Thing) -> Page:
    """The list after a save, with ``shown`` in it; what is searched for is the saved key, while its test runs."""
    template, context = PAGES["list"]
    messages = [Toast("success", SAVED), Toast("info", WHAT_FOLLOWS)]
    page = render_to_string(template, {**context, "keys": list(shown), "messages": messages})

    def answer(request: Request) -> Reply:
        return Reply(part("list", "table", keys=[under_test()])) if KEY.id in request.url else Reply(page)

    stage.on("GET", OPEN_CHECK, Reply(row(open_check=Thing(url=OPEN_CHECK))))
    stage.on("GET", LIST, answer)
    return stage.open("list", LIST)


def test_what_was_saved_and_is_not_shown_is_shown_by_one_press_that_keeps_the_messages(stage: Stage) -> None:
    page = saved_elsewhere(stage, *KEYS[:3])
    toasts = page.locator("[data-line]")
    expect(toasts.first).to_have_text(f"CI account was saved. Its test is running. {HIDDEN}")
    toasts.first.get_by_role("link", name="show it").click()
    expect(page.locator(f"#row-{KEY.id}")).to_be_visible()
    expect(page.get_by_role("searchbox", name="Search provider keys")).to_have_value(KEY.id)
    expect(page).to_have_url(re.compile(f"[?&]q={KEY.id}"))
    expect(toasts).to_have_count(2)
    expect(toasts.first).to_have_text("CI account was saved. Its test is running. It is shown alone: back to the list.")


def test_from_what_is_shown_alone_one_press_leads_back_to_what_was_shown(stage: Stage) -> None:
    page = saved_elsewhere(stage, *KEYS[:3])
    toast = page.locator("[data-line]").first
    page.get_by_role("combobox", name="Filter by status").evaluate("field => { field.value = 'active'; }")
    toast.get_by_role("link", name="show it").click()
    expect(page).to_have_url(re.compile(f"[?&]q={KEY.id}"))
    stage.on("GET", LIST, Reply(part("list", "table", keys=KEYS[:3])))
    other = toast.get_by_role("link", name="back to the list")
    expect(other).to_have_attribute("href", LIST)
    other.click()
    expect(page).to_have_url(re.compile(f"{LIST}$"))
    expect(page.get_by_role("searchbox", name="Search provider keys")).to_have_value("")
    expect(page.get_by_role("combobox", name="Filter by status")).to_have_value("active")
    expect(toast).to_have_text("CI account was saved. Its test is running.")


def test_the_way_back_is_gone_once_something_else_is_asked_for(stage: Stage) -> None:
    page = saved_elsewhere(stage, *KEYS[:3])
    toast = page.locator("[data-line]").first
    toast.get_by_role("link", name="show it").click()
    expect(toast).to_contain_text("It is shown alone")
    page.get_by_role("searchbox", name="Search provider keys").fill("other")
    expect(toast).to_have_text("CI account was saved. Its test is running.")
    # Its answer has come.
    expect(page).to_have_url(re.compile("[?&]q=other"))


@pytest.mark.parametrize("width", [360, 1280])
def test_what_is_shown_by_that_press_is_brought_into_view_clear_of_the_messages(stage: Stage, width: int) -> None:
    page = saved_elsewhere(stage, *KEYS[:3])
    page.set_viewport_size({"width": width, "height": 640})
    page.evaluate("scrollTo(0, 0)")
    many = [told(Thing(**{**vars(KEYS[1]), "id": f"pk_9{number:021}"})) for number in range(20)]
    stage.on("GET", LIST, Reply(part("list", "table", keys=[*many, under_test()])))
    page.locator("[data-line]").first.get_by_role("link", name="show it").click()
    shown = page.locator(f"#row-{KEY.id}")
    expect(shown).to_have_class(MARKED)
    row, messages = shown.bounding_box(), page.locator("#messages").bounding_box()
    assert row
    assert messages
    assert row["y"] >= 0
    assert row["y"] + row["height"] <= messages["y"]


def test_the_verdict_is_told_on_a_page_without_a_list_too(stage: Stage) -> None:
    template, context = PAGES["api-key-detail"]
    page = render_to_string(template, {**context, "messages": [Toast("success", SAVED)]})
    stage.on("GET", "/one", Reply(page))
    stage.on("GET", LIST, Reply(part("list", "table", keys=[told(Thing(**{**vars(KEY), "open_check": None}))])))
    toast = stage.open("api-key-detail", "/one").locator("[data-line]")
    expect(toast).to_contain_text("CI account was saved. Its test said: Invalid. OpenAI doesn’t recognize this key.")
    expect(toast).to_have_class("toast__line tone-red")
    assert {request.url for request in stage.asked("GET", LIST)} == {f"{ORIGIN}{LIST}?q={KEY.id}"}


def test_with_the_verdict_the_answers_on_that_page_are_drawn_anew(stage: Stage) -> None:
    template, context = PAGES["api-key-detail"]
    said = [Toast("success", SAVED)]
    before = render_to_string(template, {**context, "messages": said})
    stage.on("GET", "/one", Reply(before))
    stage.on("GET", LIST, Reply(part("list", "table", keys=[under_test()])))
    page = stage.open("api-key-detail", "/one")
    expect(page.locator(".answers")).not_to_contain_text("Judged by now")
    judged = Thing(**{**vars(context["api_key"].answers[0]), "reason": "Judged by now."})
    after = Thing(**{**vars(context["api_key"]), "answers": [judged]})
    stage.on("GET", "/one", Reply(render_to_string(template, {**context, "api_key": after, "messages": said})))
    stage.on("GET", LIST, Reply(part("list", "table", keys=[told(Thing(**{**vars(KEY), "open_check": None}))])))
    expect(page.locator(".answers")).to_contain_text("Judged by now.")
    expect(page.locator("[data-line]")).to_contain_text("Its test said: Invalid.")
    expect(page.locator("[data-line]")).to_have_count(1)


def test_on_a_page_without_a_list_the_answer_in_which_it_stands_is_brought_into_view(stage: Stage) -> None:
    template, context = PAGES["api-key-detail"]
    said = format_html('<span data-saved="{}">AWS was created.</span>', KEYS[6].id)
    stage.on("GET", "/one", Reply(render_to_string(template, {**context, "messages": [Toast("success", said)]})))
    stage.page.set_viewport_size({"width": 360, "height": 480})
    page = stage.open("api-key-detail", "/one")
    expect(page.locator(".answers li", has_text="AWS Bedrock")).to_be_in_viewport(ratio=0.9)


def test_what_is_shown_is_not_said_to_be_hidden(stage: Stage) -> None:
    page = saved_elsewhere(stage, *KEYS[:3], under_test())
    expect(page.locator("[data-line]").first).to_have_text("CI account was saved. Its test is running.")


@pytest.mark.parametrize(
    ("key", "said", "follows"), [(KEY, "Invalid", "It failed its test."), (KEYS[1], "Valid", "Now revoke it.")]
)
def test_the_verdict_of_what_is_not_shown_is_told_too_and_what_follows_from_it(
    stage: Stage, key: Thing, said: str, follows: str
) -> None:
    page = saved_elsewhere(stage, *KEYS[4:6])
    toasts = page.locator("[data-line]")
    expect(toasts.last).to_have_text("Requests use the new key within 5 s. Revoke the old one once a test says so.")
    judged = told(Thing(**{**vars(key), "id": KEY.id, "open_check": None}))
    stage.on("GET", LIST, Reply(part("list", "table", keys=[judged])))
    expect(toasts.first).to_contain_text(f"CI account was saved. Its test said: {said}")
    expect(toasts.first).to_contain_text(HIDDEN)
    expect(toasts.last).to_have_text(f"Requests use the new key within 5 s. {follows}")


@pytest.mark.parametrize("height", [300, 500])
def test_what_a_message_lies_over_can_be_scrolled_clear_of_it(stage: Stage, height: int) -> None:
    # One row asks for itself; an answer would draw it anew, and that it is gone would take it away.
    stage.on("GET", "/orgs/acme/provider-keys/checks/chk_open/", NEVER)
    page = stage.open("list-toasts", LIST)
    page.set_viewport_size({"width": 1280, "height": height})
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    toasts, foot = page.locator("#messages").bounding_box(), page.locator(".provider-keys .card__foot").bounding_box()
    assert toasts
    assert foot
    assert foot["y"] + foot["height"] <= toasts["y"]
    tall = page.evaluate("document.documentElement.scrollHeight")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("[data-line]")).to_have_count(0)
    # Nothing jumps when it leaves.
    assert page.evaluate("document.documentElement.scrollHeight") == tall


@pytest.mark.parametrize("width", [900, 1280])
def test_that_nothing_was_learned_stays_in_its_column(stage: Stage, width: int) -> None:
    silent = checked(timedelta(minutes=34), "Unreachable", "OpenAI didn’t answer in 10 s.", "grey")
    key = told(Thing(**{**vars(KEY), "last_check": silent, "last_check_verdict": "unreachable"}))
    template, context = PAGES["list"]
    stage.on("GET", LIST, Reply(render_to_string(template, {**context, "keys": [key]})))
    page = stage.open("list", LIST)
    page.set_viewport_size({"width": width, "height": 640})
    said = page.get_by_role("button", name=re.compile(r"Unreachable \d+ min ago"))
    box, cell = said.bounding_box(), page.locator("td.provider-keys__check").bounding_box()
    assert box
    assert cell
    assert box["x"] + box["width"] <= cell["x"] + cell["width"]


def test_a_message_that_joins_many_is_read_whole_and_none_leaves_the_window(stage: Stage) -> None:
    template, context = PAGES["list"]
    many = [Toast("warning", f"Message number {number} says what is worth knowing of a key.") for number in range(20)]
    stage.on("GET", LIST, Reply(render_to_string(template, {**context, "messages": many})))
    page = stage.open("list", LIST)
    page.set_viewport_size({"width": 1280, "height": 640})
    table = part("list", "table", keys=KEYS, **moved("Overflow account moved up: it is tried first."))
    stage.on("POST", f"{LIST}{KEYS[2].id}/position/", Reply(table))
    page.get_by_role("button", name="Actions for Overflow account", exact=True).press("Enter")
    page.get_by_role("menuitem", name="Move up", exact=True).press("Enter")
    expect(page.get_by_text("Overflow account moved up: it is tried first.")).to_be_in_viewport(ratio=1)
    for dismiss in page.get_by_role("button", name="Dismiss").all():
        expect(dismiss).to_be_in_viewport(ratio=1)
    box = page.locator("#messages").bounding_box()
    assert box
    assert box["y"] >= 640 / 3


def test_what_is_still_to_be_revoked_stands_on_the_page_once_its_message_is_gone(stage: Stage) -> None:
    template, context = PAGES["list-replaced"]
    first, second = (Thing(**{**vars(one), "is_told": number == 0}) for number, one in enumerate(context["reminders"]))
    told_once = Toast("success", "Now revoke the old one at OpenAI’s API keys.")
    told_once.extra_tags = first.key_id
    shown = {**context, "messages": [told_once], "reminders": [first]}
    stage.on("GET", LIST, Reply(render_to_string(template, shown)))
    page = stage.open("list", LIST)
    there = page.get_by_role("region", name="Still to be revoked")
    expect(page.locator("[data-toast]")).to_be_visible()
    expect(there).to_be_hidden()
    # Another one has nothing to do with that message.
    stage.on("GET", LIST, Reply(render_to_string(template, {**shown, "reminders": [first, second]})))
    page = stage.open("list", LIST)
    expect(there).to_contain_text("AKIA…O4HG, AKIA…RAIK at AWS IAM: you replaced them in Bedrock shared")
    expect(there.get_by_role("listitem")).to_have_count(1)
    page.get_by_role("button", name="Dismiss").click()
    expect(there).to_contain_text("sk-proj-…AbCd at OpenAI’s API keys: you replaced it in Production Key")
    expect(there.get_by_role("listitem")).to_have_count(2)


def test_beside_another_message_it_stays(stage: Stage) -> None:
    template, context = PAGES["list-replaced"]
    other = Toast("success", "Overflow account was disabled.")
    stage.on("GET", LIST, Reply(render_to_string(template, {**context, "messages": [other]})))
    page = stage.open("list", LIST)
    there = page.get_by_role("region", name="Still to be revoked")
    expect(there).to_be_visible()
    expect(there.get_by_role("button", name="AKIA…O4HG and AKIA…RAIK: They are revoked")).to_be_visible()


def test_what_follows_is_told_after_the_messages_were_dismissed(stage: Stage) -> None:
    page = saved_elsewhere(stage, *KEYS[:3], under_test())
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("[data-toast]")).to_be_hidden()
    stage.on("GET", OPEN_CHECK, Reply(row()))
    expect(page.locator("[data-line]")).to_have_count(2)
    expect(page.locator("[data-line]").first).to_contain_text("Its test said: Invalid.")
    last = page.locator("[data-line]").last
    expect(last).to_have_text("Requests use the new key within 5 s. It failed its test.")
    expect(last).to_have_class(re.compile("tone-red"))
    expect(page.locator("[data-toast]")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_many_messages_leave_a_third_of_the_window_and_are_dismissed_by_one_press(stage: Stage, width: int) -> None:
    template, context = PAGES["list"]
    many = [Toast("warning", f"Message number {number} says what is worth knowing of a key.") for number in range(20)]
    stage.on("GET", LIST, Reply(render_to_string(template, {**context, "messages": many})))
    page = stage.open("list", LIST)
    page.set_viewport_size({"width": width, "height": 640})
    toast, dismiss = page.locator("[data-toast]"), page.get_by_role("button", name="Dismiss")
    last = page.locator("[data-line]").last
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport(ratio=1)
    expect(dismiss).to_be_in_viewport(ratio=1)
    box = toast.bounding_box()
    assert box
    assert box["y"] >= 640 / 3
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    foot = page.locator(".provider-keys .card__foot").bounding_box()
    assert foot
    assert foot["y"] + foot["height"] <= box["y"]
    dismiss.click()
    expect(toast).to_have_count(0)


@pytest.mark.parametrize(
    ("tone", "follows"), [("red", "It failed its test."), ("", "Revoke the old one once a test says so.")]
)
def test_of_a_disabled_key_the_verdict_decides_what_follows(stage: Stage, tone: str, follows: str) -> None:
    page = saved_elsewhere(stage, *KEYS[:3], under_test())
    disabled = Thing(**{**vars(KEY), "status_badges": [DISABLED]})
    judged = part("list", "row", key=told(disabled)).replace('data-told="red"', f'data-told="{tone}"')
    stage.on("GET", OPEN_CHECK, Reply(judged))
    expect(page.locator("[data-line]").first).to_contain_text("Its test said: Invalid.")
    expect(page.locator("[data-line]").last).to_have_text(f"Requests use the new key within 5 s. {follows}")


def test_of_a_toast_that_was_dismissed_the_verdict_is_said_all_the_same(stage: Stage) -> None:
    stage.on("GET", OPEN_CHECK, Reply(row(open_check=Thing(url=OPEN_CHECK))))
    page = saved(stage, *KEYS[:3], under_test())
    page.get_by_role("button", name="Dismiss").click()
    stage.on("GET", OPEN_CHECK, Reply(row()))
    messages = page.get_by_role("status", name="Messages")
    expect(messages.locator("[data-announced]")).to_have_text(re.compile("CI account: Invalid. OpenAI doesn’t"))
    expect(messages.locator("[data-line]")).to_have_count(0)


@pytest.mark.parametrize("there", [True, False], ids=["row-on-the-page", "row-elsewhere"])
def test_a_toast_waits_for_its_verdict_only_where_one_can_come(build: Build, there: bool) -> None:
    # In a window of its own: a clock that was taken over stays so.
    stage = build()
    stage.on("GET", OPEN_CHECK, Reply(row(open_check=Thing(url=OPEN_CHECK))))
    stage.page.clock.install()
    page = saved(stage, *KEYS[:3], *([under_test()] if there else []))
    page.clock.run_for(20_000)
    expect(page.locator("[data-line]")).to_have_count(1 if there else 0)


def test_after_a_save_focus_is_at_its_message_and_goes_on_into_the_page(stage: Stage) -> None:
    page = stage.open("list-toasts", LIST)
    messages = page.get_by_role("status", name="Messages")
    expect(messages).to_be_focused()
    # All that came of one press is dismissed by one.
    expect(messages.locator("[data-line]")).to_have_count(2)
    messages.get_by_role("button", name="Dismiss").press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Create a new Provider Key").first).to_be_focused()


@pytest.mark.parametrize("field", ["Search provider keys", "Filter by API key"])
@pytest.mark.parametrize("by", ["typing", "Enter"])
def test_a_whole_key_is_taken_out_of_a_search_and_sent_nowhere(page: Page, stage: Stage, field: str, by: str) -> None:
    secret = samples.fresh_key("openai", "good")
    there = page.get_by_role("searchbox", name=field).or_(page.get_by_role("combobox", name=field))
    stage.on("GET", LIST, Reply(part("list-no-match", "table")))
    stage.on("GET", f"{LIST}api-key-names/", Reply(""))
    before = len(stage.asked("GET", LIST))
    there.fill(secret)
    if by == "Enter":
        there.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text(
        "That looks like a whole key, so it was taken out and sent nowhere."
    )
    expect(there).to_have_value("")
    assert list(faults(page, (LIGHT, DARK_PHONE))) == []
    there.press_sequentially("nope")
    there.press("Enter")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("heading", name="No provider key matches")).to_be_visible()
    assert len(stage.asked("GET", LIST)) > before
    assert not [request for request in stage.requests if secret[-8:] in request.url]


def test_the_browser_and_the_console_find_the_same_keys(page: Page) -> None:
    """One set of expressions, read by two languages."""
    secrets = [samples.fresh_key(provider, "good") for provider in samples.PROVIDERS for _ in range(20)]
    wrong = [key for provider in samples.KEYED for key in samples.wrong_kinds(provider)]
    ours = [tokens.mint("byok_").plaintext for _ in range(20)]
    harmless = [text for key in KEYS for text in (key.id, key.name, key.hint)]
    texts = [*secrets, *(f"Bearer {each}" for each in secrets), *wrong, *ours, *harmless]
    found = page.evaluate(
        """texts => {
            const given = document.getElementById("secret-in-search").dataset.patterns;
            const patterns = JSON.parse(given).map((pattern) => new RegExp(pattern));
            return texts.map((text) => patterns.some((one) => one.test(text)));
        }""",
        texts,
    )
    assert found == [whole_keys.holds_one(text) for text in texts]
    assert found == [text not in harmless for text in texts]


def test_a_hint_and_an_id_are_searched_for(page: Page, stage: Stage) -> None:
    stage.on("GET", LIST, Reply(part("list-no-match", "table")))
    for words in (KEYS[0].hint, KEYS[0].id):
        page.get_by_role("searchbox", name="Search provider keys").fill(words)
        expect(page.get_by_role("alert")).to_have_count(0)
        expect(page).to_have_url(re.compile(re.escape(quote_plus(words))))


def test_search_asks_while_typing_and_swaps_the_table(page: Page, stage: Stage) -> None:
    stage.on("GET", LIST, Reply(part("list-no-match", "table"), headers={"HX-Push-Url": f"{LIST}?q=nope"}))
    page.get_by_role("searchbox", name="Search provider keys").fill("nope")
    expect(page.get_by_role("heading", name="No provider key matches")).to_be_visible()
    expect(page.get_by_role("status", name="Messages")).to_contain_text("No provider key matches")
    expect(page.get_by_role("table")).to_have_count(0)
    expect(page.get_by_role("searchbox", name="Search provider keys")).to_be_focused()
    assert page.url.endswith("?q=nope")


def test_a_suggested_api_key_narrows_the_list_at_once_and_an_emptied_field_widens_it(page: Page, stage: Stage) -> None:
    names = "".join(f'<option value="{name}"></option>' for name in ("ci", "ci-nightly"))
    stage.on("GET", f"{LIST}api-key-names/", Reply(names))
    stage.on("GET", LIST, Reply(part("list-no-match", "table")))
    field = page.get_by_role("combobox", name="Filter by API key")
    field.focus()
    expect(page.locator("#api-key-names option")).to_have_count(2)

    field.fill("ci-nightly")
    expect(page).to_have_url(re.compile("api_key=ci-nightly"))
    expect(page.get_by_role("heading", name="No provider key matches")).to_be_visible()
    expect(field).to_be_focused()

    field.fill("")
    expect(page).to_have_url(re.compile("api_key=$"))
    assert len(stage.asked("GET", LIST)) == 3


def test_a_part_of_an_api_keys_name_narrows_the_list_while_it_is_typed(page: Page, stage: Stage) -> None:
    stage.on("GET", f"{LIST}api-key-names/", Reply('<option value="ci-nightly"></option>'))
    stage.on("GET", LIST, Reply(part("list-no-match", "table")))
    field = page.get_by_role("combobox", name="Filter by API key")
    field.focus()
    expect(page.locator("#api-key-names option")).to_have_count(1)

    field.press_sequentially("night")
    expect(page).to_have_url(re.compile("api_key=night$"))
    expect(field).to_be_focused()
    # Enter asks no other thing.
    field.press("Enter")
    asked = {request.url.rpartition("=")[2] for request in stage.asked("GET", LIST)[1:]}
    assert asked == {"night"}


def test_the_three_filters_look_alike(page: Page) -> None:
    fields = [page.get_by_role("combobox", name=f"Filter by {name}") for name in ("provider", "status", "API key")]
    looks = [
        field.evaluate(
            """field => {
                const [style, box] = [getComputedStyle(field), field.getBoundingClientRect()];
                const arrow = field.nextElementSibling.getBoundingClientRect();
                return [style.font, style.borderColor, box.top, box.height, box.right - arrow.right];
            }"""
        )
        for field in fields
    ]
    assert looks == looks[:1] * 3


@pytest.mark.parametrize("width", [360, 860, 960, 1280])
def test_the_last_use_is_told_in_every_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    head = page.get_by_role("columnheader", name="Created · used", exact=True)
    used, unused = (page.locator(f"#row-{key.id}") for key in (KEYS[3], KEYS[2]))
    expect(used.get_by_text(MINUTES_AGO)).to_be_visible()
    expect(unused.get_by_text("never used")).to_be_visible()
    expect(unused.get_by_text(MINUTES_AGO)).to_have_count(0)
    expect(head).to_be_visible()
    cells = [row.locator(".provider-keys__created > .table__hint") for row in (used, unused)]
    used.locator(".table__hint > time").evaluate("time => { time.textContent = '30 Aug 2026' }")
    # On a card heads are only read aloud.
    seen = cells if width < 860 else [head, *cells]
    assert not [cell for cell in seen if cell.evaluate(CUT)]


@pytest.mark.parametrize("width", [360, 860, 960, 1159, 1280])
def test_the_last_use_of_an_api_key_is_told_in_every_window(stage: Stage, width: int) -> None:
    page = stage.open("api-keys", "/orgs/acme/api-keys/")
    page.set_viewport_size({"width": width, "height": 900})
    used, unused = (page.locator(f"#row-key_{number} > .api-keys__used") for number in (1, 2))
    expect(used).to_be_visible()
    expect(used).to_contain_text(re.compile(r"\d+ min ago"))
    expect(unused).to_be_visible()
    expect(unused).to_contain_text("never")
    expect(page.get_by_role("columnheader", name="Last used", exact=True)).to_be_visible()
    used.locator("time").evaluate("time => { time.textContent = '30 Aug 2026' }")
    state = page.locator("#row-key_1 .api-keys__status .badge > span").first
    state.evaluate("span => { span.textContent = 'Expires soon' }")
    name = page.locator("#name-key_1 > .table__name > a")
    name.evaluate("link => { link.textContent = 'nightly-batch' }")
    assert [cell.evaluate(CUT) for cell in (used, state, name.locator(".."))] == [False] * 3


def test_neither_a_name_nor_a_state_is_cut_in_a_window_of_960_px(page: Page) -> None:
    page.set_viewport_size({"width": 960, "height": 900})
    names = [page.locator(f"#row-{key.id} .table__name") for key in KEYS if key.open_check is None]
    state = page.locator(f"{ROW} .provider-keys__status .badge > span")
    state.evaluate("span => { span.textContent = '12 of 40 regions failing' }")
    assert not state.evaluate(CUT)
    # The last one is as long as a name can be.
    assert [name.evaluate(CUT) for name in names] == [False] * (len(names) - 1) + [True]


@pytest.mark.parametrize(
    ("name", "url", "row"), [("list", LIST, ROW), ("api-keys", "/orgs/acme/api-keys/", "#row-key_1")]
)
def test_on_a_phone_a_badge_stands_on_one_line_with_the_menu(stage: Stage, name: str, url: str, row: str) -> None:
    page = stage.open(name, url)
    page.set_viewport_size({"width": 360, "height": 740})
    badge = ".provider-keys__provider > .badge" if name == "list" else ".api-keys__status .badge"
    boxes = [page.locator(f"{row} {one}").first.bounding_box() for one in (badge, ".more")]
    first, second = (box["y"] + box["height"] / 2 for box in boxes if box)
    assert abs(first - second) <= 1


def test_what_names_a_filter_scrolls_away_below_the_bar(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    name = page.locator(".filter__name").last
    top = name.evaluate("name => { scrollBy(0, name.getBoundingClientRect().top - 20); return scrollY }")
    assert top > 0
    seen = name.evaluate(
        """name => {
            name.style.pointerEvents = "auto";
            const {x, y, width, height} = name.getBoundingClientRect();
            return name.contains(document.elementFromPoint(x + width / 2, y + height / 2));
        }"""
    )
    assert not seen


def test_the_sentence_of_the_last_check_shows_on_focus_until_escape(page: Page) -> None:
    word = page.locator(ROW).get_by_role("button", name="yesterday")
    words = page.locator(ROW).get_by_role("tooltip")
    expect(words).to_have_count(0)
    word.focus()
    expect(words).to_contain_text(
        "Invalid. OpenAI doesn’t recognize this key. Next: create a new key at OpenAI’s keys."
    )
    page.keyboard.press("Escape")
    expect(words).to_have_count(0)
    word.hover()
    expect(words).to_be_visible()


def test_the_account_panel_logs_out_by_post(page: Page, stage: Stage) -> None:
    stage.on("POST", "/logout/", Reply("bye"))
    page.get_by_role("button", name="Account of Alice Keller").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("bye")).to_be_visible()
    assert "csrfmiddlewaretoken" in (stage.asked("POST", "/logout/")[0].post_data or "")


@pytest.mark.parametrize(("name", "url"), [("list", LIST), ("list-member", LIST), ("api-keys", "/orgs/acme/api-keys/")])
def test_what_has_not_arrived_whole_is_not_seen(stage: Stage, name: str, url: str) -> None:
    """A row, or the columns of a head, would move when the rest of it comes."""
    page = stage.open(name, url)
    seen = """element => getComputedStyle(element).visibility"""
    row, head = page.locator("tbody > tr").first, page.locator("thead > tr")
    assert page.locator("tbody > tr:not(:has(> :last-child.table__end))").count() == 0
    assert (row.evaluate(seen), head.evaluate(seen)) == ("visible", "visible")

    row.evaluate("row => row.lastElementChild.remove()")
    assert (row.evaluate(seen), head.evaluate(seen)) == ("hidden", "visible")
    assert page.locator("tbody > tr").nth(1).evaluate(seen) == "visible"

    row.evaluate("row => row.parentElement.remove()")
    assert head.evaluate(seen) == "hidden"
