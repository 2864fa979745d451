"""Creating and editing a provider key: page and dialog, what is kept, what is refused, what is saved."""

import re
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from organizations.access import Access
from organizations.models import AuditEvent, User
from providerkeys import vault
from providerkeys.models import CredentialCheck, KeyAssignment, ProviderKey, check_run
from tests.cast import client_for, member_of
from tests.providerkeys import sample
from tests.providerkeys.conftest import Console, form_data, text

NEW = "provider-keys/new/"


def edit(key: ProviderKey) -> str:
    return f"provider-keys/{key.pk}/"


def edited(key: ProviderKey, secret: str = "", **more: Any) -> dict[str, Any]:
    """What an edit posts that keeps everything; ``more`` says what it changes."""
    return form_data(secret, **{"name": key.name, "version": str(key.version), **more})


def toasts(console: Console) -> list[str]:
    """The messages that the next page shows."""
    page = text(console.get("provider-keys/"))
    found = re.findall(r"data-toast>(.*?)</button>", page, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", toast)).strip() for toast in found]


def value_of(page: str, name: str) -> str:
    found = re.search(rf'<input [^>]*name="{name}"[^>]*value="([^"]*)"', page) or re.search(
        rf'<input [^>]*value="([^"]*)"[^>]*name="{name}"', page
    )
    return found[1] if found else ""


def ticked(page: str) -> set[str]:
    return set(re.findall(r'name="api_key_ids" value="([^"]+)"[^>]* checked', page))


def only_key() -> ProviderKey:
    return ProviderKey.objects.get()


def run_a_test(
    console: Console,
    monkeypatch: pytest.MonkeyPatch,
    secret: str = sample.FORMER,
    says: sample.Answerer = sample.accepted,
) -> None:
    """Press Test credentials in the form, and have a worker run the check."""
    sample.Door.instead(monkeypatch).answers = says
    console.post("provider-keys/checks/", form_data(secret), into="test-result")
    check_run.run(CredentialCheck.objects.get().pk)


class TestPageAndDialog:
    @pytest.mark.parametrize("into", [None, "dialog"])
    def test_the_same_view_serves_both(self, alices: Console, into: str | None) -> None:
        answer = text(alices.get(NEW, into=into))

        assert ("<html" in answer) is (into is None)
        assert '<h1 id="dialog-title">Add Provider Key</h1>' in answer
        assert 'action="/orgs/acme/provider-keys/new/"' in answer
        assert "csrfmiddlewaretoken" in answer

    def test_offers_the_providers_in_their_order(self, alices: Console) -> None:
        options = re.findall(r'<option value="(\w+)"', text(alices.get(NEW)))

        assert options == ["anthropic", "openai"]

    def test_a_provider_can_be_chosen_in_the_address(self, alices: Console) -> None:
        answer = text(alices.get(NEW, provider="openai"))

        assert '<option value="openai" selected>' in answer
        assert 'name="provider_key"' in answer

    @pytest.mark.parametrize("slug", ["", "nobody", "<script>", "\0"])
    def test_an_unknown_one_asks_to_choose(self, alices: Console, slug: str) -> None:
        answer = text(alices.get(NEW, provider=slug))

        assert "selected>OpenAI" not in answer
        assert 'name="provider_key"' not in answer
        assert "<script>" not in answer

    def test_choosing_another_provider_swaps_only_what_depends_on_it(
        self, alices: Console, alice_access: Access
    ) -> None:
        api_key = sample.api_key(alice_access)
        ProviderKey.create(alice_access, "anthropic", sample.draft(sample.FORMER, "Anthropic account"))

        answer = text(alices.get(NEW, into="credentials", provider="anthropic"))

        assert answer.strip().startswith('<fieldset class="credentials')
        assert 'name="name"' not in answer
        assert 'name="api_key_ids"' not in answer
        assert re.search(rf'id="now-{api_key.pk}"[^>]*hx-swap-oob="true">now Anthropic account<', answer)

    def test_choosing_a_provider_sends_nothing_but_the_choice(self, alices: Console) -> None:
        """A GET carries what its element carries: the select has a value of its own, and includes nothing else."""
        answer = text(alices.get(NEW))
        [select] = re.findall(r'<select [^>]*name="provider"[^>]*>', answer)
        [form] = re.findall(r"<form [^>]*hx-post=[^>]*>", answer)

        assert "hx-get=" in select
        assert "hx-include" not in select + form
        assert "hx-vals" not in select + form
        assert 'method="post"' in form

    def test_an_edit_shows_everything_but_the_credentials(self, alices: Console, alice_access: Access) -> None:
        api_key = sample.api_key(alice_access)
        key = sample.stored(alice_access, api_keys=[api_key])

        answer = text(alices.get(edit(key)))

        assert "Edit Provider Key" in answer
        assert value_of(answer, "name") == "Production"
        assert value_of(answer, "version") == "1"
        assert ticked(answer) == {api_key.pk}
        assert key.pk in answer
        assert escape(f"Unchanged: {key.hint}") in answer
        assert 'name="provider"' not in answer

    def test_says_what_serves_each_api_key_now(self, alices: Console, alice_access: Access) -> None:
        api_key = sample.api_key(alice_access)
        key = sample.stored(alice_access)

        assert f'id="now-{api_key.pk}" title="now Production"' in text(alices.get(edit(key)))


class TestSecretInput:
    def test_has_no_value_and_asks_nobody_to_keep_it(self, alices: Console, alice_access: Access) -> None:
        for page in (alices.get(NEW, provider="openai"), alices.get(edit(sample.stored(alice_access)))):
            [field] = re.findall(r'<input [^>]*name="provider_key"[^>]*>', text(page))

            assert 'type="password"' in field
            assert 'autocomplete="new-password"' in field
            assert 'spellcheck="false"' in field
            assert "value=" not in field
            assert "data-" not in field


class TestCreate:
    def test_saves_encrypted_assigned_and_audited(self, alices: Console, alice_access: Access, sent: list[str]) -> None:
        api_key = sample.api_key(alice_access)

        answer = alices.post(NEW, form_data(api_keys=[api_key]))

        key = only_key()
        assert answer.headers["Location"] == alices.url("provider-keys/")
        assert (key.provider, key.name, key.created_by) == ("openai", "Production", alice_access.user)
        assert vault.reveal(key, vault.Purpose.CHECK) == sample.FORMER
        assert key.assigned_ids == {api_key.pk}
        assert AuditEvent.objects.filter(action="provider_key.created", target_id=key.pk).count() == 1

    def test_tells_a_dialog_to_leave(self, alices: Console, sent: list[str]) -> None:
        answer = alices.post(NEW, form_data(), into="provider-key-form")

        assert answer.status_code == 200
        assert answer.headers["HX-Redirect"] == alices.url("provider-keys/")

    def test_untested_it_is_tested_at_once(
        self, alices: Console, sent: list[str], django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            alices.post(NEW, form_data())

        check = CredentialCheck.objects.get()
        assert sent == [check.pk]
        assert (check.provider_key, check.automatic) == (only_key(), True)
        assert toasts(alices) == ["Production was created. Its test is running."]

    def test_brings_along_the_verdict_of_the_same_bytes(
        self, alices: Console, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_a_test(alices, monkeypatch, sample.FORMER)

        alices.post(NEW, form_data(sample.FORMER))

        assert only_key().verdict == "valid"
        assert CredentialCheck.objects.count() == 1
        assert toasts(alices) == ["Production was created."]

    def test_edited_after_the_test_it_is_untested(
        self, alices: Console, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_a_test(alices, monkeypatch, sample.FORMER)

        alices.post(NEW, form_data(sample.LATTER))

        assert only_key().verdict == ""
        assert toasts(alices) == ["Production was created. Its test is running."]

    def test_a_known_bad_key_may_be_saved_and_is_shown_as_failing(
        self, alices: Console, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_a_test(alices, monkeypatch, sample.FORMER, sample.unknown)

        assert alices.post(NEW, form_data(sample.FORMER)).status_code == 302
        assert "<span>Failing</span>" in text(alices.get("provider-keys/"))

    def test_another_admins_test_is_not_brought_along(
        self, alices: Console, alice_access: Access, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_a_test(Console(client_for(member_of(alice_access.organization, "Bob", alice_access.role))), monkeypatch)

        alices.post(NEW, form_data())

        assert only_key().verdict == ""

    def test_needs_neither_broker_nor_worker(
        self, alices: Console, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
    ) -> None:
        def away(*_: object, **__: object) -> None:
            raise ConnectionError("no broker")

        monkeypatch.setattr(current_app._get_current_object(), "send_task", away)
        with django_capture_on_commit_callbacks(execute=True):
            answer = alices.post(NEW, form_data())

        assert answer.status_code == 302
        assert only_key().name == "Production"
        assert CredentialCheck.objects.get().state_now == "queued"

    def test_at_the_limit_of_checks_it_is_saved_untested(
        self, alices: Console, alice_access: Access, sent: list[str], settings: Any
    ) -> None:
        settings.CHECKS_UNFINISHED = 1
        sample.pressed(alice_access, secret=sample.LATTER)

        alices.post(NEW, form_data())

        assert toasts(alices) == ["Production was created."]

    def test_ignores_every_field_that_is_not_the_forms(
        self, alices: Console, alice_access: Access, charlie_access: Access, sent: list[str]
    ) -> None:
        extra: dict[str, Any] = {
            "id": "pk_" + "0" * 22,
            "organization": charlie_access.organization.pk,
            "created_by": charlie_access.user.pk,
            "verdict": "valid",
            "enabled": "",
            "position": "-5",
            "scope": "api_keys",
            "hint": "sk-shown",
            "credentials": "gAAAA",
            "version": "77",
        }
        alices.post(NEW, form_data(**extra))

        key = only_key()
        assert (key.organization, key.created_by) == (alice_access.organization, alice_access.user)
        assert (key.verdict, key.enabled, key.position, key.version) == ("", True, 1, 1)
        assert key.pk != extra["id"]
        assert key.hint != extra["hint"]

    def test_the_id_of_an_existing_key_makes_no_second_save_of_it(
        self, alices: Console, alice_access: Access, sent: list[str]
    ) -> None:
        key = sample.stored(alice_access)

        alices.post(NEW, form_data(name="Another", id=key.pk, pk=key.pk))

        assert sample.again(key).name == "Production"
        assert ProviderKey.objects.count() == 2


class TestRejected:
    @pytest.mark.parametrize("into", [None, "provider-key-form"])
    def test_says_what_is_wrong_keeps_what_was_typed_and_empties_the_secret(
        self, alices: Console, alice_access: Access, into: str | None
    ) -> None:
        api_key = sample.api_key(alice_access)

        answer = alices.post(NEW, form_data(name="x" * 101, api_keys=[api_key]), into=into)

        page = text(answer)
        assert answer.status_code == 422
        assert "Use at most 100 characters." in page
        assert 'role="alert"' in page
        assert re.search(r'<input [^>]*name="name"[^>]*aria-invalid="true"', page)
        assert ticked(page) == {api_key.pk}
        assert '<option value="openai" selected>' in page
        assert "ype it again" in page
        assert sample.FORMER[-8:] not in page
        assert not ProviderKey.objects.exists()

    def test_does_not_ask_again_for_a_secret_that_nobody_typed(self, alices: Console) -> None:
        assert "ype it again" not in text(alices.post(NEW, form_data("", name="")))

    def test_an_unknown_provider_is_a_field_error(self, alices: Console) -> None:
        answer = alices.post(NEW, form_data(provider="nobody"))

        assert answer.status_code == 422
        assert "Choose a provider from the list." in text(answer)

    def test_a_foreign_api_key_saves_nothing(
        self, alices: Console, alice_access: Access, charlie_access: Access
    ) -> None:
        own, foreign = sample.api_key(alice_access), sample.api_key(charlie_access, "Theirs")

        answer = alices.post(NEW, form_data(api_keys=[own, foreign]))

        assert answer.status_code == 422
        assert "Theirs" not in text(answer)
        assert not ProviderKey.objects.exists()
        assert not KeyAssignment.objects.exists()

    def test_an_api_key_that_goes_away_while_saving_is_a_field_error(
        self, alices: Console, alice_access: Access, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        api_key = sample.api_key(alice_access)
        create = ProviderKey.create

        def late(*args: Any) -> ProviderKey:
            api_key.delete_by(alice_access)
            return create(*args)

        monkeypatch.setattr(ProviderKey, "create", late)
        answer = alices.post(NEW, form_data(api_keys=[api_key]))

        assert answer.status_code == 422
        assert "doesn’t exist any more" in text(answer)
        assert not ProviderKey.objects.exists()

    def test_too_many_fields_are_refused_before_the_form(self, alices: Console) -> None:
        answer = alices.post(NEW, form_data(api_key_ids=[f"key_{number:022d}" for number in range(10_001)]))

        assert answer.status_code == 400

    @pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\"'><b hx-on:load=x>", "{{7*7}}{% now 'Y' %}"])
    def test_hostile_names_come_back_as_text(self, alices: Console, name: str) -> None:
        page = text(alices.post(NEW, form_data("", name=name)))

        assert escape(name) in page
        assert name not in page


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
        assert toasts(alices) == ["Renamed was saved."]

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
        assert revoke.startswith("Requests use the new key within 5 s. Now revoke the old one at OpenAI’s keys")

    def test_the_link_to_revoke_is_the_providers(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        alices.post(edit(key), edited(key, sample.LATTER))

        assert 'href="https://platform.openai.com/api-keys"' in text(alices.get("provider-keys/"))

    def test_assignment_moves(self, alices: Console, alice_access: Access, key: ProviderKey) -> None:
        one, other = sample.api_key(alice_access), sample.api_key(alice_access)

        alices.post(edit(key), edited(key, assign_to_organization="", api_key_ids=[one.pk, other.pk]))
        assert sample.again(key).assigned_ids == {one.pk, other.pk}

        alices.post(edit(key), edited(sample.again(key)))
        assert not KeyAssignment.objects.exists()

    def test_the_provider_stays(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        alices.post(edit(key), edited(key, sample.LATTER, provider="anthropic"))

        assert sample.again(key).provider == "openai"

    def test_a_rejected_edit_says_that_blank_keeps(self, alices: Console, key: ProviderKey) -> None:
        page = text(alices.post(edit(key), edited(key, sample.LATTER, name="")))

        assert "type it again, or leave it empty to keep the stored key" in page
        assert value_of(page, "version") == "1"
        assert sample.LATTER[-8:] not in page

    def test_a_key_without_a_provider_file_can_still_be_renamed(self, alices: Console, key: ProviderKey) -> None:
        ProviderKey.objects.update(provider="gone")

        assert alices.get(edit(key)).status_code == 200
        assert alices.post(edit(key), edited(key, name="Old one")).status_code == 302
        assert sample.again(key).name == "Old one"


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

    def test_a_key_that_was_deleted_meanwhile_is_not_found(
        self, alices: Console, bobs: Console, key: ProviderKey
    ) -> None:
        bobs.post(f"provider-keys/{key.pk}/delete/")

        answer = alices.post(edit(key), edited(key, name="Mine"), into="provider-key-form")

        assert answer.status_code == 404
        assert "may have been deleted" in text(answer)

    def test_a_key_that_is_deleted_while_saving_is_not_found(
        self, alices: Console, alice_access: Access, key: ProviderKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        change = ProviderKey.change

        def late(self: ProviderKey, *args: Any) -> list[str]:
            ProviderKey.objects.get(pk=key.pk).delete_by(alice_access)
            return change(self, *args)

        monkeypatch.setattr(ProviderKey, "change", late)

        assert alices.post(edit(key), edited(key, name="Mine")).status_code == 404


class TestCost:
    def test_eight_queries_at_most_and_no_secret_opened(
        self, alices: Console, alice_access: Access, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        api_keys = [sample.api_key(alice_access, f"Service {number}") for number in range(12)]
        keys = [sample.stored(alice_access, api_keys=api_keys) for _ in range(8)]
        monkeypatch.setattr(vault, "_decrypt", None)

        for path in (NEW, NEW + "?provider=openai", edit(keys[0]), f"provider-keys/{keys[0].pk}/delete/"):
            with CaptureQueriesContext(connection) as queries:
                assert alices.client.get(alices.url(path)).status_code == 200
            assert len(queries) <= 8, (path, len(queries))


def test_no_answer_of_a_whole_visit_holds_a_part_of_a_secret(
    alices: Console, alice_access: Access, alice: User, sent: list[str]
) -> None:
    secret, other = sample.FORMER, sample.LATTER
    answers = [
        alices.post("provider-keys/checks/", form_data(secret), into="test-result"),
        alices.post("provider-keys/checks/", form_data(secret, provider="anthropic"), into="test-result"),
        alices.post(NEW, form_data(secret, name=""), into="provider-key-form"),
        alices.post(NEW, form_data(secret, provider="nobody")),
        alices.post(NEW, form_data(secret), into="provider-key-form"),
    ]
    key = only_key()
    answers += [
        alices.post(edit(key), edited(key, other, version="x")),
        alices.post(edit(key), edited(key, other), into="provider-key-form"),
        alices.post(edit(key), edited(key, other), into="provider-key-form"),
        alices.post(f"provider-keys/{key.pk}/checks/", {"provider_key": secret}, into="test-result"),
        *(alices.get(path) for path in ("provider-keys/", edit(key), f"provider-keys/{key.pk}/delete/")),
    ]
    hidden = {full[start : start + 8] for full in (secret, other) for start in range(8, len(full) - 11)}
    assert [window for window in hidden if window in f"pasted {secret} here"]
    for answer in answers:
        shown = text(answer) + str(dict(answer.headers)) + str(answer.cookies)
        assert not [window for window in hidden if window in shown], answer.request["PATH_INFO"]
