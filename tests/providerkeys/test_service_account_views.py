"""A service account in the console: pasted, refused by its field, tested, saved for one location, kept when left blank."""

import html
import json
import re
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from organizations.access import Access
from organizations.models import AuditEvent
from providerkeys import vault
from providerkeys.models import CredentialCheck, Draft, ProviderKey, check_run
from providerkeys.providers import service_account
from providerkeys.providers.base import Credential
from providerkeys.resolver import Scope
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.providerkeys import sample
from tests.providerkeys.conftest import Console, text
from tests.providerkeys.form import NEW, edit, only_key
from tests.providerkeys.providers.service_account_inputs import FIELDS, GOOD, PRIVATE_KEY, changed

UNSAVED = "provider-keys/checks/"
PANEL = "test-result"
OTHER = samples.key("google_vertex_ai", "iam")
DOCUMENT = service_account.parse(GOOD).document
HINT = "fake-sample7-good@fake-example-project.iam.gserviceaccount.com"


def typed(secret: str = GOOD, location: str = "", **more: Any) -> dict[str, Any]:
    """What the form posts for a new key of a service account."""
    given = {"provider": "google_vertex_ai", "name": "EU analytics", "provider_key": secret, "location": location}
    return {**given, "assign_to_organization": "on", **more}


def edited(key: ProviderKey, secret: str = "", location: str | None = None, **more: Any) -> dict[str, Any]:
    """What an edit posts; without a ``location`` it leaves the field as the form has it."""
    data = typed(secret, key.destination["location"] if location is None else location, version=str(key.version))
    return {**data, **more}


def stored_check(key: ProviderKey) -> str:
    return f"provider-keys/{key.pk}/checks/"


@pytest.fixture
def key(alice_access: Access) -> ProviderKey:
    credential = Credential(DOCUMENT, {"location": "europe-west4"})
    draft = Draft("EU analytics", Scope.ORGANIZATION, credential=credential)
    return ProviderKey.create(alice_access, "google_vertex_ai", draft)


def hides_the_key(page: str) -> bool:
    said = html.unescape(page)
    lines = PRIVATE_KEY.splitlines()[2:-2]
    return not any(line in said for line in lines) and FIELDS["private_key_id"] not in said


def sentence_at(page: str, field: str) -> str:
    """What stands at a field in red, as people read it."""
    found = re.search(rf'id="id_{field}_error">(.*?)</div></div>', page, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", found[1])).strip() if found else ""


class TestRefusals:
    def test_nothing_pasted_says_what_to_do(self, alices: Console) -> None:
        page = text(alices.post(NEW, typed("  ")))
        assert sentence_at(page, "provider_key") == "Paste the service account JSON, or choose its file."

    def test_the_summary_names_the_field_and_asks_to_paste_again(self, alices: Console) -> None:
        page = text(alices.post(NEW, typed(changed(token_uri="http://169.254.169.254/"))))
        assert re.search(r'<a href="#id_provider_key">Service account JSON</a>', page)
        assert "<code>token_uri</code> isn’t Google’s token address." in page
        assert "Emptied for safety: paste it again" in page
        assert 'value="EU analytics"' in page

    def test_a_location_is_shown_again_unless_it_is_something_else(self, alices: Console) -> None:
        assert 'value="europe-west99"' in text(alices.post(NEW, typed(location="europe-west99")))
        assert 'id="id_location" list="locations" value=""' in text(alices.post(NEW, typed(location=PRIVATE_KEY)))


class TestCreate:
    @pytest.mark.parametrize(
        ("location", "stored"),
        [("", "global"), ("global", "global"), (" europe-west4 ", "europe-west4"), ("US", "us"), ("eu", "eu")],
    )
    def test_what_is_saved_is_the_rebuilt_document_for_one_location(
        self, alices: Console, sent: list[str], location: str, stored: str
    ) -> None:
        answer = alices.post(NEW, typed(location=location))

        key = only_key()
        assert answer.status_code == 302
        assert key.destination == {"location": stored}
        assert vault.reveal(key, vault.Purpose.CHECK) == DOCUMENT
        assert key.hint == HINT

    def test_without_the_field_the_location_is_global(self, alices: Console, sent: list[str]) -> None:
        data = typed()
        del data["location"]
        alices.post(NEW, data)
        assert only_key().destination == {"location": "global"}

    def test_the_list_and_the_form_show_the_account_and_never_its_key(self, alices: Console, sent: list[str]) -> None:
        alices.post(NEW, typed(location="europe-west4"))
        listed, form = text(alices.get("provider-keys/")), text(alices.get(edit(only_key())))
        assert HINT in listed
        assert f"Unchanged: {HINT}" in form
        assert 'value="europe-west4"' in form
        assert hides_the_key(listed)
        assert hides_the_key(form)

    def test_the_audit_trail_holds_no_part_of_it(self, alices: Console, sent: list[str]) -> None:
        alices.post(NEW, typed())
        events = json.dumps(list(AuditEvent.objects.values("action", "target_label", "details")))
        assert "provider_key.created" in events
        assert hides_the_key(events)
        assert "gserviceaccount" not in events

    def test_choosing_the_provider_asks_for_its_fields(self, alices: Console) -> None:
        fragment = text(alices.get(NEW, into="credentials", provider="google_vertex_ai"))
        assert 'for="id_provider_key">Service account JSON</label>' in fragment
        assert '<label for="id_location">Location</label>' in fragment
        assert '<option value="europe-west4">' in fragment
        assert "Empty means global." in fragment


class TestEdit:
    @pytest.mark.parametrize("posted", ["as the form has it", "without the field"])
    def test_blank_keeps_key_and_location(
        self, alices: Console, key: ProviderKey, sent: list[str], posted: str
    ) -> None:
        before, data = sample.again(key), edited(key, name="Renamed")
        if posted == "without the field":
            del data["location"]

        answer = alices.post(edit(key), data)

        after = only_key()
        assert answer.status_code == 302
        assert (after.name, after.destination) == ("Renamed", {"location": "europe-west4"})
        assert (after.credentials, after.credentials_version) == (before.credentials, before.credentials_version)
        assert not CredentialCheck.objects.exists()

    @pytest.mark.parametrize("location", ["us-central1", "global", ""])
    def test_another_location_needs_the_whole_file_again(
        self, alices: Console, key: ProviderKey, sent: list[str], location: str
    ) -> None:
        before = sample.again(key)

        for path, into in ((edit(key), None), (edit(key), ""), (stored_check(key), PANEL)):
            answer = alices.post(path, edited(key, location=location), into=into)
            assert answer.status_code == 422
            assert "paste the whole service account JSON again" in sentence_at(text(answer), "provider_key")

        after = only_key()
        assert (after.destination, after.version) == (before.destination, before.version)
        assert not CredentialCheck.objects.exists()

    def test_with_the_file_it_moves_and_is_untested(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        ProviderKey.objects.update(verdict="valid", reason="accepted")

        alices.post(edit(key), edited(key, GOOD, "us-central1"))

        after = only_key()
        assert after.destination == {"location": "us-central1"}
        assert vault.reveal(after, vault.Purpose.CHECK) == DOCUMENT
        assert (after.credentials_version, after.verdict) == (2, "")

    def test_the_same_file_for_the_same_location_keeps_its_verdict(
        self, alices: Console, key: ProviderKey, sent: list[str]
    ) -> None:
        ProviderKey.objects.update(verdict="valid", reason="accepted")
        alices.post(edit(key), edited(key, json.dumps(FIELDS)))
        assert only_key().verdict == "valid"

    def test_a_new_file_leaves_the_location_as_it_was(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        alices.post(edit(key), edited(key, OTHER))
        assert only_key().destination == {"location": "europe-west4"}
        assert only_key().hint == HINT.replace("good", "iam")

    def test_a_location_edited_in_the_database_makes_the_key_worthless(self, key: ProviderKey) -> None:
        ProviderKey.objects.update(destination={"location": "us-central1"})
        with pytest.raises(vault.SecretUnreadable):
            vault.reveal(only_key(), vault.Purpose.CHECK)


class TestChecks:
    @pytest.fixture(autouse=True)
    def at_the_stand_ins(self, providers: CheckedProviders, settings: Settings) -> None:
        settings.PROVIDER_BASE_URLS = providers.base_urls

    def press(self, console: Console, path: str, data: dict[str, Any]) -> CredentialCheck:
        """Press the button, and let a worker run what it queued."""
        assert console.post(path, data, into=PANEL).status_code == 200
        check = CredentialCheck.objects.latest("created_at")
        check_run.run(check.pk)
        return sample.again(check)

    @pytest.mark.parametrize(
        ("scenario", "verdict"), [("good", "valid"), ("rate", "limited"), ("rotated", "invalid"), ("iam", "forbidden")]
    )
    def test_what_was_typed_gets_its_verdict_in_words(
        self, alices: Console, sent: list[str], scenario: str, verdict: str
    ) -> None:
        check = self.press(alices, UNSAVED, typed(samples.key("google_vertex_ai", scenario), "europe-west4"))

        panel = text(alices.get(f"provider-keys/checks/{check.pk}/", into=PANEL))
        assert f'data-state="done" data-verdict="{verdict}"' in panel
        assert f"{verdict.capitalize()}</strong>" in panel
        assert not ProviderKey.objects.exists()

    def test_it_is_asked_at_the_location_that_was_typed(
        self, alices: Console, sent: list[str], providers: CheckedProviders
    ) -> None:
        self.press(alices, UNSAVED, typed(location="europe-west4"))
        [question] = providers.requests(name="google_vertex_ai")
        assert question.header("host") == "europe-west4-aiplatform.googleapis.com"
        assert "/locations/europe-west4/" in question.path

    def test_a_blank_edit_tests_the_stored_key_at_its_stored_location(
        self, alices: Console, key: ProviderKey, sent: list[str], providers: CheckedProviders
    ) -> None:
        for data in ({}, edited(key)):
            self.press(alices, stored_check(key), data)
        hosts = {one.header("host") for one in providers.requests(name="google_vertex_ai")}
        assert hosts == {"europe-west4-aiplatform.googleapis.com"}
        assert only_key().verdict == "valid"

    @pytest.mark.parametrize(("saved_for", "verdict"), [("europe-west4", "valid"), ("us-central1", "")])
    def test_a_verdict_is_carried_to_a_save_for_the_same_location_only(
        self, alices: Console, sent: list[str], saved_for: str, verdict: str
    ) -> None:
        self.press(alices, UNSAVED, typed(location="europe-west4"))
        alices.post(NEW, typed(location=saved_for))
        assert only_key().verdict == verdict

    def test_says_at_once_what_is_unusual(self, alices: Console, sent: list[str]) -> None:
        panel = text(alices.post(UNSAVED, typed(changed(private_key_id="my-own-id")), into=PANEL))
        assert "private_key_id is not of the usual shape" in panel
