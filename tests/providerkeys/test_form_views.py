"""The form of a provider key, as page and dialog: what it shows, keeps and refuses; never a secret."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from organizations.access import Access
from organizations.models import User
from providerkeys import vault
from providerkeys.models import KeyAssignment, ProviderKey
from providerkeys.providers import registry
from tests.providerkeys import sample
from tests.providerkeys.conftest import Console, form_data, text
from tests.providerkeys.form import NEW, edit, edited, only_key, ticked, value_of

IN_ORDER = ("anthropic", "openai", "google_vertex_ai", "mistral", "deepseek", "xai", "zai", "bedrock")


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

        assert options == [slug for slug in IN_ORDER if registry.find(slug)]
        assert len(options) == len(registry.all())

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
        assert re.search(rf'id="now-{api_key.pk}"[^>]*hx-swap-oob="true">currently Anthropic account<', answer)

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
        assert "Left empty, the stored key is tested and its status updated." in answer

    def test_says_what_serves_each_api_key_now(self, alices: Console, alice_access: Access) -> None:
        api_key = sample.api_key(alice_access)
        key = sample.stored(alice_access)

        assert f'id="now-{api_key.pk}" title="currently Production"' in text(alices.get(edit(key)))

    def test_says_which_disabled_one_keeps_others_from_stepping_in(self, alices: Console, alice_access: Access) -> None:
        api_key = sample.api_key(alice_access)
        sample.stored(alice_access, api_keys=[api_key])
        ProviderKey.objects.update(enabled=False)

        said = f'id="now-{api_key.pk}" title="currently none: Production is disabled"'
        assert said in text(alices.get(NEW, provider="openai"))

    def test_says_that_nothing_serves_one_but_not_before_it_is_known_where(
        self, alices: Console, alice_access: Access
    ) -> None:
        api_key = sample.api_key(alice_access)

        assert f'id="now-{api_key.pk}" title="currently none"' in text(alices.get(NEW, provider="openai"))
        assert f'id="now-{api_key.pk}" title=""' in text(alices.get(NEW))


class TestSecretInput:
    def test_has_no_value_and_asks_nobody_to_keep_it(self, alices: Console, alice_access: Access) -> None:
        for page in (alices.get(NEW, provider="openai"), alices.get(edit(sample.stored(alice_access)))):
            [field] = re.findall(r'<input [^>]*name="provider_key"[^>]*>', text(page))

            assert 'type="password"' in field
            assert 'autocomplete="new-password"' in field
            assert 'spellcheck="false"' in field
            assert "value=" not in field
            assert "data-" not in field


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

    def test_calls_each_field_by_a_name_of_its_own(self, alices: Console) -> None:
        page = text(alices.post(NEW, form_data("", [])))

        named = re.findall(r'<a href="#(id_\w+)">([^<]+)</a>', page)
        assert named == [("id_provider_key", "API Key"), ("id_api_key_ids", "Assignment")]

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


class TestCost:
    def test_six_queries_at_most_and_no_secret_opened(
        self, alices: Console, alice_access: Access, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        api_keys = [sample.api_key(alice_access, f"Service {number}") for number in range(12)]
        keys = [sample.stored(alice_access, api_keys=api_keys) for _ in range(8)]
        monkeypatch.setattr(vault, "_decrypt", None)

        for path in (NEW, NEW + "?provider=openai", edit(keys[0]), f"provider-keys/{keys[0].pk}/delete/"):
            with CaptureQueriesContext(connection) as queries:
                assert alices.client.get(alices.url(path)).status_code == 200
            assert len(queries) <= 6, (path, len(queries))


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
