"""AWS Bedrock in the console: rows that are typed, refused, added, tested, saved, kept when left blank."""

import html
import re
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from pytest_django.fixtures import Settings

from organizations.access import Access
from organizations.models import User
from providerkeys import vault
from providerkeys.models import CredentialCheck, ProviderKey
from providerkeys.providers.aws_regions import CHOICES
from providerkeys.vault import Purpose
from tests.cast import client_for
from tests.fakeproviders import samples
from tests.fakeproviders.access_keys import halves
from tests.fakeproviders.fixtures import CheckedProviders
from tests.providerkeys import regions
from tests.providerkeys.conftest import Console, text
from tests.providerkeys.form import NEW, edit, only_key, toasts
from tests.providerkeys.regions import BAD, THREE, ciphertexts, order, posted, region, said, stored

UNSAVED = "provider-keys/checks/"
PANEL = "test-result"
OTHER = samples.key("bedrock", "nolist")
ID, SECRET = halves(regions.GOOD)
BLANK = {"access_key_id": "", "secret_access_key": ""}
HOSTILE_REGIONS = [
    "evil.com/#",
    "a@evil",
    "..",
    "%2f",
    "us-east-1\n",
    "us\u2010east\u20101",
    "x" * 70,
    "cn-north-1",
    SECRET,
]


def typed(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What the form posts for a new key; without ``rows`` three regions, of which one is bad."""
    given = rows or tuple(posted(number, name) for number, name in enumerate(THREE))
    fields = {name: value for row in given for name, value in row.items()}
    return {"provider": "bedrock", "name": "Bedrock shared", "assign_to_organization": "on", **fields, **more}


def edited(key: ProviderKey, *rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    given = rows or tuple(posted(number, name, **BLANK) for number, name in enumerate(order(key)))
    return typed(*given, version=str(key.version), **more)


def words(page: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text(page))))


def hint_of(key: str) -> str:
    return f"{halves(key)[0][:4]}…{halves(key)[0][-4:]}"


@pytest.fixture(autouse=True)
def _outside(sent: list[str], settings: Settings, providers: CheckedProviders) -> None:
    settings.PROVIDER_BASE_URLS = providers.base_urls


@pytest.fixture
def key(alice_access: Access) -> ProviderKey:
    return stored(alice_access)


class TestTheForm:
    def test_it_has_one_row_to_begin_with(self, alices: Console) -> None:
        page = text(alices.get(NEW, provider="bedrock"))
        assert page.count("data-region-row>") == 1
        assert '<option value="global"' in page
        assert "Row 1 is for requests that name no region." in page

    @pytest.mark.parametrize(
        ("asked", "rows"), [("3", 3), ("0", 1), ("40", 40), ("99", 40), ("-1", 1), ("x", 1), ("٣", 1)]
    )
    def test_without_scripts_the_address_says_how_many_rows(self, alices: Console, asked: str, rows: int) -> None:
        page = text(alices.get(NEW, provider="bedrock", rows=asked))
        assert page.count("data-region-row>") == rows

    def test_choosing_the_provider_brings_its_rows(self, alices: Console) -> None:
        fragment = text(alices.get(NEW, into="credentials", provider="bedrock"))
        assert 'name="regions-0-region"' in fragment
        assert "<html" not in fragment

    def test_a_row_more_is_one_row_with_a_number_of_its_own(self, alices: Console) -> None:
        asked = {"provider": "bedrock", "regions-0-region": "us-east-1", "regions-4-region": ""}
        fragment = text(alices.get(NEW, into="regions", **asked))
        assert fragment.count("<fieldset") == 1
        assert 'name="regions-5-region"' in fragment
        assert 'aria-label="Remove region 3"' in fragment

    def test_a_row_more_is_asked_for_without_any_credential(self, alices: Console) -> None:
        page = text(alices.get(NEW, provider="bedrock"))
        buttons = re.findall(r"<button[^>]*data-add-region[^>]*>", page)
        assert len(buttons) == 2
        assert all('hx-include="#regions select"' in button for button in buttons)

    def test_members_get_no_row(self, danas: Console) -> None:
        assert danas.get(NEW, into="regions", provider="bedrock").status_code == 403

    def test_on_edit_it_shows_each_rows_region_and_hint_alone(
        self, alices: Console, key: ProviderKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(vault, "_decrypt", None)
        page = text(alices.get(edit(key)))
        assert page.count("data-region-row>") == 3
        assert f'placeholder="AKIA…{ID[-4:]}"' in page
        assert ID not in page
        assert SECRET not in page
        assert "Use these credentials in every row" in page

    def test_on_edit_more_rows_can_be_asked_for(self, alices: Console, key: ProviderKey) -> None:
        assert text(alices.get(edit(key), rows="5")).count("data-region-row>") == 5


class TestSaving:
    def test_three_regions_are_saved_and_tested_whatever_their_verdicts(self, alices: Console, sent: list[str]) -> None:
        assert alices.post(NEW, typed()).status_code == 302
        assert order(only_key()) == list(THREE)
        assert list(CredentialCheck.objects.get().results.values_list("label", flat=True)) == list(THREE)

    def test_what_was_typed_is_what_is_stored(self, alices: Console) -> None:
        alices.post(NEW, typed(posted(0, "us-east-1", access_key_id=f" {ID} ", secret_access_key=f'"{SECRET}"')))
        assert vault.reveal(region(only_key(), "us-east-1"), Purpose.CHECK) == regions.GOOD

    def test_rows_keep_the_order_of_their_numbers_and_blank_ones_are_none(self, alices: Console) -> None:
        rows = (posted(7, "eu-west-1"), posted(2, "us-east-1"), posted(4, "", **BLANK), posted(10, "global"))
        alices.post(NEW, typed(*rows))
        assert order(only_key()) == ["us-east-1", "eu-west-1", "global"]

    def test_every_region_at_once_is_taken(self, alices: Console) -> None:
        names = list(CHOICES)
        assert alices.post(NEW, typed(*(posted(number, name) for number, name in enumerate(names)))).status_code == 302
        assert order(only_key()) == names

    def test_the_list_shows_the_regions(self, alices: Console, key: ProviderKey) -> None:
        assert "us-east-1, eu-central-1, eu-south-1" in text(alices.get("provider-keys/"))


REFUSED = {
    "no row": ((posted(0, "", **BLANK),), "Add at least one region."),
    "a region alone": ((posted(0, "us-east-1", **BLANK),), "Enter the access key ID."),
    "no secret": ((posted(0, "us-east-1", secret_access_key=""),), "Enter the secret access key."),
    "no id": ((posted(0, "us-east-1", access_key_id=""),), "Enter the access key ID."),
    "no region": ((posted(0, ""),), "Choose a region."),
    "a region twice": (
        (posted(0, "us-east-1"), posted(1, "eu-west-1"), posted(2, "us-east-1")),
        "Row 1 is for us-east-1 already. Choose another region, or remove this row.",
    ),
    "swapped": ((posted(0, "us-east-1", access_key_id=SECRET, secret_access_key=ID),), "the two fields are swapped"),
    "temporary id": ((posted(0, "us-east-1", access_key_id="ASIA" + "F" * 16),), "can never be used"),
    "Bedrock API key": ((posted(0, "us-east-1", secret_access_key="ABSK" + "F" * 120),), "can never be used"),
    "url-encoded": ((posted(0, "us-east-1", secret_access_key=SECRET.replace("/", "%2F")),), "URL-encoded"),
    "too short": ((posted(0, "us-east-1", secret_access_key=SECRET[:-1]),), "has 40 characters"),
    "41 rows": (tuple(posted(number, "us-east-1") for number in range(41)), "Use at most 40 regions."),
    "one bad row of two": ((posted(0, "us-east-1"), posted(1, "eu-west-1", **BLANK)), "Enter the access key ID."),
    **{f"region {bad[:12]!r}": ((posted(0, bad),), "Choose a region from the list.") for bad in HOSTILE_REGIONS},
}


class TestRefusing:
    @pytest.mark.parametrize("case", REFUSED)
    @pytest.mark.parametrize("press", ["save", "test"])
    def test_inp_it_is_said_at_its_field_and_nothing_happens(
        self, alices: Console, providers: CheckedProviders, sent: list[str], case: str, press: str
    ) -> None:
        rows, sentence = REFUSED[case]
        answer = alices.post(NEW, typed(*rows)) if press == "save" else alices.post(UNSAVED, typed(*rows), into=PANEL)
        page = text(answer)
        assert answer.status_code == 422
        assert sentence in words(answer)
        assert SECRET not in page
        assert 'role="alert"' in page
        assert not ProviderKey.objects.exists()
        assert not CredentialCheck.objects.exists()
        assert (sent, providers.requests()) == ([], [])

    def test_the_field_that_is_wrong_is_marked_and_linked(self, alices: Console) -> None:
        page = text(alices.post(NEW, typed(posted(0, "us-east-1"), posted(1, "eu-west-1", secret_access_key=""))))
        assert re.search(r'name="regions-1-secret_access_key"[^>]*aria-invalid="true"', page)
        assert not re.search(r'name="regions-0-secret_access_key"[^>]*aria-invalid="true"', page)
        assert '<a href="#id_regions-1-secret_access_key">Secret Access Key of region 2</a>' in page

    @pytest.mark.parametrize("said", [True, False], ids=["two-rows", "one-row"])
    def test_the_summary_says_what_else_was_emptied(self, alices: Console, said: bool) -> None:
        """Beside the row that is wrong every other lost its secret too; with one row alone there is nothing to add."""
        rows = [posted(0, "us-east-1", secret_access_key="too short")]
        if said:
            rows.append(posted(1, "eu-west-1"))
        [summary] = re.findall(
            r'id="error-summary".*?</div>', text(alices.post(UNSAVED, typed(*rows), into=PANEL)), re.DOTALL
        )
        assert ("Every secret access key that was typed was emptied for safety" in summary) is said

    def test_regions_and_ids_are_kept_and_secrets_come_back_empty(self, alices: Console) -> None:
        page = text(alices.post(NEW, typed(name="")))
        assert page.count("data-region-row>") == 3
        assert page.count(f'value="{ID}"') == 3
        assert '<option value="eu-south-1" selected' in page
        assert page.count('placeholder="Type it again"') == 3
        assert SECRET not in page

    def test_a_secret_in_the_wrong_field_is_not_shown_again(self, alices: Console) -> None:
        assert SECRET not in text(alices.post(NEW, typed(posted(0, "us-east-1", access_key_id=SECRET))))


class TestRevoking:
    """What is said of the old access keys after an edit: nobody is told to revoke what a row still uses."""

    KEPT = (
        "The gateway doesn’t route AWS Bedrock requests yet. Once it does, they use what is stored now. "
        "{} kept what was stored before:"
    )

    def said(self, alices: Console, key: ProviderKey, *rows: dict[str, str]) -> str:
        assert alices.post(edit(key), edited(key, *rows)).status_code == 302
        return " ".join(toasts(alices))

    def test_a_row_replaced_beside_two_that_are_kept(self, alices: Console, key: ProviderKey) -> None:
        said = self.said(
            alices, key, posted(0, "us-east-1", **BLANK), posted(1, "eu-central-1", **BLANK), posted(2, BAD, OTHER)
        )
        assert self.KEPT.format("us-east-1 and eu-central-1") in said
        assert "revoke an old access key at AWS IAM only when no row has it." in said
        assert "the old one" not in said

    def test_nothing_is_green_while_a_region_is_known_to_fail(self, alices: Console, key: ProviderKey) -> None:
        key.regions.update(verdict="valid", reason="accepted")
        key.regions.filter(region=BAD).update(verdict="forbidden", reason="opt_in")
        rows = [posted(number, name, **BLANK) for number, name in enumerate(THREE)]
        assert alices.post(edit(key), edited(key, *rows, posted(3, "us-west-2"))).status_code == 302
        page = text(alices.get("provider-keys/"))
        assert re.search(r'toast__line tone-grey" data-line>.*?they use what is stored now', page, re.DOTALL)

    def test_all_rows_replaced(self, alices: Console, key: ProviderKey) -> None:
        old = key.regions.all()[0].hint
        said = self.said(alices, key, *(posted(number, name, OTHER) for number, name in enumerate(THREE)))
        assert "Revoke the old one at AWS IAM once a test says that the new one is valid." in said
        assert f" The old access key ID: {old}." in said
        assert "kept" not in said

    def test_after_a_mistyped_one_the_first_is_not_forgotten(self, alices: Console, key: ProviderKey) -> None:
        old = key.regions.all()[0].hint
        wrong = samples.key("bedrock", "wrong")
        self.said(alices, key, *(posted(number, name, wrong) for number, name in enumerate(THREE)))
        key.refresh_from_db()
        said = self.said(alices, key, *(posted(number, name, OTHER) for number, name in enumerate(THREE)))
        assert f"{old} was replaced shortly before: revoke it too." in said

        key.refresh_from_db()
        key.regions.update(verdict="invalid", reason="unknown_id")
        again = samples.key("bedrock", "good")
        said = self.said(alices, key, *(posted(number, name, again) for number, name in enumerate(THREE)))
        # It is in use again. What AWS doesn't know may be inactive, or another partition's: it may be live.
        assert f"Revoke {hint_of(wrong)}, replaced shortly before, at AWS IAM once a test says" in said
        assert (
            f"{hint_of(OTHER)} was replaced by this save, and AWS doesn’t know it: if you made it, revoke it too."
            in said
        )
        assert old not in said

    def test_what_aws_does_not_know_is_to_be_revoked_by_whoever_made_it(
        self, alices: Console, key: ProviderKey
    ) -> None:
        old = key.regions.all()[0].hint
        key.regions.update(verdict="invalid", reason="unknown_id")
        said = self.said(alices, key, *(posted(number, name, OTHER) for number, name in enumerate(THREE)))
        assert f"AWS doesn’t know the old one, {old}: if you made it, revoke it at AWS IAM." in said
        assert "Still to be revoked" not in text(alices.get("provider-keys/"))

    def test_a_row_in_which_the_new_one_is_typed_again_kept_no_old_one(self, alices: Console, key: ProviderKey) -> None:
        rows = [posted(number, name, **BLANK) for number, name in enumerate(THREE)]
        self.said(alices, key, posted(0, THREE[0], OTHER), *rows[1:])
        key.refresh_from_db()
        said = self.said(alices, key, *(posted(number, name, OTHER) for number, name in enumerate(THREE)))
        assert "the old one at AWS IAM" in said
        assert "kept" not in said

    @pytest.mark.parametrize("every", [True, False])
    def test_an_access_key_that_another_key_holds_in_other_regions_is_not_to_be_revoked(
        self, alices: Console, alice_access: Access, every: bool
    ) -> None:
        """Its fingerprint is another one in each region."""
        stored(alice_access, "us-east-1", "us-west-2")
        key = stored(alice_access, "eu-central-1", "eu-west-1")
        ProviderKey.objects.filter(pk=key.pk).update(name="Europe")
        old = key.regions.all()[0].hint
        second = posted(1, "eu-west-1", OTHER) if every else posted(1, "eu-west-1", **BLANK)
        said = self.said(alices, key, posted(0, "eu-central-1", OTHER), second)
        assert "is stored in Bedrock shared (AWS Bedrock) too" in said
        assert "Revoke the old one" not in said
        assert ("revoke an old access key at AWS IAM only when no row has it" in said) is not every
        assert f"The old access key ID: {old}." in said

    def test_of_several_access_keys_that_others_hold(self, alices: Console, alice_access: Access) -> None:
        stored(alice_access, "us-east-1", "us-west-2")
        key = stored(alice_access, "eu-central-1", "eu-west-1")
        ProviderKey.objects.filter(pk=key.pk).update(name="Europe")
        second, third = samples.key("bedrock", "wrong"), OTHER
        self.said(alices, key, posted(0, "eu-central-1", **BLANK), posted(1, "eu-west-1", second))
        key.refresh_from_db()
        said = self.said(alices, key, posted(0, "eu-central-1", third), posted(1, "eu-west-1", third))
        assert "Some of the old ones are stored in Bedrock shared (AWS Bedrock) too" in said
        assert "replace the old ones there, then revoke them at AWS IAM." in said

    def test_a_mistyped_secret_of_an_access_key_that_another_key_holds(
        self, alices: Console, alice_access: Access
    ) -> None:
        stored(alice_access, "us-east-1", "us-west-2")
        key = stored(alice_access, "us-east-1", "us-west-2")
        self.said(alices, key, posted(0, "us-east-1", **BLANK), posted(1, "us-west-2", OTHER))
        key.refresh_from_db()
        mistyped = {**posted(0, "us-east-1"), "regions-0-secret_access_key": "F" * 40}
        said = self.said(alices, key, mistyped, posted(1, "us-west-2", **BLANK))
        assert "us-west-2 kept what was stored before" in said
        # It is the same one, of which there is no old one.
        assert "The old access key ID" not in said

    def test_of_a_region_that_was_removed_nothing_was_replaced(self, alices: Console, alice_access: Access) -> None:
        stored(alice_access, "us-east-1")
        key = stored(alice_access, "eu-central-1", "eu-west-1")
        said = self.said(alices, key, posted(0, "eu-central-1", **BLANK))
        assert "revoke an old access key at AWS IAM only when no row has it" in said
        assert "was replaced" not in said

    def test_nor_does_the_form_say_so(self, alices: Console, alice_access: Access) -> None:
        key = stored(alice_access, "eu-central-1", "eu-west-1")
        self.said(alices, key, posted(0, "eu-central-1", **BLANK))
        assert "Within the hour you replaced" not in text(alices.get(edit(key)))
        key.refresh_from_db()
        old = key.regions.all()[0].hint
        self.said(alices, key, posted(0, "eu-central-1", OTHER))
        assert f'Within the hour you replaced <span class="whole">{old}</span> here.' in text(alices.get(edit(key)))

    def test_of_two_that_are_replaced_both_are_to_be_revoked(self, alices: Console, alice_access: Access) -> None:
        key = stored(alice_access, "us-east-1", "us-west-2")
        self.said(alices, key, posted(0, "us-east-1", **BLANK), posted(1, "us-west-2", OTHER))
        key.refresh_from_db()
        third = samples.key("bedrock", "quota")
        said = self.said(alices, key, posted(0, "us-east-1", third), posted(1, "us-west-2", third))
        assert "Revoke the old ones at AWS IAM once a test says" in said
        assert f"The old access key IDs: {hint_of(regions.GOOD)} and {hint_of(OTHER)}." in said

    def test_a_secret_that_was_mistyped_is_no_old_access_key(self, alices: Console, key: ProviderKey) -> None:
        rows = [
            {**posted(number, name), f"regions-{number}-secret_access_key": "F" * 40}
            for number, name in enumerate(THREE)
        ]
        said = self.said(alices, key, *rows)
        assert "Once it does, they use what is stored now." in said
        assert "evoke" not in said

    def test_a_row_more_takes_nothing_away(self, alices: Console, key: ProviderKey) -> None:
        rows = [posted(number, name, **BLANK) for number, name in enumerate(THREE)]
        said = self.said(alices, key, *rows, posted(3, "us-west-2", OTHER))
        assert "Once it does, they use what is stored now." in said
        assert "within 5 s" not in said
        assert "evoke" not in said


class TestEditing:
    def test_blank_secrets_are_kept_byte_for_byte(self, alices: Console, key: ProviderKey) -> None:
        before = ciphertexts(key)
        rows = (posted(0, "us-east-1", **BLANK), posted(1, "eu-central-1", **BLANK), posted(2, BAD, OTHER))
        assert alices.post(edit(key), edited(key, *rows)).status_code == 302
        after = ciphertexts(key)
        assert [after[name] == before[name] for name in THREE] == [True, True, False]
        assert vault.reveal(region(key, BAD), Purpose.CHECK) == OTHER

    @pytest.mark.parametrize(
        "shown", ["", ID, f" {ID} ", f"AKIA…{ID[-4:]}"], ids=["blank", "id", "id in blanks", "hint"]
    )
    def test_the_same_id_keeps_its_secret(self, alices: Console, key: ProviderKey, shown: str) -> None:
        before = ciphertexts(key)
        rows = (posted(number, name, access_key_id=shown, secret_access_key="") for number, name in enumerate(THREE))
        assert alices.post(edit(key), edited(key, *rows)).status_code == 302
        assert ciphertexts(key) == before

    def test_net_another_id_needs_its_secret(self, alices: Console, key: ProviderKey) -> None:
        before = ciphertexts(key)
        changed = posted(0, "us-east-1", OTHER, secret_access_key="")
        answer = alices.post(edit(key), edited(key, changed))
        assert (answer.status_code, ciphertexts(key)) == (422, before)
        assert "A changed access key ID needs its secret access key: type it here." in words(answer)

    def test_net_another_region_needs_the_secret(self, alices: Console, key: ProviderKey) -> None:
        before = ciphertexts(key)
        moved = posted(0, "eu-west-1", secret_access_key="")
        answer = alices.post(edit(key), edited(key, moved))
        assert (answer.status_code, ciphertexts(key)) == (422, before)
        assert "A stored secret never moves to another region" in words(answer)

    def test_a_new_secret_needs_its_id(self, alices: Console, key: ProviderKey) -> None:
        answer = alices.post(edit(key), edited(key, posted(0, "us-east-1", access_key_id="")))
        assert answer.status_code == 422
        assert "Enter the access key ID." in words(answer)

    def test_a_removed_row_is_deleted_and_the_others_keep_their_order(self, alices: Console, key: ProviderKey) -> None:
        rows = (posted(0, BAD, **BLANK), posted(1, "us-east-1", **BLANK))
        assert alices.post(edit(key), edited(key, *rows)).status_code == 302
        assert order(key) == [BAD, "us-east-1"]

    def test_no_row_at_all_is_refused(self, alices: Console, key: ProviderKey) -> None:
        for rows in (posted(0, "", **BLANK), {"unrelated": ""}):
            answer = alices.post(edit(key), edited(key, rows))
            assert (answer.status_code, order(key)) == (422, list(THREE))
            assert "Add at least one region." in words(answer)

    def test_another_name_alone_tests_nothing(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        alices.post(edit(key), edited(key, name="Renamed"))
        assert (only_key().name, sent) == ("Renamed", [])

    def test_after_a_refusal_a_stored_row_can_still_be_kept(self, alices: Console, key: ProviderKey) -> None:
        page = text(alices.post(edit(key), edited(key, name="")))
        assert page.count('placeholder="Unchanged"') == 3

    def test_a_foreign_key_is_not_found(self, charlies: Console, key: ProviderKey) -> None:
        assert charlies.post(edit(key), edited(key)).status_code == 404


class TestTesting:
    def test_a_press_tests_what_is_typed_and_saves_nothing(self, alices: Console) -> None:
        panel = text(alices.post(UNSAVED, typed(), into=PANEL))
        assert re.findall(r'data-region="([^"]+)"', panel) == list(THREE)
        assert 'data-state="queued"' in panel
        assert "<progress" in panel
        assert not ProviderKey.objects.exists()

    def test_a_press_on_edit_tests_stored_and_typed_rows_alike(self, alices: Console, key: ProviderKey) -> None:
        rows = (posted(0, "us-east-1", **BLANK), posted(1, BAD, OTHER))
        alices.post(f"provider-keys/{key.pk}/checks/", edited(key, *rows), into=PANEL)
        results = CredentialCheck.objects.get().results.order_by("position")
        assert [(result.label, bool(result.record)) for result in results] == [("us-east-1", True), (BAD, False)]

    def test_a_press_in_the_list_tests_the_stored_rows(self, alices: Console, key: ProviderKey) -> None:
        assert alices.post(f"provider-keys/{key.pk}/checks/", {}, into=f"row-{key.pk}").status_code == 200
        assert list(said(CredentialCheck.objects.get())) == list(THREE)


class TestStaff:
    def test_staff_see_each_region_and_no_secret(self, sam: User, key: ProviderKey) -> None:
        page = text(client_for(sam).get(f"/admin/providerkeys/providerkey/{quote(key.pk)}/change/"))
        assert all(name in page for name in THREE)
        assert f"AKIA…{ID[-4:]}" in page
        assert not any(hidden in page for hidden in (ID, SECRET, "gAAAA", region(key, BAD).fingerprint))
