"""Creating a provider key: what is saved, which verdict comes along, and that it needs neither broker nor worker."""

import re
from html import unescape
from typing import Any

import pytest
from celery import current_app

from organizations.access import Access
from organizations.models import AuditEvent
from providerkeys import vault
from providerkeys.models import CredentialCheck, ProviderKey, check_run
from tests.cast import client_for, member_of
from tests.fakeproviders import samples
from tests.providerkeys import sample
from tests.providerkeys.conftest import Console, form_data, text
from tests.providerkeys.form import LEADS_ON, NEW, only_key, shown, toasts, value_of


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

    @pytest.mark.parametrize("into", [None, "provider-key-form"])
    def test_sent_again_it_saves_no_second_key(self, alices: Console, sent: list[str], into: str | None) -> None:
        data = form_data(press=value_of(text(alices.get(NEW)), "press"))
        for _ in range(2):
            assert alices.post(NEW, data, into=into).status_code < 400

        assert only_key().name == "Production"
        assert toasts(alices)[-1] == "This provider key was saved by your first press."

    def test_a_form_that_a_browser_kept_and_somebody_filled_in_anew_saves_another_key(
        self, alices: Console, alice_access: Access, sent: list[str]
    ) -> None:
        press = value_of(text(alices.get(NEW)), "press")
        alices.post(NEW, form_data(press=press))
        for other in (
            form_data(sample.LATTER),
            form_data(name="Other"),
            form_data(api_keys=[sample.api_key(alice_access)]),
        ):
            alices.post(NEW, {**other, "press": press})

        assert ProviderKey.objects.count() == 4

    @pytest.mark.parametrize("press", ["", "x", "0" * 31, "0" * 33, "é" * 32, "\0" * 32])
    def test_what_is_no_press_of_ours_is_none(self, alices: Console, sent: list[str], press: str) -> None:
        for _ in range(2):
            alices.post(NEW, form_data(press=press))

        assert ProviderKey.objects.count() == 2

    def test_tells_a_dialog_to_leave(self, alices: Console, sent: list[str]) -> None:
        answer = alices.post(NEW, form_data(), into="provider-key-form")

        assert answer.status_code == 200
        assert answer.headers["HX-Redirect"] == alices.url("provider-keys/")

    def test_for_an_api_key_it_is_offered_and_ticked_there_and_leads_back(
        self, alices: Console, alice_access: Access, sent: list[str]
    ) -> None:
        ci, _ = sample.api_key(alice_access, "ci"), sample.api_key(alice_access, "staging")
        there = alices.url(f"api-keys/{ci.pk}/")
        offered = f"{alices.url(NEW)}?provider=openai&amp;api_key={ci.pk}"
        assert f'hx-get="{offered}"' in text(alices.client.get(there))
        form = text(alices.client.get(unescape(offered), headers={"HX-Request": "true"}))
        assert re.findall(r'<input [^>]*name="api_key_ids" value="(\w+)"[^>]* checked', form) == [ci.pk]

        headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{there}"}
        answer = alices.client.post(alices.url(NEW), form_data(api_keys=[ci]), headers=headers)

        assert answer.headers["HX-Redirect"] == there
        assert "Production was created." in text(alices.client.get(there))

    @pytest.mark.parametrize(
        "page", ["api-keys/", "api-keys/new/", "api-keys/{other}/", "api-keys/{ci}/edit/", "api-keys/a/b/"]
    )
    def test_elsewhere_it_leads_to_the_list(
        self, alices: Console, alice_access: Access, charlie_access: Access, sent: list[str], page: str
    ) -> None:
        ids = {"ci": sample.api_key(alice_access, "ci").pk, "other": sample.api_key(charlie_access, "other").pk}
        headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{alices.url(page.format(**ids))}"}

        answer = alices.client.post(alices.url(NEW), form_data(), headers=headers)

        assert answer.headers["HX-Redirect"] == alices.url("provider-keys/")

    @pytest.mark.parametrize("asked", ["key_none", "\0", "key_" + "9" * 500])
    def test_an_api_key_that_is_not_ours_ticks_nothing(self, alices: Console, alice_access: Access, asked: str) -> None:
        sample.api_key(alice_access, "ci")
        form = text(alices.client.get(alices.url(NEW), {"provider": "openai", "api_key": asked}))

        assert 'name="api_key_ids"' in form
        assert not re.search(r'<input [^>]*name="api_key_ids"[^>]* checked', form)

    def test_untested_it_is_tested_at_once(
        self, alices: Console, sent: list[str], django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            alices.post(NEW, form_data())

        check = CredentialCheck.objects.get()
        assert sent == [check.pk]
        assert (check.provider_key, check.automatic) == (only_key(), True)
        assert toasts(alices) == ["Production was created. Its test is running.", LEADS_ON]

    def test_brings_along_the_verdict_of_the_same_bytes(
        self, alices: Console, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_a_test(alices, monkeypatch, sample.FORMER)

        alices.post(NEW, form_data(sample.FORMER))

        assert only_key().verdict == "valid"
        assert CredentialCheck.objects.count() == 1
        assert "messages" not in alices.client.cookies
        assert toasts(alices) == [
            "Production was created. These credentials were tested just now: Valid. OpenAI accepted the key.",
            LEADS_ON,
        ]

    def test_says_that_its_test_could_not_be_made(
        self, alices: Console, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_a_test(alices, monkeypatch, sample.FORMER, sample.silent)

        alices.post(NEW, form_data(sample.FORMER))

        assert only_key().verdict == ""
        page = shown(alices)
        assert re.search(
            "A test <time .*>just now</time> learned nothing of them: <strong>Unreachable.</strong> OpenAI didn’t answer in 10",
            page,
        )
        assert "The key was not judged." in page
        assert "toast__line tone-amber" in page
        assert "toast__line tone-green" not in page

    def test_edited_after_the_test_it_is_untested(
        self, alices: Console, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_a_test(alices, monkeypatch, sample.FORMER)

        alices.post(NEW, form_data(sample.LATTER))

        assert only_key().verdict == ""
        assert toasts(alices) == ["Production was created. Its test is running.", LEADS_ON]

    def test_a_known_bad_key_may_be_saved_and_is_shown_as_failing(
        self, alices: Console, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_a_test(alices, monkeypatch, sample.FORMER, sample.unknown)

        assert alices.post(NEW, form_data(sample.FORMER)).status_code == 302
        page = text(alices.get("provider-keys/"))
        assert "<span>Failing</span>" in page
        assert '<div class="toast__line tone-red"' in page
        assert f'<span data-saved="{only_key().pk}">Production was created.</span>' in page
        assert "<strong>Invalid.</strong> OpenAI doesn’t recognize this key. Next: " in page
        assert page.split("data-line>")[1].count('target="_blank"') == 1

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

    @pytest.mark.parametrize("provider", samples.KEYED)
    def test_a_secret_is_no_name_and_is_not_shown_again(self, alices: Console, provider: str) -> None:
        secret = samples.fresh_key(provider, "good")
        # As much of it as the field takes.
        answer = alices.post(NEW, form_data(name=secret[:100]))
        assert answer.status_code == 422
        assert "That looks like a whole key, so it was taken out: everybody sees a name." in text(answer)
        assert secret[:40] not in text(answer)
        assert not ProviderKey.objects.exists()
        answer = alices.post("api-keys/new/", {"name": f"ci {secret[:97]}"})
        assert answer.status_code == 422
        assert secret[:40] not in text(answer)

    def test_at_the_limit_of_checks_it_is_saved_untested(
        self, alices: Console, alice_access: Access, sent: list[str], settings: Any
    ) -> None:
        settings.CHECKS_UNFINISHED = 1
        sample.pressed(alice_access, secret=sample.LATTER)

        alices.post(NEW, form_data())

        assert toasts(alices) == ["Production was created.", LEADS_ON]

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
