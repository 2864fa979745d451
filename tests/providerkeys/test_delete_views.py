"""Deleting a provider key: it says first, by the resolver, which API keys lose the provider or move to another key."""

import re
from typing import Any

import pytest

from organizations.access import Access
from organizations.models import ApiKey, AuditEvent
from providerkeys.models import CredentialCheck, KeyAssignment, ProviderKey
from tests.providerkeys import regions, sample
from tests.providerkeys.conftest import Console, text
from tests.providerkeys.form import toasts


def delete(key: ProviderKey) -> str:
    return f"provider-keys/{key.pk}/delete/"


def consequences(response: Any) -> list[tuple[str, list[str]]]:
    """What the dialog says: each headline, and the API keys it is about."""
    page = re.sub(r"<svg.*?</svg>", "", text(response), flags=re.DOTALL)
    items = re.findall(r"<h[24]>([^<]*)</h[24]>\s*<div class=\"badges\">(.*?)</div>", page, re.DOTALL)
    return [(" ".join(headline.split()), re.findall(r"<span>(.*?)</span>", names)) for headline, names in items]


def make(access: Access, name: str, *api_keys: ApiKey) -> ProviderKey:
    return ProviderKey.create(access, "openai", sample.draft(sample.FORMER, name, api_keys or None))


class TestSaysFirst:
    @pytest.fixture
    def ci(self, alice_access: Access) -> ApiKey:
        return sample.api_key(alice_access, "ci")

    @pytest.fixture
    def web(self, alice_access: Access) -> ApiKey:
        return sample.api_key(alice_access, "web")

    def test_who_loses_the_provider(self, alices: Console, alice_access: Access, ci: ApiKey, web: ApiKey) -> None:
        key = make(alice_access, "Only")

        assert consequences(alices.get(delete(key))) == [("2 API keys lose OpenAI", ["ci", "web"])]

    def test_who_moves_to_which_key(self, alices: Console, alice_access: Access, ci: ApiKey, web: ApiKey) -> None:
        make(alice_access, "Shared")
        make(alice_access, "Spare", web)
        key = make(alice_access, "Special", ci)

        assert consequences(alices.get(delete(key))) == [("1 API key moves to Shared", ["ci"])]

    def test_a_disabled_key_beside_it_takes_nobody_over(
        self, alices: Console, alice_access: Access, ci: ApiKey
    ) -> None:
        make(alice_access, "Shared")
        key, paused = make(alice_access, "Special", ci), make(alice_access, "Paused", ci)
        ProviderKey.objects.filter(pk=paused.pk).update(enabled=False)

        assert consequences(alices.get(delete(key))) == [("1 API key loses OpenAI", ["ci"])]

    def test_api_keys_of_one_name_are_told_apart_by_their_hints(
        self, alices: Console, alice_access: Access, ci: ApiKey
    ) -> None:
        twin = sample.api_key(alice_access, "ci")
        sample.api_key(alice_access, "web")

        assert consequences(alices.get(delete(make(alice_access, "Only")))) == [
            (
                "3 API keys lose OpenAI",
                [*(f"ci ({one.hint})" for one in sorted([ci, twin], key=lambda one: one.pk)), "web"],
            )
        ]

    def test_that_what_it_stepped_in_for_loses_a_fallback(
        self, alices: Console, alice_access: Access, ci: ApiKey
    ) -> None:
        make(alice_access, "First")
        answer = alices.get(delete(make(alice_access, "Second")))

        assert consequences(answer) == [("1 API key loses a key to fall back on", ["ci"])]
        assert "First (organization-wide) stays first; when that one fails, this key doesn’t step in" in text(answer)

    def test_nothing_when_it_serves_nobody(self, alices: Console, alice_access: Access, ci: ApiKey) -> None:
        make(alice_access, "First")
        key = make(alice_access, "Second", sample.api_key(alice_access, "gone"))
        ApiKey.objects.get(name="gone").delete_by(alice_access)

        answer = alices.get(delete(key), into="dialog")

        assert consequences(answer) == []
        assert "No working API key uses this key: deleting it changes nothing for requests." in text(answer)

    def test_in_page_and_dialog(self, alices: Console, alice_access: Access) -> None:
        key = make(alice_access, "Main & only")

        for into in (None, "dialog"):
            answer = text(alices.get(delete(key), into=into))
            assert '<h1 id="dialog-title">Delete Main &amp; only</h1>' in answer
            assert ("<html" in answer) is (into is None)
        assert ProviderKey.objects.exists()


class TestDeletes:
    def test_the_key_with_all_that_hangs_on_it_and_nothing_else(
        self, alices: Console, alice_access: Access, sent: list[str]
    ) -> None:
        api_key = sample.api_key(alice_access)
        key, other = make(alice_access, "Gone", api_key), make(alice_access, "Stays", api_key)
        sample.pressed(alice_access, key)

        answer = alices.post(delete(key), into="sheet")

        assert answer.headers["HX-Redirect"] == alices.url("provider-keys/")
        assert list(ProviderKey.objects.all()) == [other]
        assert [one.provider_key for one in KeyAssignment.objects.all()] == [other]
        assert not CredentialCheck.objects.exists()
        assert AuditEvent.objects.filter(action="provider_key.deleted", target_id=key.pk).count() == 1
        [told] = toasts(alices)
        assert told == (
            f"Gone ({key.hint}) was deleted. Its credentials are not revoked by that: that is done at"
            " OpenAI’s API keys."
            " They are stored in Stays (OpenAI) too: replace them there first."
        )

    def test_nobody_is_told_to_revoke_what_other_keys_hold(self, alices: Console, alice_access: Access) -> None:
        key, other = make(alice_access, "Gone"), make(alice_access, "Stays")
        asked = text(alices.get(delete(key), into="dialog"))
        assert "Afterwards, revoke the key" not in asked
        assert "only once nothing runs on them any more" in asked
        assert f'href="/orgs/acme/provider-keys/{other.pk}/?focus=credentials"' in asked

        other.delete_by(alice_access)
        assert "Afterwards, revoke the key" in text(alices.get(delete(key), into="dialog"))

    def test_of_an_access_key_in_other_regions_too(self, alices: Console, alice_access: Access) -> None:
        key = regions.stored(alice_access, "us-east-1", "us-west-2")
        asked = text(alices.get(delete(key), into="dialog"))
        assert "Afterwards, revoke the key" in asked
        ProviderKey.objects.filter(pk=regions.stored(alice_access, "eu-west-1").pk).update(name="Europe")
        asked = text(alices.get(delete(key), into="dialog"))
        assert ">Europe</a> (AWS Bedrock) too: revoke them at" in asked
        assert "Some of them are stored in" in asked

        # The provider that doesn't know one may know another.
        ProviderKey.objects.filter(pk=key.pk).update(verdict="invalid", reason="secret_mismatch")
        alices.post(delete(key))
        [told] = toasts(alices)
        assert "not revoked by that: that is done at AWS IAM. Some of them are stored in Europe" in told

    def test_of_a_key_that_its_provider_does_not_know_nothing_is_left(
        self, alices: Console, alice_access: Access
    ) -> None:
        key = make(alice_access, "Gone")
        ProviderKey.objects.update(verdict="invalid", reason="unknown_key")
        alices.post(delete(key))
        assert toasts(alices) == ["Gone was deleted."]

    def test_twice_is_once(self, alices: Console, alice_access: Access) -> None:
        key = make(alice_access, "Gone")

        assert alices.post(delete(key)).status_code == 302
        assert alices.post(delete(key)).status_code == 404
        assert AuditEvent.objects.filter(action="provider_key.deleted").count() == 1
