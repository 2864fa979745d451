"""The same credentials stored twice: whoever types them is told, nobody is refused, and no other organization shows."""

import pytest

from organizations.access import Access
from organizations.models import Organization
from providerkeys import vault
from providerkeys.models import CredentialCheck, ProviderKey
from tests.providerkeys import regions, sample
from tests.providerkeys.conftest import Console, form_data, text
from tests.providerkeys.form import LEADS_ON, NEW, edit, edited, only_key, toasts

CHECKS = "provider-keys/checks/"
TOLD = "The same credentials are stored"
TOLD_OF_A_REGION = "The same access key is stored"


def pressed(console: Console, data: dict[str, str], path: str = CHECKS) -> str:
    """What stands in the form after a press of *Test credentials*."""
    answer = console.post(path, data, into="test-result")
    assert answer.status_code == 200
    return text(answer)


@pytest.fixture(autouse=True)
def _sent(sent: list[str]) -> None:
    """Nothing reaches a broker."""


@pytest.fixture
def key(alice_access: Access) -> ProviderKey:
    return sample.stored(alice_access)


class TestOneIsTold:
    def test_by_a_test_with_the_other_keys_name_and_a_link_to_it(self, alices: Console, key: ProviderKey) -> None:
        said = pressed(alices, form_data())

        where = f"/orgs/acme/provider-keys/{key.pk}/?focus=credentials"
        link = f'<a href="{where}" target="_blank" rel="noopener noreferrer">Production</a>'
        assert f"{TOLD} already, in {link} (OpenAI)." in said
        assert 'data-state="queued"' in said

    def test_whatever_copying_adds_to_it(self, alices: Console, key: ProviderKey) -> None:
        assert TOLD in pressed(alices, form_data(f'export OPENAI_API_KEY="{sample.FORMER}" '))

    def test_by_a_save_which_is_not_refused(self, alices: Console, key: ProviderKey) -> None:
        answer = alices.post(NEW, form_data(name="Again"))

        assert answer.status_code == 302
        assert ProviderKey.objects.count() == 2
        assert toasts(alices) == [
            "Again was created. Its test is running.",
            f"{TOLD} in Production (OpenAI) too.",
            LEADS_ON,
        ]

    def test_when_an_edit_brings_them(self, alices: Console, alice_access: Access, key: ProviderKey) -> None:
        other = sample.stored(alice_access, sample.LATTER)

        assert TOLD in pressed(alices, {"provider_key": sample.FORMER}, f"{edit(other)}checks/")
        alices.post(edit(other), edited(other, sample.FORMER))
        assert toasts(alices)[-1] == f"{TOLD} in Production (OpenAI) too."

    def test_of_regions_too(self, alices: Console, alice_access: Access) -> None:
        regions.stored(alice_access, "us-east-1")
        row = regions.posted(0, "us-east-1")

        said = pressed(alices, {"provider": "bedrock", **row})

        assert f"{TOLD_OF_A_REGION} already for the same region, in" in said

        alices.post(NEW, {"provider": "bedrock", "name": "Again", "assign_to_organization": "on", **row})
        assert f"{TOLD_OF_A_REGION} for the same region in Bedrock shared (AWS Bedrock) too." in toasts(alices)

    def test_of_many_the_first_few_are_named(self, alices: Console, alice_access: Access) -> None:
        for _ in range(14):
            sample.stored(alice_access)

        said = pressed(alices, form_data())

        assert said.count(">Production</a>") == 12
        assert "and 2 more." in said

    def test_a_name_is_text(self, alices: Console, key: ProviderKey) -> None:
        ProviderKey.objects.update(name="<b>bold</b>")

        assert "&lt;b&gt;bold&lt;/b&gt;" in pressed(alices, form_data())


class TestNobodyIsTold:
    def test_of_other_credentials(self, alices: Console, key: ProviderKey) -> None:
        assert TOLD not in pressed(alices, form_data(sample.LATTER))

    def test_of_the_key_itself(self, alices: Console, key: ProviderKey) -> None:
        assert TOLD not in pressed(alices, {"provider_key": sample.FORMER}, f"{edit(key)}checks/")
        assert TOLD not in pressed(alices, {}, f"{edit(key)}checks/")
        alices.post(edit(key), edited(key, name="Renamed"))
        assert not any(TOLD in toast for toast in toasts(alices))

    def test_of_the_same_access_key_for_another_region(self, alices: Console, alice_access: Access) -> None:
        """One IAM user in several places is how it is meant."""
        regions.stored(alice_access, "us-east-1")

        assert TOLD_OF_A_REGION not in pressed(alices, {"provider": "bedrock", **regions.posted(0, "eu-central-1")})

    def test_of_another_organizations_even_where_the_fingerprints_are_equal(
        self, alices: Console, charlie_access: Access, alice_access: Access
    ) -> None:
        salt = alice_access.organization.fingerprint_salt
        Organization.objects.update(fingerprint_salt=salt)
        charlie_access.organization.refresh_from_db()
        theirs = sample.stored(charlie_access)
        regions.stored(charlie_access, "us-east-1")

        said = pressed(alices, form_data())
        of_a_region = pressed(alices, {"provider": "bedrock", **regions.posted(0, "us-east-1")})
        alices.post(NEW, form_data())

        assert theirs.fingerprint == ProviderKey.objects.get(organization__slug="acme").fingerprint
        assert TOLD not in said
        assert TOLD_OF_A_REGION not in of_a_region
        assert not any(TOLD in toast for toast in toasts(alices))

    def test_by_pages_of_what_is_stored(self, alices: Console, alice_access: Access, key: ProviderKey) -> None:
        sample.stored(alice_access)

        for page in ("provider-keys/", edit(key)):
            assert TOLD not in text(alices.get(page))


def test_nothing_is_opened_to_find_out(alices: Console, key: ProviderKey, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object) -> str:
        raise AssertionError("A secret was opened.")

    monkeypatch.setattr(vault, "reveal", opened)
    monkeypatch.setattr(vault, "_decrypt", opened)

    assert TOLD in pressed(alices, form_data())
    assert CredentialCheck.objects.count() == 1
    assert only_key() == key


class TestNamesakes:
    """Two keys of one provider may bear one name: whoever makes the second is told, nobody is refused."""

    SAID = "Another OpenAI key is called Production too. Rename one to tell them apart."

    def test_by_a_save(self, alices: Console, key: ProviderKey) -> None:
        assert alices.post(NEW, form_data(sample.LATTER)).status_code == 302
        assert self.SAID in toasts(alices)
        assert ProviderKey.objects.count() == 2

    def test_by_a_new_name(self, alices: Console, alice_access: Access, key: ProviderKey) -> None:
        other = ProviderKey.create(alice_access, "openai", sample.draft(sample.LATTER, "Other"))

        alices.post(edit(other), edited(other, name="Production"))
        assert self.SAID in toasts(alices)

    def test_not_of_another_provider_or_organization_nor_for_what_is_no_new_name(
        self, alices: Console, alice_access: Access, charlie_access: Access
    ) -> None:
        sample.stored(charlie_access)
        ProviderKey.create(alice_access, "anthropic", sample.draft(sample.FORMER, "Production"))

        alices.post(NEW, form_data(sample.LATTER))
        created, _ = toasts(alices)
        assert "called" not in created
        namesake = ProviderKey.create(alice_access, "openai", sample.draft(sample.LATTER, "Production"))
        alices.post(edit(namesake), edited(namesake, sample.FORMER))
        assert self.SAID not in toasts(alices)
