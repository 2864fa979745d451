"""Editing a provider key: what blank keeps, what new credentials mean, and two admins at once."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from organizations.access import Access
from providerkeys import vault
from providerkeys.models import CredentialCheck, Draft, KeyAssignment, ProviderKey
from providerkeys.providers import service_account
from providerkeys.providers.base import Credential
from providerkeys.resolver import Scope
from providerkeys.tasks import run_check
from tests.cast import client_for, member_of
from tests.fakeproviders import samples
from tests.fakeproviders.access_keys import halves
from tests.providerkeys import regions, sample
from tests.providerkeys.conftest import Console, form_data, text
from tests.providerkeys.form import NEW, edit, edited, shown, toasts, value_of
from tests.providerkeys.regions import THREE, ciphertexts, posted


def offers_to_keep(page: str) -> list[str]:
    """The names of the checkboxes that keep what is stored."""
    return re.findall(r'<input type="checkbox" name="([^"]*keep_stored)"', page)


type Judge = Callable[[str, sample.Answerer], None]


@pytest.fixture
def judge(alice_access: Access, sent: list[str], monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Somebody tests a typed key of OpenAI, and the provider answers so."""

    def test(secret: str, answers: sample.Answerer) -> None:
        sample.Door.instead(monkeypatch).answers = answers
        run_check(CredentialCheck.press(alice_access, "openai", [sample.typed(alice_access, secret)]).pk)

    return test


class TestEdit:
    @pytest.fixture
    def key(self, alice_access: Access) -> ProviderKey:
        return sample.stored(alice_access)

    def test_blank_credentials_keep_the_stored_ones(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        before = sample.again(key)

        answer = alices.post(edit(key), edited(key, name="Renamed"))

        after = sample.again(key)
        assert answer.status_code == 302
        assert after.name == "Renamed"
        assert (after.credentials, after.credentials_version) == (before.credentials, before.credentials_version)
        assert not CredentialCheck.objects.exists()
        assert toasts(alices) == ["Renamed was saved. Its credentials are unchanged."]

    def test_that_a_key_fails_is_said_of_every_save(self, alices: Console, key: ProviderKey) -> None:
        ProviderKey.objects.filter(pk=key.pk).update(verdict="invalid")

        alices.post(edit(key), edited(key, name="Renamed"))

        page = shown(alices)
        assert "Renamed was saved. Its credentials are unchanged, and failed their last test." in page
        assert '<div class="toast__line tone-amber"' in page

    def test_a_limited_key_takes_the_old_ones_place_once_it_does_what_is_needed(
        self, alices: Console, alice_access: Access, key: ProviderKey, judge: Judge
    ) -> None:
        judge(sample.LATTER, sample.limited)
        alices.post(edit(key), edited(key, sample.LATTER))
        assert (
            "Revoke the old one at OpenAI’s API keys once the new one does what you need, or now if it leaked."
            in toasts(alices)[-1]
        )

    def test_two_hints_that_are_the_same_are_told(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        alike = sample.FORMER.replace("FAKE", "FAKX", 1)
        alices.post(edit(key), edited(key, alike))
        same = f"The old one’s hint: {key.hint}. The new one has the same: tell them apart by when they were made."
        assert same in toasts(alices)[-1]
        alices.post(edit(key), edited(sample.again(key), sample.LATTER))
        assert "The new one has the same" not in toasts(alices)[-1]

    def test_whose_requests_fail_with_it_is_said_where_no_other_key_is_tried(
        self, alices: Console, alice_access: Access, key: ProviderKey
    ) -> None:
        for name in ("a", "b", "c", "d"):
            sample.api_key(alice_access, name)
        ProviderKey.objects.filter(pk=key.pk).update(verdict="invalid")
        told = "Its credentials are unchanged, and failed their last test"

        alices.post(edit(key), edited(key, name="Renamed"))
        assert (
            f"Renamed was saved. {told}: while they fail, so do the OpenAI requests of a, b, c and others."
            in toasts(alices)
        )

        ProviderKey.create(alice_access, "openai", sample.draft(sample.LATTER, "Second"))
        alices.post(edit(key), edited(sample.again(key), name="Again"))
        assert toasts(alices) == [f"Again was saved. {told}."]

    def test_of_a_failing_key_without_requests_none_fail(self, alices: Console, key: ProviderKey) -> None:
        ProviderKey.objects.filter(pk=key.pk).update(verdict="invalid", scope="api_keys")

        alices.post(edit(key), edited(key, name="Renamed", assign_to_organization=""))

        assert toasts(alices) == ["Renamed was saved. Its credentials are unchanged, and failed their last test."]

    def test_a_key_that_serves_nobody_is_replaced_without_a_word_on_whom(
        self, alices: Console, alice_access: Access, sent: list[str]
    ) -> None:
        api_key = sample.api_key(alice_access)
        key = sample.stored(alice_access, api_keys=[api_key])
        nobody = {"assign_to_organization": ""}
        refused = alices.post(edit(key), edited(key, sample.LATTER, **nobody))
        assert "Choose at least one API key" in text(refused)
        assert "data-may-serve-nobody" not in text(alices.get(edit(key)))
        api_key.delete()

        page = text(alices.get(edit(key)))
        assert "data-may-serve-nobody" in page
        assert "It serves nobody, and may stay so" in page
        before = sample.again(key).credentials
        assert alices.post(edit(key), edited(sample.again(key), sample.LATTER, **nobody)).status_code == 302

        after = sample.again(key)
        assert after.credentials != before
        assert (after.scope, after.assigned_ids) == ("api_keys", frozenset())

    def test_new_credentials_are_untested_tested_and_ask_to_revoke_the_old(
        self, alices: Console, key: ProviderKey, sent: list[str]
    ) -> None:
        ProviderKey.objects.update(verdict="valid", reason="accepted")

        alices.post(edit(key), edited(key, sample.LATTER))

        after = sample.again(key)
        assert vault.reveal(after, vault.Purpose.CHECK) == sample.LATTER
        assert after.verdict == ""
        assert CredentialCheck.objects.get().provider_key == key
        saved, revoke = toasts(alices)
        assert saved == "Production was saved. Its test is running."
        assert revoke == (
            "Requests use the new key within 5 s. Revoke the old one at OpenAI’s API keys once a test says that the new one"
            f" is valid. The old one’s hint: {key.hint}."
        )

    @pytest.mark.parametrize(("verdict", "answers"), [("valid", sample.accepted), ("invalid", sample.unknown)])
    def test_the_old_key_is_to_be_revoked_now_only_where_the_new_one_was_found_valid(
        self, alices: Console, key: ProviderKey, judge: Judge, verdict: str, answers: sample.Answerer
    ) -> None:
        judge(sample.LATTER, answers)

        alices.post(edit(key), edited(key, sample.LATTER))

        assert sample.again(key).verdict == verdict
        saved, revoke = toasts(alices)
        said = {
            "valid": "Valid. OpenAI accepted the key.",
            "invalid": "Invalid. OpenAI doesn’t recognize this key. Next: paste it whole, or create a new key at OpenAI’s API keys.",
        }
        assert saved == f"Production was saved. These credentials were tested just now: {said[verdict]}"
        assert ("Now revoke the old one" in revoke) is (verdict == "valid")
        failed = "It failed its test: replace it with one that works. If the old one leaked, revoke it at OpenAI’s API keys now."
        assert (failed in revoke) is (verdict == "invalid")

    @pytest.mark.parametrize("elsewhere", [True, False])
    def test_a_failed_one_is_replaced_by_one_press(
        self, alices: Console, key: ProviderKey, judge: Judge, *, elsewhere: bool
    ) -> None:
        if elsewhere:
            alices.post(NEW, form_data(name="Last year’s"))
        judge(sample.LATTER, sample.unknown)
        alices.post(edit(key), edited(key, sample.LATTER))
        words = "Replace the new one" if elsewhere else "replace it"
        assert f'<a href="{alices.url(edit(key))}?focus=credentials">{words}</a> with one that works.' in shown(alices)

    def test_of_a_test_that_is_some_time_ago_it_is_said_whose_it_was(
        self, alices: Console, key: ProviderKey, judge: Judge
    ) -> None:
        judge(sample.LATTER, sample.accepted)
        with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=False):
            alices.post(edit(key), edited(key, sample.LATTER))
            saved, _ = toasts(alices)
        assert saved.startswith("Production was saved. The same credentials were tested 6 min ago: Valid.")

    @pytest.mark.parametrize("query", ["", "?api_key=staging&status=active"])
    def test_a_save_leads_back_to_the_list_that_was_filtered_so(
        self, alices: Console, key: ProviderKey, query: str
    ) -> None:
        there = alices.url("provider-keys/") + query
        headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{there}"}

        answer = alices.client.post(alices.url(edit(key)), edited(key, name="Renamed"), headers=headers)

        assert answer.headers["HX-Redirect"] == there
        assert f'data-saved="{key.pk}"' in text(alices.client.get(there))

    def test_what_other_keys_still_hold_is_not_to_be_revoked_yet(
        self, alices: Console, alice_access: Access, charlie_access: Access, key: ProviderKey, judge: Judge
    ) -> None:
        sample.stored(charlie_access)
        ProviderKey.create(alice_access, "openai", sample.draft(sample.FORMER, "Last year’s"))
        judge(sample.LATTER, sample.accepted)

        alices.post(edit(key), edited(key, sample.LATTER))

        _, revoke = toasts(alices)
        assert revoke == (
            "Requests use the new key within 5 s. The old one is stored in Last year’s (OpenAI) too: replace the old one there,"
            f" then revoke it at OpenAI’s API keys. The old one’s hint: {key.hint}."
        )

    @pytest.mark.parametrize(
        ("answers", "said"),
        [
            (
                None,
                "too: once a test says that the new one is valid, replace the old one there, then revoke it at OpenAI’s",
            ),
            (
                sample.unknown,
                (
                    "in Last year’s (OpenAI) too, and the new one failed its test. In this order: Replace the new one with one"
                    " that works. Replace the old one wherever it is stored. Revoke it at OpenAI’s API keys."
                ),
            ),
        ],
    )
    @pytest.mark.usefixtures("sent")
    def test_a_key_that_is_not_known_to_work_replaces_no_other(
        self, alices: Console, key: ProviderKey, judge: Judge, answers: sample.Answerer | None, said: str
    ) -> None:
        alices.post(NEW, form_data(name="Last year’s"))
        if answers:
            judge(sample.LATTER, answers)

        alices.post(edit(key), edited(key, sample.LATTER))

        assert said in toasts(alices)[-1]

    def test_what_is_to_be_done_where_another_key_holds_it_waits_for_the_test(
        self, alices: Console, alice_access: Access, key: ProviderKey, sent: list[str]
    ) -> None:
        ProviderKey.create(alice_access, "openai", sample.draft(sample.FORMER, "Last year’s"))
        alices.post(edit(key), edited(key, sample.LATTER))

        page = text(alices.get("provider-keys/"))
        assert (
            f'too<span data-awaits="{key.pk}">: once a test says that the new one is valid, replace the old one there'
            in page
        )
        then = dict(re.findall(r'<template data-then="(\w+)">(.*?)(?:, then revoke|<ol>)', page))
        assert then == {
            "green": ": replace the old one there",
            "amber": ": once the new one does what you need, replace the old one there",
            "red": ", and the new one failed its test. In this order: ",
        }

    @pytest.mark.parametrize("unused", ["disabled", "assigned to nobody"])
    def test_of_a_key_that_no_request_uses_that_is_said(
        self, alices: Console, alice_access: Access, sent: list[str], unused: str
    ) -> None:
        api_key = sample.api_key(alice_access)
        key = sample.stored(alice_access, api_keys=[api_key])
        if unused == "disabled":
            key.disable(alice_access)
        else:
            api_key.delete()
        chosen = [api_key] if unused == "disabled" else []
        ids = {"assign_to_organization": "", "api_key_ids": [one.pk for one in chosen]}
        alices.post(edit(key), edited(sample.again(key), sample.LATTER, **ids))

        said = toasts(alices)[-1]
        assert f"It is {unused}: no request uses it. Revoke the old one at" in said
        assert "Requests use" not in said

    def test_what_is_to_be_done_about_the_old_key_waits_for_the_test(
        self, alices: Console, key: ProviderKey, sent: list[str]
    ) -> None:
        alices.post(edit(key), edited(key, sample.LATTER))

        page = text(alices.get("provider-keys/"))
        assert f'<span data-awaits="{key.pk}">Revoke the old one at <a' in page
        then = dict(re.findall(r'<template data-then="(\w+)">(.*?)<a', page))
        assert then == {
            "green": "Now revoke the old one at ",
            "amber": "Revoke the old one at ",
            "red": "It failed its test: ",
        }

    def test_who_replaces_twice_is_reminded_of_the_first(
        self, alices: Console, key: ProviderKey, sent: list[str]
    ) -> None:
        leaked = key.hint
        # Their hints are no different: what is told apart are the keys.
        mistyped, latter = (sample.FORMER.replace("FAKE", other, 1) for other in ("FAKX", "FAKY"))
        alices.post(edit(key), edited(key, mistyped))
        assert "replaced shortly before" not in toasts(alices)[-1]

        alices.post(edit(key), edited(sample.again(key), latter))
        told = f"tell them apart by when they were made. {leaked} was replaced shortly before: revoke it too."
        assert told in toasts(alices)[-1]

        alices.post(edit(key), edited(sample.again(key), sample.FORMER))
        last = toasts(alices)[-1]
        assert f"{leaked} was replaced shortly before" in last, "the mistyped one"
        assert "and" not in last.partition("hint:")[2], "the first one is in use again"

    def test_what_its_provider_does_not_know_is_not_to_be_revoked_but_what_it_replaced_is(
        self, alices: Console, key: ProviderKey, sent: list[str]
    ) -> None:
        leaked = key.hint
        alices.post(edit(key), edited(key, sample.FORMER.replace("FAKE", "FAKX", 1)))
        ProviderKey.objects.update(verdict="invalid", reason="unknown_key")
        toasts(alices)
        alices.post(edit(key), edited(sample.again(key), sample.LATTER))

        last = toasts(alices)[-1]
        assert f"Revoke {leaked}, replaced shortly before, at OpenAI’s API keys once a test says" in last
        assert "hint" not in last

    def test_that_and_the_new_one_may_have_one_hint(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        mistyped, alike = (sample.FORMER.replace("FAKE", other, 1) for other in ("FAKX", "FAKY"))
        alices.post(edit(key), edited(key, mistyped))
        ProviderKey.objects.update(verdict="invalid", reason="unknown_key")
        toasts(alices)
        alices.post(edit(key), edited(sample.again(key), alike))
        assert "The new one has the same hint: tell them apart by when they were made." in toasts(alices)[-1]
        assert "The stored one has the same hint" in text(alices.get(edit(key)))

    def test_and_where_other_keys_hold_that_it_is_first_replaced_there(
        self, alices: Console, alice_access: Access, key: ProviderKey, sent: list[str]
    ) -> None:
        ProviderKey.create(alice_access, "openai", sample.draft(sample.FORMER, "Last year’s"))
        alices.post(edit(key), edited(key, sample.FORMER.replace("FAKE", "FAKX", 1)))
        ProviderKey.objects.filter(pk=key.pk).update(verdict="invalid", reason="unknown_key")
        toasts(alices)
        alices.post(edit(key), edited(sample.again(key), sample.LATTER))
        assert (
            f"{key.hint}, replaced shortly before, is stored in Last year’s (OpenAI) too: once a test says that the new one is"
            " valid, replace that one there, then revoke it"
        ) in toasts(alices)[-1]

    def test_where_only_what_is_unknown_was_replaced_there_is_nothing_to_revoke(
        self, alices: Console, key: ProviderKey, sent: list[str]
    ) -> None:
        ProviderKey.objects.update(verdict="invalid", reason="unknown_key")
        alices.post(edit(key), edited(key, sample.LATTER))
        told = "Requests use the new key within 5 s. OpenAI didn’t recognize the old one: if it leaked, make sure at"
        assert toasts(alices)[-1] == f"{told} OpenAI’s API keys that it is gone."

    def test_the_form_reminds_of_what_was_replaced_for_an_hour(
        self, alices: Console, alice_access: Access, key: ProviderKey, sent: list[str]
    ) -> None:
        reminder = "Within the hour you replaced"
        assert reminder not in text(alices.get(edit(key)))
        alices.post(edit(key), edited(key, sample.LATTER))
        form = text(alices.get(edit(key)))
        assert f'{reminder} <span class="whole">{key.hint}</span> here. Revoke it at <a' in form
        # Whoever undoes a slip reads it while they type that very key.
        assert ", once no other key holds it, unless you put it back." in form
        ProviderKey.create(alice_access, "openai", sample.draft(sample.FORMER, "Last year’s"))
        assert ">Last year’s</a> (OpenAI)), unless you put it back." in text(alices.get(edit(key)))
        with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
            assert reminder not in text(alices.get(edit(key)))

    def test_nobody_is_reminded_to_revoke_at_once_what_another_key_holds(
        self, alices: Console, alice_access: Access, key: ProviderKey, sent: list[str]
    ) -> None:
        ProviderKey.create(alice_access, "openai", sample.draft(sample.FORMER, "Last year’s"))
        mistyped = sample.FORMER.replace("FAKE", "FAKX", 1)
        alices.post(edit(key), edited(key, mistyped))
        toasts(alices)

        alices.post(edit(key), edited(sample.again(key), sample.LATTER))
        told = "was replaced shortly before: revoke it too, but replace it first in Last year’s (OpenAI)."
        assert told in toasts(alices)[-1]

    def test_after_an_hour_nobody_is_reminded(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        with time_machine.travel(timezone.now() - timedelta(minutes=61), tick=False):
            alices.post(edit(key), edited(key, sample.LATTER[:-4] + "Typo"))
        toasts(alices)
        alices.post(edit(key), edited(sample.again(key), sample.LATTER))
        assert "replaced shortly before" not in toasts(alices)[-1]

    def test_the_link_to_revoke_is_the_providers(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        alices.post(edit(key), edited(key, sample.LATTER))

        assert 'href="https://platform.openai.com/api-keys"' in text(alices.get("provider-keys/"))

    def test_the_stored_key_typed_again_is_no_replacement(
        self, alices: Console, key: ProviderKey, sent: list[str]
    ) -> None:
        answer = alices.post(edit(key), edited(key, f" {sample.FORMER}\n", name="Renamed"))

        assert answer.status_code == 422
        assert "This is the key that is stored already. Leave the field empty to keep it" in text(answer)
        assert value_of(text(answer), "emptied") == ""
        assert sample.again(key).credentials_version == 1
        assert alices.post(edit(key), edited(key, name="Renamed")).status_code == 302
        assert toasts(alices) == ["Renamed was saved. Its credentials are unchanged."]

    def test_one_that_can_no_longer_be_read_may_be_typed_again(
        self, alices: Console, key: ProviderKey, sent: list[str]
    ) -> None:
        ProviderKey.objects.update(unreadable_at=timezone.now())

        assert alices.post(edit(key), edited(key, sample.FORMER)).status_code == 302
        assert sample.again(key).readable

    def test_the_key_of_another_provider_key_is_not_the_stored_one(
        self, alices: Console, alice_access: Access, key: ProviderKey, sent: list[str]
    ) -> None:
        sample.stored(alice_access, sample.LATTER)

        assert alices.post(edit(key), edited(key, sample.LATTER)).status_code == 302

    def test_assignment_moves(self, alices: Console, alice_access: Access, key: ProviderKey) -> None:
        one, other = sample.api_key(alice_access), sample.api_key(alice_access)

        alices.post(edit(key), edited(key, assign_to_organization="", api_key_ids=[one.pk, other.pk]))
        assert sample.again(key).assigned_ids == {one.pk, other.pk}

        alices.post(edit(key), edited(sample.again(key)))
        assert not KeyAssignment.objects.exists()

    def test_the_provider_stays(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        alices.post(edit(key), edited(key, sample.LATTER, provider="anthropic"))

        assert sample.again(key).provider == "openai"

    def test_a_rejected_edit_says_that_the_new_key_was_emptied(self, alices: Console, key: ProviderKey) -> None:
        page = text(alices.post(edit(key), edited(key, sample.LATTER, name="")))

        assert "Emptied for safety: type it again, or tick “Keep the stored key”" in page
        assert 'Your API key was emptied for safety: <a href="#id_provider_key">type it again</a>' in page
        assert value_of(page, "version") == "1"
        assert sample.LATTER[-8:] not in page

    def test_a_key_without_a_provider_file_can_still_be_renamed(self, alices: Console, key: ProviderKey) -> None:
        ProviderKey.objects.update(provider="gone")

        assert alices.get(edit(key)).status_code == 200
        assert alices.post(edit(key), edited(key, name="Old one")).status_code == 302
        assert sample.again(key).name == "Old one"


class TestEmptiedForSafety:
    """A secret never comes back, so the form remembers that one was typed: blank alone must not keep the old one."""

    @pytest.fixture
    def key(self, alice_access: Access) -> ProviderKey:
        return sample.stored(alice_access)

    @pytest.mark.parametrize("refusal", [{"name": ""}, {"version": "x"}, {"assign_to_organization": ""}])
    def test_the_next_blank_save_is_refused(
        self, alices: Console, key: ProviderKey, sent: list[str], refusal: dict[str, str]
    ) -> None:
        page = text(alices.post(edit(key), edited(key, sample.LATTER, **refusal)))
        assert value_of(page, "emptied") == "on"
        assert 'name="keep_stored"' in page

        answer = alices.post(edit(key), edited(key, emptied=value_of(page, "emptied")))

        assert answer.status_code == 422
        assert "Type the new API key again, or tick “Keep the stored key”." in text(answer)
        assert value_of(text(answer), "emptied") == "on"
        assert re.search(r'name="provider_key"[^>]*aria-invalid="true"', text(answer))

    def test_after_a_conflict_too(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        alices.post(edit(key), edited(key, name="One"))
        page = text(alices.post(edit(key), edited(key, sample.LATTER, name="Two")))
        again = {"version": value_of(page, "version"), "emptied": value_of(page, "emptied"), "name": "Two"}

        assert alices.post(edit(key), edited(key, **again)).status_code == 422
        assert sample.again(key).name == "One"

    def test_after_a_refused_test_too(self, alices: Console, key: ProviderKey) -> None:
        page = text(alices.post(f"provider-keys/{key.pk}/checks/", {"provider_key": "two words"}, into="test-result"))

        assert value_of(page, "emptied") == "on"
        assert alices.post(edit(key), edited(key, emptied="on")).status_code == 422

    def test_the_new_key_typed_again_is_saved(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        alices.post(edit(key), edited(key, sample.LATTER, emptied="on"))

        assert vault.reveal(sample.again(key), vault.Purpose.CHECK) == sample.LATTER

    def test_ticked_the_stored_key_stays(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        alices.post(edit(key), edited(key, name="Renamed", emptied="on", keep_stored="on"))

        assert sample.again(key).credentials_version == 1
        assert toasts(alices) == ["Renamed was saved. Its credentials are unchanged."]

    def test_ticked_and_typed_is_asked_which(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        answer = alices.post(edit(key), edited(key, sample.LATTER, emptied="on", keep_stored="on"))

        assert "Do one of the two." in text(answer)
        assert sample.again(key).credentials_version == 1

    def test_nothing_typed_asks_nothing(self, alices: Console, key: ProviderKey) -> None:
        for page in (alices.get(edit(key)), alices.post(edit(key), edited(key, name=""))):
            assert "keep_stored" not in text(page)
            assert 'name="emptied"' not in text(page)


class TestEmptiedServiceAccount:
    """The same for a document, at the location that it is stored for."""

    AGAIN = "Paste the new service account JSON again, or tick “Keep the stored key”."
    NEW = samples.key("google_vertex_ai", "iam")

    @pytest.fixture
    def key(self, alice_access: Access) -> ProviderKey:
        document = service_account.parse(samples.key("google_vertex_ai", "good")).document
        credential = Credential(document, {"location": "europe-west4"})
        return ProviderKey.create(
            alice_access, "google_vertex_ai", Draft("EU analytics", Scope.ORGANIZATION, credential=credential)
        )

    def post(self, alices: Console, key: ProviderKey, secret: str = "", **more: str) -> Any:
        return alices.post(edit(key), edited(key, secret, **{"location": "europe-west4", **more}))

    def test_the_next_blank_save_is_refused(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        page = text(self.post(alices, key, self.NEW, name=""))
        assert value_of(page, "emptied") == "on"
        assert "Emptied for safety: paste it again, or tick “Keep the stored key”" in page
        assert offers_to_keep(page) == ["keep_stored"]

        answer = self.post(alices, key, emptied="on")

        assert (answer.status_code, value_of(text(answer), "emptied")) == (422, "on")
        assert self.AGAIN in text(answer)
        assert re.search(r'name="provider_key"[^>]*aria-invalid="true"', text(answer))
        assert sample.again(key).credentials_version == 1

    def test_ticked_the_stored_document_stays_byte_for_byte(
        self, alices: Console, key: ProviderKey, sent: list[str]
    ) -> None:
        before = sample.again(key).credentials

        assert self.post(alices, key, emptied="on", keep_stored="on").status_code == 302

        assert sample.again(key).credentials == before
        assert toasts(alices) == ["EU analytics was saved. Its credentials are unchanged."]

    def test_ticked_for_another_location_it_is_needed_all_the_same(self, alices: Console, key: ProviderKey) -> None:
        answer = self.post(alices, key, emptied="on", keep_stored="on", location="us-central1")

        assert "To change the location, paste the whole service account JSON again." in text(answer)
        assert sample.again(key).destination == {"location": "europe-west4"}

    def test_pasted_again_it_is_saved(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        assert self.post(alices, key, self.NEW, emptied="on").status_code == 302
        assert vault.reveal(sample.again(key), vault.Purpose.CHECK) == service_account.parse(self.NEW).document

    def test_ticked_and_pasted_is_asked_which(self, alices: Console, key: ProviderKey) -> None:
        assert "Do one of the two." in text(self.post(alices, key, self.NEW, emptied="on", keep_stored="on"))
        assert sample.again(key).credentials_version == 1


class TestEmptiedRegions:
    """The same row by row: each stored one in which a secret was typed, and no other, needs its word."""

    AGAIN = "Type the new secret access key again, or tick “Keep the stored key”."
    NEW = samples.key("bedrock", "nolist")

    @pytest.fixture
    def key(self, alice_access: Access) -> ProviderKey:
        return regions.stored(alice_access, *regions.THREE)

    def post(self, alices: Console, key: ProviderKey, *rows: dict[str, str], into: str = "", **more: str) -> Any:
        """``rows`` are what is said in each of the stored rows; unless it says another, each is for its own region."""
        said = [{"region": name, **row} for name, row in zip(THREE, rows, strict=True)]
        fields = {f"regions-{place}-{part}": value for place, row in enumerate(said) for part, value in row.items()}
        path = f"{edit(key)}checks/" if into else edit(key)
        return alices.post(path, edited(key, **fields, **more), into=into or None)

    @property
    def typed(self) -> dict[str, str]:
        key_id, secret = halves(self.NEW)
        return {"access_key_id": key_id, "secret_access_key": secret}

    @pytest.mark.parametrize("into", ["", "test-result"])
    def test_a_refusal_remembers_the_rows_in_which_a_secret_was_typed(
        self, alices: Console, key: ProviderKey, into: str
    ) -> None:
        short = {**self.typed, "secret_access_key": "short"}
        page = text(self.post(alices, key, {}, short, self.typed, into=into))

        assert [value_of(page, f"regions-{place}-emptied") for place in range(3)] == ["", "on", "on"]
        assert offers_to_keep(page) == ["regions-1-keep_stored", "regions-2-keep_stored"]
        assert "To test the stored one, tick “Keep the stored key”." in page

    def test_a_new_row_has_nothing_to_keep(self, alices: Console, key: ProviderKey) -> None:
        fourth = posted(3, "eu-west-3", self.NEW)
        page = text(self.post(alices, key, {}, {}, {}, name="", **fourth))

        assert offers_to_keep(page) == []
        assert "tick “Keep the stored key”" not in page
        assert page.count('placeholder="Type it again"') == 1

    def test_the_next_blank_save_is_refused_at_that_row(self, alices: Console, key: ProviderKey) -> None:
        before = ciphertexts(key)

        page = text(self.post(alices, key, {}, {"emptied": "on"}, {"emptied": "on", "keep_stored": "on"}))

        # Said of that row; of any other it is only what its script would say.
        assert page.count(f"<p>{self.AGAIN}</p>") == 1
        assert re.search(r'name="regions-1-secret_access_key"[^>]*aria-invalid="true"', page)
        # The one that was decided stays decided, the other is asked again.
        assert offers_to_keep(page) == ["regions-1-keep_stored", "regions-2-keep_stored"]
        assert re.findall(r'name="(regions-\d-keep_stored)"[^>]* checked', page) == ["regions-2-keep_stored"]
        assert ciphertexts(key) == before

    def test_what_is_ticked_stays_byte_for_byte_and_what_is_typed_is_saved(
        self, alices: Console, key: ProviderKey, sent: list[str]
    ) -> None:
        before = ciphertexts(key)

        answer = self.post(alices, key, {}, {"emptied": "on", "keep_stored": "on"}, {"emptied": "on", **self.typed})

        assert answer.status_code == 302
        assert [ciphertexts(key)[name] == before[name] for name in THREE] == [True, True, False]

    def test_ticked_and_typed_is_asked_which(self, alices: Console, key: ProviderKey) -> None:
        before = ciphertexts(key)

        answer = self.post(alices, key, {}, {"emptied": "on", "keep_stored": "on", **self.typed}, {})

        assert (answer.status_code, ciphertexts(key)) == (422, before)
        assert "Do one of the two." in text(answer)

    def test_a_tick_keeps_no_secret_for_another_region_or_access_key_id(
        self, alices: Console, key: ProviderKey
    ) -> None:
        before, kept = ciphertexts(key), {"emptied": "on", "keep_stored": "on"}

        for row in ({"region": "eu-west-3", **kept}, {"access_key_id": self.typed["access_key_id"], **kept}):
            assert self.post(alices, key, row, {}, {}).status_code == 422
        assert ciphertexts(key) == before

    def test_nothing_typed_asks_nothing(self, alices: Console, key: ProviderKey) -> None:
        for page in (alices.get(edit(key)), self.post(alices, key, {}, {}, {}, name="")):
            assert offers_to_keep(text(page)) == []
            assert "emptied" not in text(page)


class TestTwoAdminsAtOnce:
    @pytest.fixture
    def key(self, alice_access: Access) -> ProviderKey:
        return sample.stored(alice_access)

    @pytest.fixture
    def bobs(self, alice_access: Access) -> Console:
        return Console(client_for(member_of(alice_access.organization, "Bob", alice_access.role)))

    @pytest.mark.parametrize("into", [None, "provider-key-form"])
    def test_the_second_save_is_refused_with_who_changed_what(
        self, alices: Console, bobs: Console, alice_access: Access, key: ProviderKey, into: str | None
    ) -> None:
        api_key = sample.api_key(alice_access)
        bobs.post(edit(key), edited(key, name="Bob’s name", assign_to_organization="", api_key_ids=[api_key.pk]))

        answer = alices.post(edit(key), edited(key, sample.LATTER, name="Alice’s name"), into=into)

        page = text(answer)
        assert answer.status_code == 409
        assert re.search(r"Bob \(bob@acme.example\) saved this key .* and changed its name and assignment", page)
        assert value_of(page, "name") == "Alice’s name"
        assert "ype it again" in page
        assert sample.LATTER[-8:] not in page
        assert sample.again(key).name == "Bob’s name"

    def test_told_so_somebody_may_save_again(self, alices: Console, bobs: Console, key: ProviderKey) -> None:
        bobs.post(edit(key), edited(key, name="Bob’s name"))
        page = text(alices.post(edit(key), edited(key, name="Alice’s name")))
        assert value_of(page, "version") == "2"

        alices.post(edit(key), edited(key, name="Alice’s name", version=value_of(page, "version")))

        assert sample.again(key).name == "Alice’s name"

    def test_tells_of_every_save_that_was_missed(
        self, alices: Console, bobs: Console, key: ProviderKey, sent: list[str]
    ) -> None:
        bobs.post(edit(key), edited(key, name="One"))
        bobs.post(edit(key), edited(sample.again(key), sample.LATTER, name="One"))

        page = text(alices.post(edit(key), edited(key, name="Mine")))

        assert "and changed its name and credentials" in page

    def test_ones_own_other_tab_is_called_that(self, alices: Console, key: ProviderKey) -> None:
        alices.post(edit(key), edited(key, name="One"))

        assert "You, in another tab, saved this key" in text(alices.post(edit(key), edited(key, name="Two")))

    def test_untold_what_changed_nobody_can_save_over_it(self, alices: Console, key: ProviderKey) -> None:
        ProviderKey.objects.update(version=5)

        answer = alices.post(edit(key), edited(key, name="Mine"))

        assert answer.status_code == 409
        assert "This key was changed meanwhile." in text(answer)
        assert value_of(text(answer), "version") == "1"

    @pytest.mark.parametrize("into", [None, "sheet"])
    def test_a_key_that_was_deleted_meanwhile_is_said_to_be_and_no_save_offered(
        self, alices: Console, bobs: Console, key: ProviderKey, into: str | None
    ) -> None:
        bobs.post(f"provider-keys/{key.pk}/delete/")

        answer = alices.post(edit(key), edited(key, name="Mine"), into=into)

        assert answer.status_code == 404
        assert "This key was deleted since you opened it. Nothing was saved." in text(answer)
        assert ("<html" in text(answer)) is (into is None)
        assert "Save" not in text(answer)
        assert 'id="sheet"' in text(answer)

    def test_only_who_had_it_open_is_told_so(
        self, alices: Console, charlie_access: Access, key: ProviderKey, alice_access: Access
    ) -> None:
        theirs = sample.stored(charlie_access)
        theirs.delete_by(charlie_access)
        key.delete_by(alice_access)

        for answer in (alices.get(edit(key)), alices.post(edit(theirs), edited(theirs))):
            assert answer.status_code == 404
            assert "since you opened it" not in text(answer)

    def test_a_key_that_is_deleted_while_saving_is_not_found(
        self, alices: Console, alice_access: Access, key: ProviderKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        change = ProviderKey.change

        def late(self: ProviderKey, *args: Any) -> list[str]:
            ProviderKey.objects.get(pk=key.pk).delete_by(alice_access)
            return change(self, *args)

        monkeypatch.setattr(ProviderKey, "change", late)

        answer = alices.post(edit(key), edited(key, name="Mine"))

        assert answer.status_code == 404
        assert "This key was deleted since you opened it." in text(answer)
