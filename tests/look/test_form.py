"""The form over the list, as hands and eyes meet it: dialog, provider, test, assignment, refusals."""

import re
from types import SimpleNamespace as Thing

import pytest
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from playwright.sync_api import Page, expect

from tests.accessibility import DARK, DARK_PHONE, LIGHT, faults
from tests.look.conftest import Build
from tests.look.stage import NEVER, ORIGIN, Reply, Request, Stage, part, whole
from tests.look.states import LOST_AND_MOVED, NOBODY, PAGES, ProviderKeyForm
from tests.look.things import OPENAI

pytestmark = pytest.mark.browser

NEW = "/orgs/acme/provider-keys/new/"
CHECKS = "/orgs/acme/provider-keys/checks/"
CHECK = f"{CHECKS}chk_sample/"
OUTLOOK = "/orgs/acme/provider-keys/outlook/"
SECRET = "sk-proj-typed-but-never-kept"


@pytest.fixture
def page(stage: Stage) -> Page:
    """The list, with the form a click away."""
    stage.on("GET", NEW, lambda request: Reply(part(*_part_for(request.headers.get("hx-target", "")))))
    return stage.open("list")


def _part_for(target: str) -> tuple[str, str]:
    return ("form-new", "provider") if target == "credentials" else ("form-choose", "form")


def open_form(page: Page) -> None:
    page.get_by_role("link", name="Create a new Provider Key").first.click()
    expect(page.get_by_role("dialog", name="Add Provider Key")).to_be_visible()


def fill_in(page: Page) -> None:
    open_form(page)
    page.get_by_label("Provider", exact=True).select_option(label="OpenAI")
    page.get_by_label("Name", exact=True).fill("Mine")
    page.get_by_label("API Key", exact=True).fill(SECRET)
    page.get_by_label("Assign to entire organization").check()


def part_of_outlook() -> str:
    """What the console says to a choice."""
    return render_to_string("providerkeys/outlook.html", {"outlook": LOST_AND_MOVED})


def serve_nobody(page: Page) -> None:
    page.get_by_label("Assign to entire organization").uncheck()
    for box in page.get_by_role("group", name="API keys").get_by_role("checkbox").all():
        box.uncheck()


def test_focus_goes_into_the_dialog_and_comes_back(page: Page) -> None:
    open_form(page)
    expect(page.get_by_label("Provider", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name="Create a new Provider Key").first).to_be_focused()


@pytest.mark.parametrize(("button", "presses"), [("Cancel", 1), ("Close", 2)])
def test_closing_leaves_no_secret_in_the_page(page: Page, button: str, presses: int) -> None:
    fill_in(page)
    for _ in range(presses):
        page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("input[type=password]")).to_have_count(0)


def test_the_scrim_closes_only_what_would_lose_nothing(page: Page) -> None:
    fill_in(page)
    page.mouse.click(5, 5)
    page.mouse.click(5, 5)
    expect(page.get_by_role("alert")).to_have_text("Nothing is saved yet. Cancel discards what you typed.")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Mine")
    page.get_by_role("button", name="Cancel", exact=True).click()
    open_form(page)
    page.mouse.click(5, 5)
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("by", ["Escape", "the cross"])
def test_a_press_beside_it_counts_as_no_first_close(page: Page, by: str) -> None:
    fill_in(page)
    page.mouse.click(5, 5)
    if by == "Escape":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("Nothing is saved yet. Close again to discard what you typed.")
    expect(page.get_by_label("API Key", exact=True)).not_to_have_value("")


def test_a_selection_that_ends_beside_the_form_is_no_press_there(page: Page) -> None:
    fill_in(page)
    box = page.get_by_label("Name", exact=True).bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(5, 5)
    page.mouse.up()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.mouse.click(5, 5)
    expect(page.get_by_role("alert")).to_have_count(1)


def test_what_failed_stays_said_after_a_press_beside_the_form(page: Page, stage: Stage) -> None:
    stage.on("POST", NEW, Reply("", 502))
    fill_in(page)
    page.get_by_role("button", name="Save", exact=True).click()
    failures = page.locator("dialog [data-failures]")
    expect(failures).not_to_be_empty()
    said = failures.inner_text()
    page.mouse.click(5, 5)
    expect(failures).to_contain_text("Nothing is saved yet.")
    page.get_by_label("Name", exact=True).fill("Other")
    expect(failures).to_have_text(said)


def test_a_dialog_that_has_nothing_to_cancel_closes_beside(page: Page, stage: Stage) -> None:
    stage.on("POST", NEW, Reply(part("form-gone", "form"), 404))
    fill_in(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("This key was deleted since you opened it.")).to_be_visible()
    page.mouse.click(5, 5)
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("by", ["Escape", "the cross"])
def test_a_first_close_says_what_it_would_lose_and_a_second_one_loses_it(page: Page, by: str) -> None:
    def close() -> None:
        if by == "Escape":
            page.keyboard.press("Escape")
        else:
            page.get_by_role("button", name="Close", exact=True).click()

    fill_in(page)
    told = page.get_by_role("alert").get_by_text("Nothing is saved yet. Close again to discard what you typed.")
    close()
    expect(told).to_be_visible()
    secret = page.get_by_label("API Key", exact=True)
    secret.press("End")
    secret.press_sequentially("x")
    expect(told).to_have_count(0)
    close()
    expect(told).to_be_visible()
    close()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("input[type=password]")).to_have_count(0)


@pytest.mark.parametrize("width", [360, 1280])
def test_a_dialog_keeps_head_and_foot_in_place_whatever_is_in_focus(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 640})
    fill_in(page)
    page.get_by_label("Assign to entire organization").uncheck()
    page.get_by_role("group", name="API keys").get_by_role("checkbox").last.focus()
    dialog = page.get_by_role("dialog")
    dialog.evaluate("dialog => { dialog.scrollTop = 1000; }")
    assert dialog.evaluate("dialog => dialog.scrollTop") == 0
    for button in ("Close", "Save"):
        expect(page.get_by_role("button", name=button, exact=True)).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(("place", "held"), [(".sheet__head", "true"), ("", "true"), (".sheet__body", "false")])
def test_behind_it_nothing_scrolls(build: Build, place: str, held: str) -> None:
    # In a window of its own: where the wheel was turned last it goes on for a while.
    stage = build()
    stage.on("GET", NEW, Reply(part("form-new", "form")))
    page = stage.open("list")
    page.set_viewport_size({"width": 1280, "height": 400})
    open_form(page)
    page.evaluate("addEventListener('wheel', (event) => { document.body.dataset.held = event.defaultPrevented; })")
    box = page.get_by_role("dialog").locator(place).bounding_box() if place else {"x": 0, "y": 0}
    assert box
    page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.mouse.wheel(0, 600)
    expect(page.locator("body")).to_have_attribute("data-held", held)
    assert page.evaluate("scrollY") == 0


def test_what_is_asked_beside_the_work_takes_no_question_away(page: Page, stage: Stage) -> None:
    stage.on("POST", OUTLOOK, Reply(part_of_outlook()))
    fill_in(page)
    outlook = page.get_by_role("status", name="When you save")
    expect(outlook).to_contain_text("1 API key")
    page.keyboard.press("Escape")
    told = page.get_by_text("Nothing is saved yet. Close again to discard what you typed.")
    expect(told).to_be_visible()
    # Its answer may come after the press.
    outlook.evaluate("outlook => outlook.replaceChildren()")
    page.locator(".assignment").dispatch_event("change")
    expect(outlook).to_contain_text("1 API key")
    expect(told).to_be_visible()


def test_a_link_with_a_modifier_opens_a_tab_not_the_dialog(page: Page, stage: Stage) -> None:
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Create a new Provider Key").first.click(modifiers=["Control"])
    opened.value.wait_for_load_state()
    assert [request for request in stage.asked("GET", NEW) if "hx-request" in request.headers] == []
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_choosing_a_provider_keeps_name_and_assignment(page: Page) -> None:
    open_form(page)
    page.get_by_label("Name", exact=True).fill("Mine")
    page.get_by_role("checkbox", name="batch-eu", exact=True).check()
    expect(page.get_by_label("API Key", exact=True)).to_have_count(0)
    page.get_by_label("Provider", exact=True).select_option(label="OpenAI")
    expect(page.get_by_label("API Key", exact=True)).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Mine")
    expect(page.get_by_role("checkbox", name="batch-eu", exact=True)).to_be_checked()


OTHERS = {"Anthropic": "form-new", "Google Vertex AI": "form-service-account", "AWS Bedrock": "form-regions"}


@pytest.mark.parametrize("label", OTHERS)
def test_a_secret_is_never_another_providers_and_the_page_says_so(page: Page, stage: Stage, label: str) -> None:
    said = page.get_by_text("What you typed under the other provider was emptied: paste it again if it belongs here.")
    open_form(page)
    # Whoever typed nothing has lost nothing.
    page.get_by_label("Provider", exact=True).select_option(label="OpenAI")
    expect(page.get_by_label("API Key", exact=True)).to_be_visible()
    expect(said).to_have_count(0)
    page.get_by_label("API Key", exact=True).fill(SECRET)
    stage.on("GET", NEW, Reply(part(OTHERS[label], "provider")))
    page.get_by_label("Provider", exact=True).select_option(label=label)
    expect(said).to_be_visible()
    assert page.locator(".secret-input").evaluate_all("all => all.map((one) => one.value).join('')") == ""
    page.get_by_label("Provider", exact=True).select_option(label="Mistral")
    expect(said).to_have_count(0)


def test_a_test_goes_from_queued_to_its_verdict_beside_an_editable_form(page: Page, stage: Stage) -> None:
    answers = iter(["check-running", "check-valid"])
    stage.on("POST", CHECKS, Reply(part("check-queued", "pressed")))
    # Queued until that was seen, however long a look takes.
    stage.on("GET", CHECK, Reply(part("check-queued", "result")))
    fill_in(page)
    page.get_by_role("button", name="Test credentials").click()
    result = page.get_by_role("status", name="Test result")
    expect(result.locator("[data-state=queued]")).to_contain_text("Queued. You can keep editing.")
    page.get_by_label("Name", exact=True).fill("Renamed meanwhile")
    stage.on("GET", CHECK, lambda _: Reply(part(next(answers), "result")))
    expect(result.locator("[data-state=done]")).to_have_attribute("data-verdict", "valid")
    expect(result).to_contain_text(re.compile(r"^\s*Valid\s+OpenAI accepted the key"))
    expect(page.get_by_label("API Key", exact=True)).to_have_value(SECRET)
    expect(page.get_by_label("Name", exact=True)).to_have_value("Renamed meanwhile")
    # Each was asked for once; one question more would have had no answer.
    assert next(answers, None) is None
    assert "provider_key" in (stage.asked("POST", CHECKS)[0].post_data or "")


def test_a_test_takes_the_place_of_what_was_known_of_the_stored_key(stage: Stage) -> None:
    stage.on("POST", CHECKS, Reply(part("check-valid", "pressed")))
    page = stage.open("form-edit-tested-before")
    before = page.get_by_role("region", name="Last test of the stored credentials")
    expect(before).to_contain_text("Invalid OpenAI doesn’t recognize this key.")
    page.get_by_role("button", name="Test credentials").click()
    expect(page.get_by_role("status", name="Test result")).to_contain_text("Valid OpenAI accepted the key.")
    expect(before).to_be_hidden()


def test_typing_after_a_test_says_that_the_verdict_is_of_other_bytes(page: Page, stage: Stage) -> None:
    stage.on("POST", CHECKS, Reply(part("check-valid", "pressed")))
    fill_in(page)
    page.get_by_role("button", name="Test credentials").click()
    expect(page.locator("[data-verdict=valid]")).to_be_visible()
    expect(page.get_by_text("Changed since this test.")).to_be_hidden()
    page.get_by_label("API Key", exact=True).fill(f"{SECRET}x")
    expect(page.get_by_text("Changed since this test. Test again.")).to_be_visible()
    page.get_by_role("button", name="Test credentials").click()
    expect(page.get_by_text("Changed since this test.")).to_be_hidden()


def test_a_paste_after_a_test_says_so_too(page: Page, stage: Stage) -> None:
    stage.on("POST", CHECKS, Reply(part("check-valid", "pressed")))
    fill_in(page)
    page.get_by_role("button", name="Test credentials").click()
    expect(page.locator("[data-verdict=valid]")).to_be_visible()
    page.get_by_label("API Key", exact=True).dispatch_event("paste")
    expect(page.get_by_text("Changed since this test. Test again.")).to_be_visible()


@pytest.mark.parametrize("refused", ["save", "test"])
def test_a_press_of_the_test_makes_history_of_an_earlier_refusal(page: Page, stage: Stage, refused: str) -> None:
    again = {"HX-Retarget": "#credentials", "HX-Reswap": "outerHTML"}
    stage.on("POST", NEW, Reply(part("form-refused", "form"), 422))
    stage.on("POST", CHECKS, Reply(part("form-refused", "credentials", test_refused=True), 422, again))
    fill_in(page)
    page.get_by_role("button", name="Save" if refused == "save" else "Test credentials").click()
    secret = page.get_by_label("API Key", exact=True)
    expect(secret).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_have_count(1)
    secret.fill(SECRET)
    stage.on("POST", CHECKS, Reply(part("check-valid", "pressed")))
    page.get_by_role("button", name="Test credentials").click()
    expect(page.locator("[data-verdict=valid]")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(secret).not_to_have_attribute("aria-invalid", "true")
    expect(secret).to_have_accessible_description(re.compile(r"^\s*Keys are made at"))
    expect(secret).to_have_value(SECRET)
    expect(page.get_by_text("It can never be used")).to_have_count(0)


def test_whoever_keeps_what_is_stored_is_asked_for_nothing_more(stage: Stage) -> None:
    template, context = PAGES["form-conflict"]
    form = ProviderKeyForm({"provider": "openai", "name": "Mine", "version": "3", "provider_key": "x"}, can_keep=True)
    form.add_error("provider_key", "It can never be used.")
    stage.on("GET", "/refused", Reply(render_to_string(template, {**context, "form": form, "conflict": None})))
    page = stage.open("form-conflict", "/refused")
    secret, refused = page.get_by_label("API Key", exact=True), page.locator("#credentials .field__error")
    expect(refused).to_have_text("It can never be used.")
    page.get_by_role("checkbox", name="Keep the stored key", exact=True).check()
    # Whatever was tested was not changed by that.
    expect(page.locator("[data-test]")).not_to_have_attribute("data-stale", "")
    expect(refused).to_have_count(0)
    expect(secret).not_to_have_attribute("aria-invalid", "true")
    expect(secret).to_have_accessible_description(re.compile("^Keys are made at"))
    expect(page.get_by_text("To test the stored one, tick")).to_be_hidden()
    expect(page.get_by_text("As you keep the stored one, that is tested.")).to_be_visible()
    expect(secret).to_have_attribute("placeholder", "Unchanged")
    expect(page.locator("[data-error-summary]")).to_have_count(0)


def test_what_was_said_of_a_secret_is_history_once_another_is_typed(page: Page, stage: Stage) -> None:
    stage.on("POST", NEW, Reply(part("form-refused", "form"), 422))
    fill_in(page)
    page.get_by_role("button", name="Save", exact=True).click()
    summary, secret = page.locator("[data-error-summary]"), page.get_by_label("API Key", exact=True)
    expect(secret).to_have_attribute("aria-invalid", "true")
    secret.fill(SECRET)
    expect(secret).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator("#credentials .field__error")).to_have_count(0)
    expect(summary.get_by_role("link", name="API Key", exact=True)).to_have_attribute("data-settled", "")


def test_what_was_emptied_is_not_asked_for_where_it_is_typed_again(stage: Stage) -> None:
    page = stage.open("form-conflict")
    secret, asked = page.get_by_label("API Key", exact=True), page.locator("#credentials [data-emptied]")
    expect(asked).to_be_visible()
    secret.fill(SECRET)
    expect(asked).to_be_hidden()
    secret.fill("")
    expect(asked).to_be_visible()


def test_a_result_is_seen_by_whoever_pressed_for_it(page: Page, stage: Stage) -> None:
    stage.on("POST", CHECKS, Reply(part("check-regions-running", "pressed")))
    stage.on("GET", CHECK, Reply(part("check-regions-done", "result")))
    fill_in(page)
    page.set_viewport_size({"width": 1280, "height": 480})
    page.get_by_role("button", name="Test credentials").click()
    expect(page.get_by_role("status", name="Test result").locator("li").last).to_be_in_viewport(ratio=0.9)


def test_a_test_refused_after_a_save_says_so_once(page: Page, stage: Stage) -> None:
    again = {"HX-Retarget": "#credentials", "HX-Reswap": "outerHTML"}
    stage.on("POST", NEW, Reply(part("form-refused", "form"), 422))
    stage.on("POST", CHECKS, Reply(part("form-refused", "credentials", test_refused=True), 422, again))
    fill_in(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved.")
    page.get_by_role("button", name="Test credentials").click()
    expect(page.get_by_role("alert")).to_have_count(1)
    expect(page.get_by_role("alert")).to_contain_text("Nothing was tested.")


@pytest.mark.parametrize(("name", "hinted"), [("check-running", True), ("check-valid", False)])
def test_the_verdict_replaces_what_was_unusual_about_the_shape(
    page: Page, stage: Stage, name: str, hinted: bool
) -> None:
    stage.on("POST", CHECKS, Reply(part(name, "pressed", shape_hint="Testing it will tell.")))
    stage.on("GET", CHECK, NEVER)
    fill_in(page)
    page.get_by_role("button", name="Test credentials").click()
    expect(page.get_by_role("status", name="Test result").locator("[data-state]")).to_be_visible()
    expect(page.get_by_text("Testing it will tell.")).to_be_visible(visible=hinted)


def test_a_warning_stays_beside_the_verdict(page: Page, stage: Stage) -> None:
    other = mark_safe('<a href="/orgs/acme/provider-keys/pk_3/" target="_blank">Overflow account</a> (OpenAI)')
    stage.on("POST", CHECKS, Reply(part("check-running", "pressed", twins=other)))
    stage.on("GET", CHECK, Reply(part("check-valid", "result")))
    fill_in(page)
    page.get_by_role("button", name="Test credentials").click()
    result = page.get_by_role("status", name="Test result")
    expect(result.locator("[data-verdict=valid]")).to_be_visible()
    expect(result.get_by_text("The same credentials are stored already, in Overflow account (OpenAI).")).to_be_visible()
    assert list(faults(page, (LIGHT, DARK, DARK_PHONE))) == []
    # It was said of what was tested, and is gone with it.
    page.get_by_label("API Key", exact=True).fill("sk-proj-FAKE" + "y" * 40)
    expect(result.get_by_text("The same credentials are stored already", exact=False)).to_be_hidden()
    expect(page.get_by_text("Changed since this test. Test again.")).to_be_visible()


@pytest.mark.parametrize(("verdict", "is_fine"), [("check-valid", True), ("check-invalid", False)])
def test_credentials_that_are_refused_are_fine_nowhere(
    page: Page, stage: Stage, verdict: str, *, is_fine: bool
) -> None:
    stage.on("POST", CHECKS, Reply(part("check-running", "pressed", twins="Overflow account")))
    stage.on("GET", CHECK, Reply(part(verdict, "result")))
    fill_in(page)
    page.get_by_role("button", name="Test credentials").click()
    result = page.get_by_role("status", name="Test result")
    expect(result.locator("[data-verdict]")).to_be_visible()
    expect(result.get_by_text("are stored already, in Overflow account.")).to_be_visible()
    expect(result.get_by_text("Storing them in several keys is fine.")).to_be_visible(visible=is_fine)


@pytest.mark.parametrize("regions", ["", "us-east-1 and eu-central-1"])
def test_what_a_save_would_give_up_is_said_beside_the_verdict(page: Page, stage: Stage, regions: str) -> None:
    name = "check-regions-done" if regions else "check-invalid"
    check = PAGES[name][1]["check"]
    worse = Thing(regions=regions)
    stage.on("POST", CHECKS, Reply(part(name, "pressed", check=Thing(**{**vars(check), "worse": worse}))))
    fill_in(page)
    page.get_by_role("button", name="Test credentials").click()
    result = page.get_by_role("status", name="Test result")
    whose = f"credentials of {regions} were accepted at their" if regions else "key was accepted at its"
    kept = f"The stored {whose} last test."
    expect(result.get_by_text(kept)).to_be_visible()
    above = result.locator(".result__worse ~ .result__regions")
    expect(above).to_have_count(1 if regions else 0)
    assert list(faults(page, (LIGHT, DARK, DARK_PHONE))) == []


def test_a_save_that_gives_up_what_works_for_what_was_refused_is_asked_for_twice(page: Page, stage: Stage) -> None:
    check = PAGES["check-invalid"][1]["check"]
    refused = Thing(**{**vars(check), "worse": Thing(regions="")})
    stage.on("POST", CHECKS, Reply(part("check-invalid", "pressed", check=refused)))
    fill_in(page)
    page.get_by_role("button", name="Test credentials").click()
    expect(page.get_by_text("The stored key was accepted at its last test.")).to_be_visible()
    save, told = (
        page.get_by_role("button", name="Save", exact=True),
        page.get_by_text("press Save again to replace them"),
    )
    # Twice at once is once.
    save.dblclick()
    expect(told).to_be_visible()
    assert stage.asked("POST", NEW) == []
    page.wait_for_function("since => performance.now() - since > 1000", arg=page.evaluate("performance.now()"))
    stage.on("POST", NEW, Reply("", 200, {"HX-Redirect": "/list-toasts"}))
    stage.on("GET", "/list-toasts", Reply(whole("list-toasts")))
    save.click()
    page.wait_for_url(f"{ORIGIN}/list-toasts")


def asked_about_a_shape(page: Page, stage: Stage, typed: str) -> None:
    """The form with ``typed``, of a provider whose keys look otherwise, before *Save*."""
    shaped = Thing(**{**vars(OPENAI), "shape": r"sk-proj-\w{20}"})

    def form(request: Request) -> Reply:
        of_provider = request.headers.get("hx-target", "") == "credentials"
        return Reply(part("form-new", "provider", provider=shaped) if of_provider else part("form-choose", "form"))

    stage.on("GET", NEW, form)
    stage.on("POST", NEW, Reply("", 200, {"HX-Redirect": "/list-toasts"}))
    stage.on("GET", "/list-toasts", Reply(whole("list-toasts")))
    fill_in(page)
    page.get_by_label("API Key", exact=True).fill(typed)


UNLIKE = "This doesn’t look like a usual OpenAI key"


def test_what_looks_like_no_key_of_the_provider_is_stored_by_a_second_press(page: Page, stage: Stage) -> None:
    asked_about_a_shape(page, stage, "hello-key")
    save, told = page.get_by_role("button", name="Save", exact=True), page.get_by_text(UNLIKE)
    save.dblclick()
    expect(told).to_be_visible()
    assert stage.asked("POST", NEW) == []
    # Of another paste it is asked anew.
    page.get_by_label("API Key", exact=True).fill("hallo-key")
    expect(told).to_have_count(0)
    save.click()
    expect(told).to_be_visible()
    page.wait_for_function("since => performance.now() - since > 1000", arg=page.evaluate("performance.now()"))
    save.click()
    page.wait_for_url(f"{ORIGIN}/list-toasts")


def test_what_was_tested_is_not_asked_about(page: Page, stage: Stage) -> None:
    asked_about_a_shape(page, stage, "hello-key")
    stage.on("POST", CHECKS, Reply(part("check-valid", "pressed")))
    page.get_by_role("button", name="Test credentials").click()
    expect(page.locator("[data-verdict]")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"{ORIGIN}/list-toasts")


def test_nor_is_a_key_as_it_was_copied(page: Page, stage: Stage) -> None:
    asked_about_a_shape(page, stage, f' export OPENAI_API_KEY="sk-proj-{"F" * 20}"; ')
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"{ORIGIN}/list-toasts")


def test_what_was_typed_after_such_a_test_is_saved_at_once(page: Page, stage: Stage) -> None:
    check = PAGES["check-invalid"][1]["check"]
    refused = Thing(**{**vars(check), "worse": Thing(regions="")})
    stage.on("POST", CHECKS, Reply(part("check-invalid", "pressed", check=refused)))
    stage.on("POST", NEW, Reply("", 200, {"HX-Redirect": "/list-toasts"}))
    stage.on("GET", "/list-toasts", Reply(whole("list-toasts")))
    fill_in(page)
    page.get_by_role("button", name="Test credentials").click()
    expect(page.get_by_text("The stored key was accepted at its last test.")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    told = page.get_by_text("press Save again to replace them")
    expect(told).to_be_visible()
    page.get_by_label("API Key", exact=True).fill("sk-proj-FAKE" + "y" * 40)
    expect(told).to_have_count(0)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"{ORIGIN}/list-toasts")


def test_an_unchosen_provider_shows_that_there_is_a_list(page: Page, stage: Stage) -> None:
    open_form(page)
    expect(page.locator(".field-row .select > .icon")).to_be_visible()
    fixed = stage.open("form-edit")
    expect(fixed.get_by_label("Provider", exact=True)).to_be_disabled()
    expect(fixed.locator(".field-row .select > .icon")).to_be_hidden()


def test_a_poll_with_nothing_new_changes_nothing(page: Page, stage: Stage) -> None:
    stage.on("POST", CHECKS, Reply(part("check-running", "pressed")))
    stage.on("GET", CHECK, Reply(part("check-running", "result")))
    fill_in(page)
    page.get_by_role("button", name="Test credentials").click()
    page.locator("#check-chk_sample[data-state=running]").evaluate("element => { element.seen = true }")
    with page.expect_response(f"**{CHECK}"), page.expect_response(f"**{CHECK}"):
        pass
    assert page.locator("#check-chk_sample").evaluate("element => element.seen")


def test_a_poll_outlives_an_outage_and_says_so_meanwhile(page: Page, stage: Stage) -> None:
    stage.on("POST", CHECKS, Reply(part("check-running", "pressed")))
    stage.on("GET", CHECK, None)
    fill_in(page)
    page.get_by_role("button", name="Test credentials").click()
    expect(page.get_by_text("The console doesn’t answer just now.")).to_be_visible()
    stage.on("GET", CHECK, Reply(part("check-invalid", "result")))
    expect(page.locator("[data-verdict=invalid]")).to_be_visible()
    expect(page.get_by_text("The console doesn’t answer just now.")).to_be_hidden()


def test_a_save_does_not_wait_for_a_poll_that_is_under_way(page: Page, stage: Stage) -> None:
    stage.on("POST", CHECKS, Reply(part("check-running", "pressed")))
    stage.on("GET", CHECK, NEVER)
    stage.on("POST", NEW, Reply(part("form-refused", "form"), 422))
    fill_in(page)
    with page.expect_request(f"**{CHECK}"):
        page.get_by_role("button", name="Test credentials").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_focused()


def test_enter_in_a_field_saves_instead_of_testing(page: Page, stage: Stage) -> None:
    stage.on("POST", NEW, Reply(part("form-refused", "form"), 422))
    fill_in(page)
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert stage.asked("POST", CHECKS) == []


def test_a_refusal_takes_focus_names_the_fields_and_leads_to_them(page: Page, stage: Stage) -> None:
    stage.on("POST", NEW, Reply(part("form-refused", "form"), 422))
    fill_in(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_focused()
    secret = page.get_by_label("API Key", exact=True)
    expect(secret).to_have_value("")
    expect(secret).to_have_attribute("placeholder", "Type it again")
    expect(secret).to_have_attribute("aria-invalid", "true")
    expect(secret).to_have_accessible_description(re.compile("OpenAI admin key. It can never be used"))
    page.get_by_role("alert").get_by_role("link", name="API Key", exact=True).click()
    expect(secret).to_be_focused()


def test_a_save_that_would_serve_nobody_is_stopped_before_the_secret_leaves(page: Page, stage: Stage) -> None:
    stage.on("POST", NEW, Reply(part("form-refused", "form"), 422))
    stage.on("POST", CHECKS, Reply(part("check-valid", "pressed")))
    fill_in(page)
    whole = page.get_by_label("Assign to entire organization")
    serve_nobody(page)
    page.get_by_role("button", name="Test credentials").click()
    expect(page.locator("[data-verdict=valid]")).to_be_visible()

    for _ in range(2):
        page.get_by_label("Name", exact=True).press("Enter")
        expect(whole).to_be_focused()
        expect(whole).to_have_attribute("aria-invalid", "true")
        expect(whole).to_have_accessible_description(NOBODY)
    assert stage.asked("POST", NEW) == []
    expect(page.get_by_label("API Key", exact=True)).to_have_value(SECRET)
    expect(page.locator("[data-verdict=valid]")).to_be_visible()

    page.get_by_label("production", exact=True).check()
    expect(whole).not_to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text(NOBODY)).to_have_count(0)
    expect(whole).to_have_accessible_description(re.compile("^Choose whom it serves before you save"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_focused()
    assert "api_key_ids" in (stage.asked("POST", NEW)[0].post_data or "")


def test_a_save_of_an_empty_form_begins_at_its_provider(page: Page, stage: Stage) -> None:
    open_form(page)
    serve_nobody(page)
    page.get_by_role("button", name="Save", exact=True).click()
    provider = page.get_by_label("Provider", exact=True)
    expect(provider).to_be_focused()
    expect(provider).to_have_accessible_description("Choose a provider from the list.")
    expect(page.get_by_role("alert")).to_have_text(["Choose a provider from the list.", "Give the key a name.", NOBODY])
    assert stage.asked("POST", NEW) == []
    provider.select_option(label="OpenAI")
    expect(provider).not_to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_have_text(["Give the key a name.", NOBODY])


def test_a_save_without_a_name_is_stopped_too_and_both_objections_are_said(page: Page, stage: Stage) -> None:
    stage.on("POST", NEW, Reply(part("form-refused", "form"), 422))
    fill_in(page)
    name = page.get_by_label("Name", exact=True)
    serve_nobody(page)
    name.fill("  ")
    for _ in range(2):
        page.get_by_role("button", name="Save").click()
        expect(name).to_be_focused()
        expect(page.get_by_role("alert")).to_have_text(["Give the key a name.", NOBODY])
        expect(name).to_have_attribute("aria-invalid", "true")
        expect(name).to_have_accessible_description("Give the key a name.")
    assert stage.asked("POST", NEW) == []
    expect(page.get_by_label("API Key", exact=True)).to_have_value(SECRET)

    name.fill("Mine")
    expect(page.get_by_role("alert")).to_have_text([NOBODY])
    expect(name).not_to_have_attribute("aria-invalid", "true")
    page.get_by_label("production", exact=True).check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_focused()
    assert len(stage.asked("POST", NEW)) == 1


def test_a_test_needs_no_name(page: Page, stage: Stage) -> None:
    stage.on("POST", CHECKS, Reply(part("check-valid", "pressed")))
    fill_in(page)
    page.get_by_label("Name", exact=True).fill("")
    page.get_by_role("button", name="Test credentials").click()
    expect(page.locator("[data-verdict=valid]")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_saved_form_leaves_for_where_the_server_says(page: Page, stage: Stage) -> None:
    stage.on("POST", NEW, Reply("", 200, {"HX-Redirect": "/list-toasts"}))
    stage.on("GET", "/list-toasts", Reply(whole("list-toasts")))
    fill_in(page)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"{ORIGIN}/list-toasts")
    toast = page.get_by_text("Bedrock shared was created.")
    expect(toast).to_be_visible()
    page.get_by_role("button", name="Dismiss").first.click()
    expect(toast).to_have_count(0)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (None, "The console can’t be reached."),
        (Reply(whole("500"), 500), "Something broke on our side."),
        (Reply(whole("403-csrf"), 403), "This page is out of date."),
        (Reply("<html><h1>Bad gateway</h1></html>", 502), "The console gave no answer that can be shown."),
    ],
    ids=["offline", "500", "403", "502"],
)
def test_a_failed_save_says_so_in_place_and_keeps_what_was_typed(
    page: Page, stage: Stage, reply: Reply | None, words: str
) -> None:
    stage.on("POST", NEW, reply)
    fill_in(page)
    page.get_by_role("button", name="Save").click()
    alert = page.get_by_role("dialog").get_by_role("alert")
    expect(alert).to_contain_text(words)
    expect(alert).to_be_focused()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Mine")
    expect(page.get_by_label("API Key", exact=True)).to_have_value(SECRET)


def test_too_many_tests_are_refused_where_the_verdict_would_be(page: Page, stage: Stage) -> None:
    limit = part(
        "lost", "fragment", status=429, headline="Too many tests at once.", text="Try again in 12 s.", actions=[]
    )
    stage.on("POST", CHECKS, Reply(limit, 429))
    fill_in(page)
    page.get_by_role("button", name="Test credentials").click()
    expect(page.get_by_role("status", name="Test result").get_by_role("alert")).to_contain_text("Try again in 12 s.")
    expect(page.get_by_label("API Key", exact=True)).to_have_value(SECRET)


def test_the_whole_organization_switches_the_list_of_api_keys_off(page: Page) -> None:
    open_form(page)
    group = page.get_by_role("group", name="API keys")
    whole_organization = page.get_by_role("checkbox", name="Assign to entire organization")
    whole_organization.check()
    expect(group).to_be_disabled()
    expect(group).to_contain_text("Assigned to all organization's API keys")
    expect(group.get_by_role("checkbox")).to_have_count(0)
    whole_organization.uncheck()
    expect(group).to_be_enabled()
    expect(group.get_by_role("checkbox", name="staging", exact=True)).to_be_checked()


def test_api_keys_are_filtered_and_counted(page: Page, stage: Stage) -> None:
    stage.on("POST", OUTLOOK, Reply("asked"))
    open_form(page)
    group = page.get_by_role("group", name="API keys")
    expect(group).to_contain_text("2 of 7 chosen")
    group.get_by_label("Filter API keys").fill("EU")
    expect(group.get_by_role("checkbox")).to_have_count(1)
    group.get_by_text("batch-eu").click()
    expect(group).to_contain_text("3 of 7 chosen")
    # Leaving the filter for the choice has chosen nothing: only the choice is asked about.
    expect(page.get_by_role("status", name="When you save")).to_have_text("asked")
    [asked] = stage.asked("POST", OUTLOOK)
    assert "key_1" in (asked.post_data or "")
    group.get_by_label("Filter API keys").press("Enter")
    group.get_by_label("Filter API keys").fill("nothing has this")
    expect(group).to_contain_text("No API key has this in its name.")
    assert stage.asked("POST", NEW) == []


@pytest.mark.parametrize("size", [(1280, 832), (360, 740)])
def test_what_a_save_means_and_what_was_chosen_are_both_in_view(
    page: Page, stage: Stage, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    stage.on("POST", OUTLOOK, Reply(part_of_outlook()))
    open_form(page)
    box = page.get_by_role("group", name="API keys").get_by_role("checkbox").last
    box.press("Space")
    said = page.get_by_role("group", name="When you save")
    expect(said).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_in_viewport(ratio=1)
    # Seen by the eye, not under what is said.
    assert box.evaluate(
        """box => {
          const { x, y, width, height } = box.getBoundingClientRect();
          return document.elementFromPoint(x + width / 2, y + height / 2) === box;
        }"""
    )


def test_whom_a_key_serves_is_asked_before_the_press_that_would_cost_the_secret(page: Page) -> None:
    fill_in(page)
    said = page.get_by_text("Choose whom it serves before you save: the entire organization, or at least one API key.")
    whole_organization = page.get_by_role("checkbox", name="Assign to entire organization")
    boxes = page.get_by_role("group", name="API keys").get_by_role("checkbox")
    serve_nobody(page)
    expect(said).to_be_visible()
    expect(whole_organization).to_have_accessible_description(re.compile("at least one API key"))
    for box in (whole_organization, boxes.first):
        box.check()
        expect(said).to_be_hidden()
        box.uncheck()
        expect(said).to_be_visible()


def test_a_key_that_serves_nobody_may_stay_so(page: Page, stage: Stage) -> None:
    unassigned = part("form-new", "form").replace("data-assignment>", "data-assignment data-may-serve-nobody>")
    stage.on("GET", NEW, Reply(unassigned))
    stage.on("POST", NEW, Reply("", headers={"HX-Redirect": "/saved"}))
    stage.on("GET", "/saved", Reply("<h1>Saved</h1>"))
    open_form(page)
    page.get_by_label("API Key", exact=True).fill(SECRET)
    serve_nobody(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Saved")).to_be_visible()


def test_an_api_key_made_in_another_tab_is_there_on_coming_back(page: Page, stage: Stage) -> None:
    """Nobody closes the form, and with it loses a secret, to see what they made for it."""
    stage.on("GET", NEW, Reply(part("form-no-api-keys", "form")))
    open_form(page)
    page.get_by_label("API Key", exact=True).fill(SECRET)
    whole = page.get_by_label("Assign to entire organization")
    link = page.get_by_role("link", name="Create an API key")
    expect(link).to_be_visible()
    expect(link).to_be_enabled()
    whole.uncheck()
    stage.requests.clear()
    stage.on("GET", NEW, None)
    with page.expect_event("requestfailed"):
        page.evaluate("dispatchEvent(new Event('focus'))")
    group = page.get_by_role("group", name="API keys")
    expect(group).to_contain_text("Your organization has no API keys yet.")

    stage.on("GET", NEW, Reply(part("form-new", "form")))
    page.evaluate("dispatchEvent(new Event('focus'))")

    expect(group).to_contain_text("of 7 chosen")
    expect(page.get_by_label("API Key", exact=True)).to_have_value(SECRET)
    expect(whole).not_to_be_checked()
    assert all(SECRET not in f"{request.url} {request.post_data}" for request in stage.requests)


def test_a_key_deleted_meanwhile_takes_the_place_of_its_form(page: Page, stage: Stage) -> None:
    stage.on("POST", NEW, Reply(part("form-gone", "form"), 404))
    fill_in(page)
    page.get_by_role("button", name="Save").click()
    dialog = page.get_by_role("dialog", name="Edit Provider Key")
    expect(dialog.get_by_role("alert")).to_be_focused()
    expect(dialog.get_by_role("alert")).to_have_text(re.compile("This key was deleted since you opened it."))
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    expect(page.locator("input[type=password]")).to_have_count(0)
    expect(dialog.get_by_role("link", name="Back to BYOK")).to_have_attribute("href", "/list")


@pytest.mark.parametrize("event", ["pageshow", "pagehide"])
def test_a_page_that_comes_back_comes_back_without_secrets(page: Page, event: str) -> None:
    fill_in(page)
    page.evaluate("name => dispatchEvent(new PageTransitionEvent(name, { persisted: true }))", event)
    expect(page.get_by_label("API Key", exact=True)).to_have_value("")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Mine")


def test_what_is_ticked_for_a_new_api_key_changes_what_is_said_of_it(stage: Stage) -> None:
    page = stage.open("api-key-refused")
    offer = page.locator(".offers .answers > li", has_text="OpenAI")
    names, ticked = offer.locator(".answers__names"), offer.get_by_text("The key that you tick serves it")
    fails = offer.get_by_text("What you ticked failed its last test: while it fails, OpenAI requests fail.")
    failing, other = offer.get_by_role("checkbox").all()
    expect(failing).to_be_checked()
    for boxes, said in (((True, False), (ticked, fails)), ((True, True), (ticked,)), ((False, False), (names,))):
        failing.set_checked(boxes[0])
        other.set_checked(boxes[1])
        for one in (names, ticked, fails):
            expect(one).to_be_visible(visible=one in said)
