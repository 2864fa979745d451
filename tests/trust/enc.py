"""What the cases of the family ENC share: the column itself, seen from below, and two defects that many must notice."""

from typing import Any, Final

import pytest
from django.db import connection
from encrypted_fields.fields import EncryptedTextField

from organizations.access import Access
from providerkeys import vault
from providerkeys.models import CheckResult, CredentialCheck, ProviderKey, Row, check_run
from providerkeys.vault import Purpose, Sealable, SecretUnreadable
from tests.fakeproviders import samples
from tests.providerkeys import sample

COLUMN: Final = ProviderKey._meta.get_field("credentials")
_CONSTRAINT: Final = "provider_key_credentials_are_ciphertext"


def fresh(provider: str = "openai") -> str:
    """A key that no other test has used."""
    return samples.fresh_key(provider, "good")


def opened(key: ProviderKey) -> str | None:
    """The secret of this row as the database has it now, or ``None`` when it can't be opened."""
    try:
        return vault.reveal(sample.again(key), Purpose.CHECK)
    except SecretUnreadable:
        return None


def in_database(key: ProviderKey) -> str:
    """The very characters that the column holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM providerkeys_providerkey WHERE id = %s", [key.pk])
        return str(cursor.fetchone()[0])


def layers(key: ProviderKey) -> int:
    """How many encryptions lie around the secret."""
    text, count = in_database(key), 0
    while text.startswith(vault.TOKEN_START):
        text, count = vault._cipher().decrypt(text).decode(), count + 1
    return count


def overwrite(key: ProviderKey, text: str | None) -> None:
    """Write into the column below all rules, as a restored dump or somebody with the database's password may."""
    with connection.cursor() as cursor:
        _lift_the_constraint(cursor)
        cursor.execute("UPDATE providerkeys_providerkey SET credentials = %s WHERE id = %s", [text, key.pk])
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def _lift_the_constraint(cursor: Any) -> None:
    if connection.vendor == "sqlite":
        cursor.execute("PRAGMA ignore_check_constraints = ON")
    else:
        # It comes back with the roll-back at the end of the test.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE providerkeys_providerkey DROP CONSTRAINT IF EXISTS {_CONSTRAINT}")


def checked(access: Access, key: ProviderKey) -> CheckResult:
    """The result of a check of the row as it is now, whatever it holds."""
    now = sample.again(key)
    row = Row(fingerprint=now.fingerprint, record=now.pk, version=now.credentials_version)
    check = CredentialCheck.press(access, now.provider, [row], now)
    check_run.run(check.pk)
    return check.results.get()


# Defects.


def the_librarys_own_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product's table with the library's raw field on it: its value is the plaintext, when all goes well."""
    monkeypatch.setattr(COLUMN, "__dict__", {**COLUMN.__dict__, "editable": True, "f": vault._cipher()})
    monkeypatch.setattr(COLUMN, "__class__", EncryptedTextField)
    monkeypatch.setattr(vault, "seal", lambda _, secret: secret)
    monkeypatch.setattr(vault, "reveal", lambda record, _: getattr(record, record.sealed_field))


def returning_what_cannot_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the library does: where no key fits, the stored text is the value."""
    strict = vault.reveal

    def reveal(record: Sealable, purpose: Purpose) -> str:
        try:
            return strict(record, purpose)
        except SecretUnreadable:
            sealed = getattr(record, record.sealed_field)
            return sealed._token if sealed else ""

    monkeypatch.setattr(vault, "reveal", reveal)
