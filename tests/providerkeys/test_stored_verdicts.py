"""The edit form says what is known of the stored credentials, before anything is tested in it."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from organizations.access import Access
from providerkeys.models import BedrockRegion, CredentialCheck, ProviderKey, check_run
from tests.providerkeys import regions, sample
from tests.providerkeys.conftest import Console, text
from tests.providerkeys.form import NEW, edit, edited

PANEL = re.compile(r'<section class="test__stored".*?</section>', re.DOTALL)


def panel(page: str) -> str:
    """What the form says of the stored credentials, as one line; empty where it says nothing."""
    found = PANEL.search(page)
    return words(found[0]) if found else ""


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).strip()


def judged(access: Access, key: ProviderKey, monkeypatch: pytest.MonkeyPatch, says: sample.Answerer) -> None:
    """A worker tests what is stored."""
    sample.Door.instead(monkeypatch).answers = says
    check_run.run(sample.pressed(access, key).pk)


@pytest.fixture
def key(alice_access: Access, sent: list[str]) -> ProviderKey:
    return sample.stored(alice_access)


class TestOneSecret:
    def test_its_verdict_is_said_with_its_sentence_its_next_step_and_when(
        self, alices: Console, alice_access: Access, key: ProviderKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with time_machine.travel(sample.later(-timedelta(hours=3))):
            judged(alice_access, key, monkeypatch, sample.unknown)

        said = panel(text(alices.get(edit(key))))

        assert said.startswith("Last test of the stored key Invalid OpenAI doesn’t recognize this key. Next: paste")
        assert said.endswith("3 h ago")

    def test_nobody_is_told_to_save_what_is_stored(
        self, alices: Console, alice_access: Access, key: ProviderKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for says, step in (
            (sample.silent, "Next: test again in a minute."),
            (sample.accepted, "accepted the key. This test doesn’t check credit; see"),
        ):
            judged(alice_access, key, monkeypatch, says)
            for page in (edit(key), "provider-keys/", f"provider-keys/checks/{key.checks.latest('created_at').pk}/"):
                said = words(text(alices.get(page)))
                assert step in said
                assert "save it" not in said

    def test_who_typed_it_is(
        self, alices: Console, key: ProviderKey, monkeypatch: pytest.MonkeyPatch, sent: list[str]
    ) -> None:
        sample.Door.instead(monkeypatch).answers = sample.accepted
        alices.post(f"{edit(key)}checks/", {"provider_key": sample.LATTER})
        check = key.checks.get()
        check_run.run(check.pk)

        assert "Next: save it." in words(text(alices.get(f"provider-keys/checks/{check.pk}/")))

    def test_it_is_no_result_of_a_test(
        self, alices: Console, alice_access: Access, key: ProviderKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever watches for a result must not take what was said yesterday for it."""
        judged(alice_access, key, monkeypatch, sample.accepted)

        page = text(alices.get(edit(key)))

        assert "Valid" in panel(page)
        assert "data-state" not in page
        assert "data-verdict" not in page
        assert re.search(r'id="test-result" role="status" aria-label="Test result"></div>', page)

    def test_what_could_not_be_judged_since_takes_nothing_back(
        self, alices: Console, alice_access: Access, key: ProviderKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        judged(alice_access, key, monkeypatch, sample.accepted)
        judged(alice_access, key, monkeypatch, sample.silent)

        said = panel(text(alices.get(edit(key))))

        assert "Valid OpenAI accepted the key." in said
        assert "It could not be tested just now : OpenAI didn’t answer in 10 s. The key was not judged." in said

    def test_one_that_never_could_be_judged_says_so(
        self, alices: Console, alice_access: Access, key: ProviderKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        judged(alice_access, key, monkeypatch, sample.silent)

        said = panel(text(alices.get(edit(key))))

        assert "Unreachable OpenAI didn’t answer in 10 s." in said
        assert "It could not be tested" not in said

    def test_an_untested_one_is_said_to_be_untested(self, alices: Console, key: ProviderKey) -> None:
        assert panel(text(alices.get(edit(key)))) == "Last test of the stored key Not tested yet."

    def test_a_test_that_is_under_way_is_told(self, alices: Console, alice_access: Access, key: ProviderKey) -> None:
        check = sample.pressed(alice_access, key)

        assert panel(text(alices.get(edit(key)))) == "Last test of the stored key being tested now No verdict yet."
        with time_machine.travel(sample.later(sample.AFTER_THE_DEADLINE)):
            assert "being tested" not in panel(text(alices.get(edit(key))))
        assert sample.again(check).state == "queued"

    def test_a_test_of_what_somebody_types_over_it_is_not_its_own(
        self, alices: Console, alice_access: Access, key: ProviderKey
    ) -> None:
        alices.post(f"{edit(key)}checks/", {"provider_key": sample.LATTER}, into="test-result")

        assert CredentialCheck.objects.get().provider_key == key
        assert panel(text(alices.get(edit(key)))) == "Last test of the stored key Not tested yet."

    def test_to_know_of_a_test_costs_no_query(
        self, alices: Console, alice_access: Access, key: ProviderKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        untested = queries(alices, edit(key))
        judged(alice_access, key, monkeypatch, sample.accepted)

        assert queries(alices, edit(key)) == untested

    def test_one_that_nobody_can_open_says_that_instead(
        self, alices: Console, alice_access: Access, key: ProviderKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        judged(alice_access, key, monkeypatch, sample.accepted)
        sample.again(key).found_unreadable()

        said = panel(text(alices.get(edit(key))))

        assert (
            "Unreadable The stored key can’t be read, so no request runs on it. Next: type them again and save." in said
        )
        assert "Valid" not in said

    def test_new_credentials_take_no_verdict_over(
        self, alices: Console, alice_access: Access, key: ProviderKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        judged(alice_access, key, monkeypatch, sample.unknown)
        CredentialCheck.objects.all().delete()
        alices.post(edit(key), edited(key, sample.LATTER))
        CredentialCheck.objects.all().delete()

        assert "Not tested yet." in panel(text(alices.get(edit(key))))

    def test_a_refused_form_and_a_refused_test_still_say_it(
        self, alices: Console, alice_access: Access, key: ProviderKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        judged(alice_access, key, monkeypatch, sample.accepted)

        saved = alices.post(edit(key), edited(key, name=""))
        pressed = alices.post(f"{edit(key)}checks/", {"provider_key": "byok_wrong"}, into="test-result")

        for answer in (saved, pressed):
            assert answer.status_code == 422
            assert "Valid OpenAI accepted the key." in panel(text(answer))

    def test_a_new_key_has_none(self, alices: Console, key: ProviderKey) -> None:
        assert panel(text(alices.get(NEW, provider="openai"))) == ""

    def test_a_key_without_a_provider_file_still_opens(
        self, alices: Console, alice_access: Access, key: ProviderKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        judged(alice_access, key, monkeypatch, sample.accepted)
        ProviderKey.objects.update(provider="gone")

        assert alices.get(edit(key)).status_code == 200


class TestRegions:
    def test_each_has_a_line_of_its_own(self, alices: Console, alice_access: Access) -> None:
        key = regions.stored(alice_access)
        bad, good = (BedrockRegion.objects.filter(region=name) for name in (regions.BAD, "us-east-1"))
        bad.update(**BedrockRegion.columns_for("forbidden", "region_disabled", key.created_at))
        good.update(**BedrockRegion.columns_for("valid", "accepted", key.created_at))

        said = panel(text(alices.get(edit(key))))

        lines = re.split(r"(?=us-east-1|eu-central-1|eu-south-1)", said)
        assert lines[0].strip() == "Last test of the stored keys"
        assert [line.split()[:2] for line in lines[1:]] == [
            ["us-east-1", "Valid"],
            ["eu-central-1", "Not"],
            ["eu-south-1", "Forbidden"],
        ]

    def test_they_cost_no_more_queries_than_one(self, alices: Console, alice_access: Access) -> None:
        few, many = regions.stored(alice_access, "us-east-1"), regions.stored(alice_access)

        assert queries(alices, edit(few)) == queries(alices, edit(many))


def queries(console: Console, path: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        console.get(path)
    return len(asked)
