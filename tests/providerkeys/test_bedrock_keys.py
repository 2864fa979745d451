"""A key with regions: how it is saved, edited and summed up, and what its rows keep of each other."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from organizations.access import Access
from organizations.models import AuditEvent
from providerkeys import badges, vault
from providerkeys.models import BedrockRegion, CheckResult, CredentialCheck, ProviderKey
from providerkeys.providers.verdicts import Verdict
from providerkeys.vault import Purpose, SecretUnreadable
from tests.fakeproviders import samples
from tests.fakeproviders.access_keys import halves
from tests.providerkeys import regions
from tests.providerkeys.regions import THREE, ciphertexts, kept, order, region, rows, stored
from tests.providerkeys.sample import again, letterbox

OTHER = samples.key("bedrock", "nolist")


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    letterbox(monkeypatch)


@pytest.fixture
def key(alice_access: Access) -> ProviderKey:
    return stored(alice_access)


def judge(key: ProviderKey, **verdicts: Verdict) -> ProviderKey:
    """The key after a check has said this of its regions (``eu_south_1=…``)."""
    check = CredentialCheck(provider="bedrock", provider_key=key)
    for name, verdict in verdicts.items():
        row = region(key, name.replace("_", "-"))
        result = CheckResult(credential_check=check, fingerprint=row.fingerprint, verdict=verdict, reason="accepted")
        result.apply_to(row.pk, row.credentials_version, row.provider_key.created_at)
    with transaction.atomic():
        key.sum_up()
    return again(key)


class TestSaving:
    def test_a_key_has_its_regions_in_the_order_of_the_form(self, key: ProviderKey) -> None:
        assert order(key) == list(THREE)
        assert again(key).hint == "us-east-1, eu-central-1, eu-south-1"
        assert again(key).credentials is None

    def test_a_row_shows_of_the_id_what_a_hint_may_and_of_the_secret_nothing(self, key: ProviderKey) -> None:
        key_id, secret = halves(regions.GOOD)
        assert region(key, "us-east-1").hint == f"AKIA…{key_id[-4:]}"
        assert secret[-4:] not in region(key, "us-east-1").hint

    def test_each_row_opens_by_itself(self, key: ProviderKey) -> None:
        assert {vault.reveal(region(key, name), Purpose.CHECK) for name in THREE} == {regions.GOOD}

    def test_equal_keys_in_two_regions_differ_by_fingerprint(self, key: ProviderKey) -> None:
        assert len({row.fingerprint for row in key.regions.all()}) == 3

    def test_forty_regions_have_a_hint_that_fits(self, alice_access: Access) -> None:
        names = [f"us-east-{number}" for number in range(1, 41)]
        hint = stored(alice_access, *names).hint
        assert len(hint) <= 200
        assert hint.endswith("more")

    def test_its_events_hold_no_part_of_a_credential(self, key: ProviderKey) -> None:
        told = " ".join(str(event.details) for event in AuditEvent.objects.filter(target_id=key.pk))
        assert not any(half[-6:] in told for half in halves(regions.GOOD))

    def test_deleting_it_leaves_no_row(self, alice_access: Access, key: ProviderKey) -> None:
        key.delete_by(alice_access)
        assert not BedrockRegion.objects.exists()


class TestEditing:
    def test_what_is_left_blank_stays_byte_for_byte(self, alice_access: Access, key: ProviderKey) -> None:
        before = ciphertexts(key)
        assert regions.changed(alice_access, key, *kept("us-east-1", "eu-central-1"), *rows("eu-south-1", key=OTHER))
        after = ciphertexts(key)
        assert {name for name in THREE if after[name] == before[name]} == {"us-east-1", "eu-central-1"}
        assert vault.reveal(region(key, "eu-south-1"), Purpose.CHECK) == OTHER

    def test_an_untouched_form_changes_nothing(self, alice_access: Access, key: ProviderKey) -> None:
        before = ciphertexts(key)
        assert regions.changed(alice_access, key, *kept(*THREE)) == []
        assert ciphertexts(key) == before

    def test_a_row_moves_to_first_with_its_secret(self, alice_access: Access, key: ProviderKey) -> None:
        before = ciphertexts(key)
        moved = ("eu-south-1", "us-east-1", "eu-central-1")
        assert regions.changed(alice_access, key, *kept(*moved)) == ["credentials"]
        assert order(key) == list(moved)
        assert ciphertexts(key) == before
        assert again(key).hint == "eu-south-1, us-east-1, eu-central-1"

    def test_a_removed_row_is_gone(self, alice_access: Access, key: ProviderKey) -> None:
        assert regions.changed(alice_access, key, *kept("eu-central-1")) == ["credentials"]
        assert order(key) == ["eu-central-1"]
        assert again(key).regions_count == 1

    def test_a_row_is_added(self, alice_access: Access, key: ProviderKey) -> None:
        regions.changed(alice_access, key, *kept(*THREE), *rows("global", key=OTHER))
        assert order(key) == [*THREE, "global"]

    def test_a_stored_secret_never_moves_to_another_region(self, alice_access: Access, key: ProviderKey) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            regions.changed(alice_access, key, *kept("us-east-1", "eu-west-1"))
        assert order(key) == list(THREE)

    def test_only_the_version_of_the_changed_row_moves(self, alice_access: Access, key: ProviderKey) -> None:
        regions.changed(alice_access, key, *kept("us-east-1", "eu-central-1"), *rows("eu-south-1", key=OTHER))
        versions = dict(key.regions.values_list("region", "credentials_version"))
        assert versions == {"us-east-1": 1, "eu-central-1": 1, "eu-south-1": 2}

    def test_the_same_bytes_typed_again_keep_their_verdict(self, alice_access: Access, key: ProviderKey) -> None:
        judge(key, us_east_1=Verdict.VALID)
        regions.changed(alice_access, key, *rows(*THREE))
        assert region(key, "us-east-1").verdict == "valid"

    def test_other_bytes_start_untested(self, alice_access: Access, key: ProviderKey) -> None:
        judge(key, us_east_1=Verdict.VALID)
        regions.changed(alice_access, key, *rows(*THREE, key=OTHER))
        assert region(key, "us-east-1").verdict == ""

    def test_only_new_bytes_are_tested_after_a_save(self, alice_access: Access, key: ProviderKey) -> None:
        judge(key, us_east_1=Verdict.VALID, eu_central_1=Verdict.VALID, eu_south_1=Verdict.FORBIDDEN)
        regions.changed(alice_access, key, *kept("us-east-1", "eu-central-1"), *rows("eu-south-1", key=OTHER))
        with transaction.atomic():
            check = CredentialCheck.follow_save(alice_access, again(key))
        assert check
        assert list(check.results.values_list("label", flat=True)) == ["eu-south-1"]

    def test_a_rows_id_is_told_from_another_without_opening_it(self, key: ProviderKey) -> None:
        row = region(key, "us-east-1")
        assert row.holds_id(halves(regions.GOOD)[0])
        assert not row.holds_id(halves(OTHER)[0])


BADGES = {
    "nothing known": ({}, [badges.ACTIVE, badges.UNTESTED]),
    "one unknown": ({"us_east_1": "valid", "eu_south_1": "valid"}, [badges.ACTIVE, badges.UNTESTED]),
    "all valid": (dict.fromkeys(("us_east_1", "eu_central_1", "eu_south_1"), "valid"), [badges.ACTIVE]),
    "one limited": (
        {"us_east_1": "valid", "eu_central_1": "limited", "eu_south_1": "valid"},
        [badges.ACTIVE, badges.LIMITED],
    ),
    "one failing": (
        {"us_east_1": "valid", "eu_central_1": "limited", "eu_south_1": "forbidden"},
        [badges.ACTIVE, badges.partly_failing(1, 3)],
    ),
    "two failing": (
        {"us_east_1": "invalid", "eu_south_1": "forbidden"},
        [badges.ACTIVE, badges.partly_failing(2, 3)],
    ),
    "all failing": (
        {"us_east_1": "invalid", "eu_central_1": "forbidden", "eu_south_1": "forbidden"},
        [badges.FAILING],
    ),
}


class TestSummingUp:
    @pytest.mark.parametrize("case", BADGES)
    def test_it_fails_only_when_every_region_does(self, key: ProviderKey, case: str) -> None:
        verdicts, expected = BADGES[case]
        assert judge(key, **{name: Verdict(verdict) for name, verdict in verdicts.items()}).status_badges == expected

    def test_the_words_of_the_badge(self, key: ProviderKey) -> None:
        judged = judge(key, us_east_1=Verdict.VALID, eu_central_1=Verdict.VALID, eu_south_1=Verdict.INVALID)
        assert [badge.word for badge in judged.status_badges] == ["Active", "1 of 3 regions failing"]

    def test_the_worst_region_speaks_for_the_last_check_and_says_which_it_is(self, key: ProviderKey) -> None:
        told = judge(key, us_east_1=Verdict.VALID, eu_south_1=Verdict.FORBIDDEN).last_check
        assert told
        assert (told.word, told.sentence.partition(":")[0]) == ("Forbidden", "eu-south-1")

    def test_a_removed_failing_row_fails_no_more(self, alice_access: Access, key: ProviderKey) -> None:
        judge(key, us_east_1=Verdict.VALID, eu_central_1=Verdict.VALID, eu_south_1=Verdict.FORBIDDEN)
        regions.changed(alice_access, key, *kept("us-east-1", "eu-central-1"))
        assert again(key).status_badges == [badges.ACTIVE]

    def test_a_result_of_other_bytes_changes_nothing(self, alice_access: Access, key: ProviderKey) -> None:
        old = region(key, "us-east-1")
        regions.changed(alice_access, key, *rows(*THREE, key=OTHER))
        check = CredentialCheck(provider="bedrock", provider_key=key)
        late = CheckResult(credential_check=check, fingerprint=old.fingerprint, verdict="valid", reason="accepted")
        late.apply_to(old.pk, old.credentials_version, old.provider_key.created_at)
        assert region(key, "us-east-1").verdict == ""


def _swap_ciphertext(key: ProviderKey) -> str:
    other = region(key, "eu-central-1").credentials
    BedrockRegion.objects.filter(provider_key=key, region="us-east-1").update(credentials=other)
    return "us-east-1"


def _rename_region(key: ProviderKey) -> str:
    BedrockRegion.objects.filter(provider_key=key, region="us-east-1").update(region="us-west-2")
    return "us-west-2"


def _roll_back_version(key: ProviderKey) -> str:
    BedrockRegion.objects.filter(provider_key=key, region="us-east-1").update(credentials_version=7)
    return "us-east-1"


def _change_provider(key: ProviderKey) -> str:
    ProviderKey.objects.filter(pk=key.pk).update(provider="openai")
    return "us-east-1"


TAMPERED = [_swap_ciphertext, _rename_region, _roll_back_version, _change_provider]


class TestEnc:
    """ENC for the table of regions: what was sealed opens where it was sealed, and nowhere else."""

    @pytest.mark.parametrize("tamper", TAMPERED)
    def test_enc_a_row_that_was_tampered_with_does_not_open(
        self, key: ProviderKey, tamper: Callable[[ProviderKey], str]
    ) -> None:
        name = tamper(key)
        with pytest.raises(SecretUnreadable):
            vault.reveal(region(key, name), Purpose.CHECK)

    def test_enc_an_untouched_row_opens(self, key: ProviderKey) -> None:
        assert vault.reveal(region(key, "us-east-1"), Purpose.CHECK) == regions.GOOD

    def test_enc_the_database_holds_ciphertext_alone(self, key: ProviderKey) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM providerkeys_bedrockregion")
            text = " ".join(str(column) for row in cursor.fetchall() for column in row)
        assert not any(half in text for half in halves(regions.GOOD))

    def test_enc_the_database_refuses_plaintext(self, key: ProviderKey) -> None:
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE providerkeys_bedrockregion SET credentials = 'plain'")

    def test_enc_the_model_refuses_plaintext(self, key: ProviderKey) -> None:
        with pytest.raises(TypeError):
            BedrockRegion.objects.filter(provider_key=key).update(credentials="plain")

    def test_enc_values_and_repr_are_masks(self, key: ProviderKey) -> None:
        values = list(BedrockRegion.objects.values_list("credentials", flat=True))
        assert {str(value) for value in values} == {vault.MASK}

    def test_enc_an_unreadable_row_is_stamped_audited_and_leaves_the_others(self, key: ProviderKey) -> None:
        region(key, _swap_ciphertext(key)).found_unreadable()
        assert not region(key, "us-east-1").readable
        assert region(key, "eu-central-1").readable
        assert again(key).readable
        event = AuditEvent.objects.get(action="provider_key.unreadable")
        assert (event.target_id, event.details["region"]) == (key.pk, "us-east-1")

    def test_enc_a_key_is_unreadable_once_all_its_rows_are(self, key: ProviderKey) -> None:
        for name in THREE:
            region(key, name).found_unreadable()
        assert again(key).status_badges == [badges.UNREADABLE]
        region(key, "us-east-1").found_readable()
        assert again(key).readable
