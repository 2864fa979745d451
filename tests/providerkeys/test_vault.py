"""The vault's keys: the sentinel that proves them, who may start, what several keys read, and the first secret of all."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection, connections

from organizations.access import Access
from organizations.models import Organization
from providerkeys import vault
from providerkeys.models import CredentialCheck, ProviderKey, Sentinel, check_run
from providerkeys.vault import Purpose, Sealed, SecretUnreadable, WrongKeys
from tests.providerkeys import sample
from tests.providerkeys.sample import Door

pytestmark = [pytest.mark.django_db, pytest.mark.database]

SECRET = "sk-proj-FAKE-of-the-vault-0123456789abcdef"


def new_key() -> str:
    return Fernet.generate_key().decode()


def opened(key: ProviderKey) -> str:
    return vault.reveal(sample.again(key), Purpose.CHECK)


def refuses(words: str) -> Any:
    return pytest.raises(WrongKeys, match=words)


class TestTheSentinel:
    def test_is_written_with_the_first_secret(self, alice_access: Access) -> None:
        assert not Sentinel.objects.exists()

        sample.stored(alice_access, SECRET)

        assert [str(one.proof) for one in Sentinel.objects.all()] == [vault.MASK]

    def test_is_written_with_a_first_candidate_too(self, alice_access: Access) -> None:
        sample.pressed(alice_access, secret=SECRET)

        assert Sentinel.objects.count() == 1

    def test_is_written_once(self, alice_access: Access) -> None:
        sample.stored(alice_access, SECRET)
        first = Sentinel.objects.get().proof

        sample.stored(alice_access, SECRET)

        assert Sentinel.objects.get().proof == first

    def test_belongs_to_the_transaction_of_the_secret(
        self, alice_access: Access, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def failing(*_: object) -> None:
            raise RuntimeError

        monkeypatch.setattr(ProviderKey, "_assign", failing)
        with pytest.raises(RuntimeError):
            sample.stored(alice_access, SECRET)

        assert not Sentinel.objects.exists()


class TestVerifyKeys:
    def test_is_content_with_an_empty_database(self) -> None:
        vault.verify_keys()

    def test_is_content_with_the_keys_that_wrote_it(self, alice_access: Access) -> None:
        sample.stored(alice_access, SECRET)

        vault.verify_keys()

    def test_refuses_other_keys_and_names_none(self, alice_access: Access, settings: Any) -> None:
        sample.stored(alice_access, SECRET)
        keys = [*settings.CREDENTIAL_KEYS, new_key()]
        settings.CREDENTIAL_KEYS = keys[1:]

        with refuses("Restore the keys that wrote them") as refusal:
            vault.verify_keys()

        assert not any(key in str(refusal.value) for key in keys)
        assert refusal.value.__cause__ is refusal.value.__context__ is None

    @pytest.mark.parametrize("proof", ["gAAAAA", "of-other-content", "joined"])
    def test_refuses_an_altered_sentinel(self, proof: str, alice_access: Access) -> None:
        sample.stored(alice_access, SECRET)
        good = Sentinel.objects.get().proof or Sealed()
        altered = {"of-other-content": vault._encrypt({"sentinel": "of mine"}), "joined": Sealed(good._token * 2)}
        Sentinel.objects.update(proof=altered.get(proof, Sealed(proof)))

        with refuses("cannot read the credentials"):
            vault.verify_keys()

    @pytest.mark.parametrize("write", [sample.stored, sample.pressed], ids=["key", "candidate"])
    def test_refuses_secrets_without_a_sentinel(self, write: Callable[[Access], object], alice_access: Access) -> None:
        write(alice_access)
        Sentinel.objects.all().delete()

        with refuses("not the sentinel"):
            vault.verify_keys()

    def test_is_content_when_no_secret_is_left_without_one(self, alice_access: Access) -> None:
        sample.stored(alice_access, SECRET).delete_by(alice_access)
        Sentinel.objects.all().delete()

        vault.verify_keys()


class TestWrongKeys:
    def test_write_nothing(self, alice_access: Access, settings: Any) -> None:
        sample.stored(alice_access, SECRET)
        settings.CREDENTIAL_KEYS = [new_key()]

        with refuses("Restore"):
            sample.stored(alice_access, SECRET)

        assert (ProviderKey.objects.count(), Sentinel.objects.count()) == (1, 1)

    def test_write_no_new_sentinel_over_a_lost_one(self, alice_access: Access, settings: Any) -> None:
        sample.stored(alice_access, SECRET)
        Sentinel.objects.all().delete()
        settings.CREDENTIAL_KEYS = [new_key()]

        with refuses("not the sentinel"):
            sample.stored(alice_access, SECRET)

        assert not Sentinel.objects.exists()

    def test_open_nothing_send_nothing_and_stamp_nothing(
        self, alice_access: Access, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = sample.stored(alice_access, SECRET)
        check = sample.pressed(alice_access, key)
        door = Door.instead(monkeypatch)
        settings.CREDENTIAL_KEYS = [new_key()]

        check_run.run(check.pk)

        assert door.probes == 0
        assert sample.verdicts(check) == [("unreachable", "unreadable")]
        assert sample.again(key).readable

    def test_are_no_longer_wrong_once_restored(self, alice_access: Access, settings: Any) -> None:
        key, right = sample.stored(alice_access, SECRET), settings.CREDENTIAL_KEYS
        settings.CREDENTIAL_KEYS = [new_key()]
        with pytest.raises(SecretUnreadable):
            opened(key)

        settings.CREDENTIAL_KEYS = right

        assert opened(key) == SECRET


class TestSeveralKeys:
    def test_all_of_them_read_and_the_newest_writes(self, alice_access: Access, settings: Any) -> None:
        old, new = settings.CREDENTIAL_KEYS[0], new_key()
        before = sample.stored(alice_access, SECRET)
        settings.CREDENTIAL_KEYS = [new, old]

        vault.verify_keys()
        after = sample.stored(alice_access, SECRET)

        assert opened(before) == opened(after) == SECRET
        settings.CREDENTIAL_KEYS = [new]
        assert opened(after) == SECRET
        with pytest.raises(SecretUnreadable):
            opened(before)

    def test_the_one_that_wrote_the_sentinel_cannot_be_dropped(self, alice_access: Access, settings: Any) -> None:
        key, new = sample.stored(alice_access, SECRET), new_key()
        settings.CREDENTIAL_KEYS = [new, *settings.CREDENTIAL_KEYS]
        sample.replaced(alice_access, key, SECRET + "2")
        settings.CREDENTIAL_KEYS = [new]

        with refuses("Restore"):
            vault.verify_keys()

    def test_rotation_changes_no_fingerprint(self, alice_access: Access, settings: Any) -> None:
        before = sample.stored(alice_access, SECRET)
        settings.CREDENTIAL_KEYS = [new_key(), *settings.CREDENTIAL_KEYS]

        after = sample.stored(alice_access, SECRET)

        assert before.fingerprint == after.fingerprint


class TestFingerprint:
    def test_equals_for_equal_bytes(self, acme: Organization) -> None:
        one, other = ({"region": "eu", "endpoint": "e"}, {"endpoint": "e", "region": "eu"})

        assert vault.fingerprint(acme.fingerprint_salt, SECRET, one) == vault.fingerprint(
            acme.fingerprint_salt, SECRET, other
        )

    def test_differs_between_organizations(self, alice_access: Access, charlie_access: Access) -> None:
        assert sample.stored(alice_access, SECRET).fingerprint != sample.stored(charlie_access, SECRET).fingerprint

    @pytest.mark.parametrize(
        ("secret", "destination"),
        [
            (SECRET, {"region": "us"}),
            (SECRET, {}),
            (SECRET + " ", {"region": "eu"}),
            (SECRET + '",{"region":"eu"}]', {}),
            ("", {"region": "eu"}),
        ],
    )
    def test_differs_for_other_bytes(self, secret: str, destination: dict[str, str], acme: Organization) -> None:
        salt = acme.fingerprint_salt

        assert vault.fingerprint(salt, secret, destination) != vault.fingerprint(salt, SECRET, {"region": "eu"})

    def test_is_nothing_to_guess_from_without_the_salt(self, acme: Organization, globex: Organization) -> None:
        assert len(acme.fingerprint_salt) == 32
        assert acme.fingerprint_salt != globex.fingerprint_salt


class Meanwhile:
    """Lets another process do something after the n-th query of this one."""

    def __init__(self, after: int, action: Callable[[], object]) -> None:
        self.left = after
        self.action = action

    def __call__(self, execute: Callable[..., Any], *given: Any) -> Any:
        result = execute(*given)
        self.left -= 1
        if self.left == 0:
            other = threading.Thread(target=self._act)
            other.start()
            other.join()
        return result

    def _act(self) -> None:
        try:
            self.action()
        finally:
            connections.close_all()


@pytest.mark.django_db(transaction=True)
class TestTheFirstSecretOfAll:
    @pytest.fixture(autouse=True)
    def _fresh_process(self) -> None:
        vault.keys_verified.cache_clear()

    def test_written_four_times_at_once_leaves_one_sentinel(self, alice_access: Access) -> None:
        keys = sample.at_once(*[lambda: sample.stored(alice_access, SECRET)] * 4)

        assert Sentinel.objects.count() == 1
        assert [opened(key) for key in keys if isinstance(key, ProviderKey)] == [SECRET] * 4

    @pytest.mark.parametrize("after", range(1, 6))
    def test_of_another_process_is_no_reason_to_refuse(self, after: int, alice_access: Access) -> None:
        record = CredentialCheck(organization=alice_access.organization, provider="openai")

        with connection.execute_wrapper(Meanwhile(after, lambda: sample.stored(alice_access, SECRET))):
            record.candidate = vault.seal(record, SECRET)

        assert vault.reveal(record, Purpose.CHECK) == SECRET
        assert Sentinel.objects.count() == 1

    @pytest.mark.parametrize("after", range(1, 6))
    def test_of_another_process_is_no_reason_not_to_start(self, after: int, alice_access: Access) -> None:
        with connection.execute_wrapper(Meanwhile(after, lambda: sample.stored(alice_access, SECRET))):
            vault.verify_keys()
