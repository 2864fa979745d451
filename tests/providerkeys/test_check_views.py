"""Test credentials: pressed in the form or in a row, watched until it is done, refused at the limits."""

import re
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from organizations.access import Access
from organizations.models import AuditEvent
from providerkeys import vault
from providerkeys.models import CredentialCheck, ProviderKey, check_run
from tests.providerkeys import sample
from tests.providerkeys.conftest import Console, form_data, text

UNSAVED = "provider-keys/checks/"
PANEL = "test-result"
ADMIN_KIND = "sk-admin-FAKE" + "x" * 40


def stored(key: ProviderKey) -> str:
    return f"provider-keys/{key.pk}/checks/"


def only_check() -> CredentialCheck:
    return CredentialCheck.objects.get()


def watch(console: Console, check: CredentialCheck, into: str | None = "check") -> Any:
    return console.get(f"provider-keys/checks/{check.pk}/", into=into)


def state(markup: str) -> str:
    found = re.search(r'data-state="(\w+)"(?: data-verdict="(\w+)")?', markup)
    return " ".join(filter(None, found.groups())) if found else ""


class TestPress:
    def test_queues_what_was_typed_sealed_and_saves_no_key(
        self, alices: Console, sent: list[str], django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            answer = alices.post(UNSAVED, form_data(), into=PANEL)

        check = only_check()
        assert answer.status_code == 200
        assert state(text(answer)) == "queued"
        assert f'hx-get="/orgs/acme/provider-keys/checks/{check.pk}/"' in text(answer)
        assert sent == [check.pk]
        assert sample.FORMER in vault.reveal(check, vault.Purpose.CHECK)
        assert not ProviderKey.objects.exists()
        assert AuditEvent.objects.filter(action="credentials.tested").count() == 1

    def test_needs_nothing_but_provider_and_credentials(self, alices: Console, sent: list[str]) -> None:
        answer = alices.post(UNSAVED, {"provider": "openai", "provider_key": sample.FORMER}, into=PANEL)

        assert answer.status_code == 200

    def test_without_script_leads_to_a_page(self, alices: Console, sent: list[str]) -> None:
        answer = alices.post(UNSAVED, form_data())

        assert answer.headers["Location"] == f"/orgs/acme/provider-keys/checks/{only_check().pk}/"
        page = text(alices.client.get(answer.headers["Location"]))
        assert "<html" in page
        assert 'http-equiv="refresh"' in page

    def test_says_at_once_what_is_unusual_about_the_shape(self, alices: Console, sent: list[str]) -> None:
        data = form_data("sk-unusual-FAKE-0123456789abcdefghij")

        assert "doesn’t look like a usual OpenAI key" in text(alices.post(UNSAVED, data, into=PANEL))

    def test_a_broker_that_is_away_is_no_failure(
        self, alices: Console, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
    ) -> None:
        def away(*_: object, **__: object) -> None:
            raise ConnectionError("no broker")

        monkeypatch.setattr(current_app._get_current_object(), "send_task", away)
        with django_capture_on_commit_callbacks(execute=True):
            assert state(text(alices.post(UNSAVED, form_data(), into=PANEL))) == "queued"


class TestPressOnAStoredKey:
    @pytest.fixture
    def key(self, alice_access: Access) -> ProviderKey:
        return sample.stored(alice_access)

    @pytest.fixture
    def door(self, sent: list[str], monkeypatch: pytest.MonkeyPatch) -> sample.Door:
        return sample.Door.instead(monkeypatch)

    def test_blank_tests_the_stored_credentials(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        alices.post(stored(key), {"provider_key": ""}, into=PANEL)

        [result] = only_check().results.all()
        assert (result.record, result.version, result.fingerprint) == (key.pk, 1, key.fingerprint)
        assert only_check().candidate is None

    def test_typed_tests_what_was_typed(self, alices: Console, key: ProviderKey, sent: list[str]) -> None:
        alices.post(stored(key), {"provider_key": sample.LATTER}, into=PANEL)

        [result] = only_check().results.all()
        assert result.record == ""
        assert sample.LATTER in vault.reveal(only_check(), vault.Purpose.CHECK)

    def test_the_verdict_of_what_was_typed_leaves_the_stored_key_alone(
        self, alices: Console, key: ProviderKey, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sample.Door.instead(monkeypatch).answers = sample.unknown
        alices.post(stored(key), {"provider_key": sample.LATTER}, into=PANEL)
        check_run.run(only_check().pk)

        assert sample.again(key).verdict == ""

    def test_the_stored_key_typed_again_is_tested_as_what_is_stored(
        self, alices: Console, key: ProviderKey, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sample.Door.instead(monkeypatch)
        pressed = text(alices.post(stored(key), {"provider_key": f" {sample.FORMER}\n"}, into=PANEL))
        check_run.run(only_check().pk)
        done = text(watch(alices, only_check()))

        assert "These are the credentials that are stored in this provider key already." in pressed
        assert only_check().candidate is None
        assert sample.again(key).verdict == "valid"
        assert "<strong" in done
        assert "save" not in done

    def test_one_that_can_no_longer_be_read_is_tested_as_it_was_typed(
        self, alices: Console, key: ProviderKey, sent: list[str]
    ) -> None:
        ProviderKey.objects.update(unreadable_at=timezone.now())

        pressed = text(alices.post(stored(key), {"provider_key": sample.FORMER}, into=PANEL))

        assert "already" not in pressed
        assert sample.FORMER in vault.reveal(only_check(), vault.Purpose.CHECK)

    @pytest.mark.parametrize(
        "case",
        [
            # What was known of the stored key, what is said of the typed one, and whether that is a warning.
            ("valid", sample.unknown, True),
            ("limited", sample.unknown, True),
            ("valid", sample.accepted, False),
            ("invalid", sample.unknown, False),
            ("", sample.unknown, False),
        ],
    )
    def test_who_would_give_up_a_key_that_works_for_a_refused_one_is_warned(
        self,
        alices: Console,
        key: ProviderKey,
        door: sample.Door,
        case: tuple[str, sample.Answerer, bool],
    ) -> None:
        known, door.answers, warned = case
        ProviderKey.objects.update(verdict=known)
        pressed = text(alices.post(stored(key), {"provider_key": sample.LATTER}, into=PANEL))
        check_run.run(only_check().pk)
        done = text(watch(alices, only_check()))

        warning = "The stored key was accepted at its last test. Saved in its place, this one would fail every request"
        assert warning not in pressed
        assert (warning in done) is warned

    def test_in_a_row_only_that_row_is_answered(
        self, alices: Console, key: ProviderKey, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sample.Door.instead(monkeypatch)
        row = f"row-{key.pk}"

        pressed = text(alices.post(stored(key), into=row)).strip()
        check_run.run(only_check().pk)
        done = text(watch(alices, only_check(), into=row)).strip()

        assert pressed.startswith("<tr")
        assert pressed.endswith("</tr>")
        assert "Testing" in pressed
        assert 'hx-trigger="every 1s"' in pressed
        assert done.startswith("<tr")
        assert "hx-trigger" not in done
        assert "<strong>Valid.</strong>" in done

    def test_in_a_row_without_credentials_says_so(self, alices: Console, alice_access: Access) -> None:
        key = ProviderKey.create(alice_access, "openai", sample.draft())

        answer = alices.post(stored(key), into=f"row-{key.pk}")

        assert answer.status_code == 422
        assert "data-failure" in text(answer)
        assert "Enter the API key." in text(answer)


class TestRefused:
    def test_at_the_field_which_is_emptied(self, alices: Console) -> None:
        answer = alices.post(UNSAVED, form_data(ADMIN_KIND), into=PANEL)

        page = text(answer)
        assert answer.status_code == 422
        assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == ("#credentials", "outerHTML")
        assert "an OpenAI admin key. It can never be used" in page
        assert 'role="alert"' in page
        assert re.search(r'name="provider_key"[^>]*aria-invalid="true"', page)
        assert "Type it again" in page
        assert ADMIN_KIND not in page
        assert not CredentialCheck.objects.exists()

    def test_without_script_on_the_form_with_what_else_was_typed(self, alices: Console, alice_access: Access) -> None:
        api_key = sample.api_key(alice_access)

        answer = alices.post(UNSAVED, form_data(ADMIN_KIND, name="My key", api_keys=[api_key]))

        page = text(answer)
        assert answer.status_code == 422
        assert "<html" in page
        assert "It can never be used" in page
        assert 'value="My key"' in page
        assert re.search(rf'value="{api_key.pk}"[^>]* checked', page)

    def test_an_unknown_provider_in_words(self, alices: Console) -> None:
        answer = alices.post(UNSAVED, form_data(provider="nobody"), into=PANEL)

        assert answer.status_code == 422
        assert "Choose a provider from the list." in text(answer)

    @pytest.mark.parametrize("limit", ["CHECKS_UNFINISHED", "CHECKS_PER_MINUTE"])
    @pytest.mark.parametrize("into", [PANEL, None])
    def test_over_the_limit_with_the_time_to_wait(
        self, alices: Console, sent: list[str], settings: Any, limit: str, into: str | None
    ) -> None:
        setattr(settings, limit, 1)
        alices.post(UNSAVED, form_data(), into=into)

        answer = alices.post(UNSAVED, form_data(), into=into)

        wait = answer.headers["Retry-After"]
        assert answer.status_code == 429
        assert 0 < int(wait) <= 60
        assert f"Try again in {wait} s" in text(answer)
        assert ("<html" in text(answer)) is (into is None)
        assert CredentialCheck.objects.count() == 1

    def test_one_organizations_limit_is_not_anothers(
        self, alices: Console, charlies: Console, sent: list[str], settings: Any
    ) -> None:
        settings.CHECKS_UNFINISHED = 1
        alices.post(UNSAVED, form_data(), into=PANEL)

        answer = Console(charlies.client, "globex").post(UNSAVED, form_data(), into=PANEL)

        assert answer.status_code == 200


class TestWatch:
    @pytest.fixture
    def check(self, alice_access: Access, sent: list[str]) -> CredentialCheck:
        return sample.pressed(alice_access)

    @pytest.mark.parametrize(
        "told",
        [
            (sample.accepted, "valid", '<strong class="result__word">Valid</strong> OpenAI accepted the key.'),
            (sample.unknown, "invalid", "Invalid</strong> OpenAI doesn’t recognize this key."),
            (sample.limited, "limited", "Limited</strong>"),
            (sample.silent, "unreachable", "Unreachable</strong> OpenAI didn’t answer in 10 s."),
        ],
    )
    def test_done_it_shows_its_verdict_and_asks_no_more(
        self,
        alices: Console,
        check: CredentialCheck,
        monkeypatch: pytest.MonkeyPatch,
        told: tuple[sample.Answerer, str, str],
    ) -> None:
        says, verdict, words = told
        sample.Door.instead(monkeypatch).answers = says
        check_run.run(check.pk)

        answer = text(watch(alices, check))

        assert state(answer) == f"done {verdict}"
        assert words in answer
        assert "hx-get" not in answer

    def test_unfinished_it_asks_again_and_uses_no_verdict_word(self, alices: Console, check: CredentialCheck) -> None:
        for before, now in (("queued", "queued"), ("queued", "running")):
            if now == "running":
                check.take()
            answer = text(watch(alices, check))

            assert state(answer) == now, before
            assert 'hx-trigger="every 1s"' in answer
            assert not re.search(r"Valid|Limited|Invalid|Forbidden|Unreachable", answer)

    def test_says_when_no_worker_takes_it(self, alices: Console, check: CredentialCheck, time_machine: Any) -> None:
        time_machine.move_to(sample.later(timedelta(seconds=6)))

        assert "No worker has taken this test yet. It waits up to 60 s." in text(watch(alices, check))

    def test_past_its_deadline_whoever_looks_settles_it(
        self, alices: Console, check: CredentialCheck, time_machine: Any
    ) -> None:
        time_machine.move_to(sample.later(sample.AFTER_THE_DEADLINE))

        answer = text(watch(alices, check))

        assert state(answer) == "done unreachable"
        assert "did not finish" in answer
        assert (sample.again(check).state, sample.again(check).candidate) == ("done", None)

    def test_a_member_may_look(self, danas: Console, check: CredentialCheck) -> None:
        assert watch(danas, check).status_code == 200

    def test_another_organization_may_not(self, charlies: Console, check: CredentialCheck) -> None:
        assert watch(charlies, check).status_code == 404
        assert watch(Console(charlies.client, "globex"), check).status_code == 404
