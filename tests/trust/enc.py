"""What the cases of the family ENC share: the column itself, seen from below, and two defects that many must notice."""

from typing import Any, Final, cast

import pytest
from django.db import connection
from encrypted_fields.fields import EncryptedTextField

from organizations.access import Access
from providerkeys import vault
from providerkeys.models import BedrockRegion, CheckResult, CredentialCheck, ProviderKey, check_run, records
from providerkeys.models.secret_record import SecretRecord
from providerkeys.vault import Purpose, Sealable, SealedTextField, SecretUnreadable
from tests.fakeproviders import samples

MODELS: Final[tuple[type[SecretRecord], ...]] = (ProviderKey, BedrockRegion)
_CONSTRAINT: Final = "_are_ciphertext"


def fresh(provider: str = "openai") -> str:
    """A key that no other test has used."""
    return samples.fresh_key(provider, "good")


def column_of(model: type[SecretRecord]) -> SealedTextField:
    column = model._meta.get_field("credentials")
    assert isinstance(column, SealedTextField)
    return column


def again[R: SecretRecord](record: R) -> R:
    """The record as the database has it now."""
    found = records.find(record.pk)
    assert isinstance(found, type(record))
    return found


def opened(record: SecretRecord) -> str | None:
    """The secret of this record as the database has it now, or ``None`` when it can't be opened."""
    try:
        return vault.reveal(sealable(again(record)), Purpose.CHECK)
    except SecretUnreadable:
        return None


def sealable(record: SecretRecord) -> Sealable:
    """What every record is, though the abstract class leaves some of it to its subclasses."""
    return cast(Sealable, record)


def in_database(record: SecretRecord) -> str:
    """The very characters that the column holds."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT credentials FROM {record._meta.db_table} WHERE id = %s", [record.pk])
        return str(cursor.fetchone()[0])


def layers(record: SecretRecord) -> int:
    """How many encryptions lie around the secret."""
    text, count = in_database(record), 0
    while text.startswith(vault.TOKEN_START):
        text, count = vault._cipher().decrypt(text).decode(), count + 1
    return count


def overwrite(record: SecretRecord, text: str | None) -> None:
    """Write into the column below all rules, as a restored dump or somebody with the database's password may."""
    table = record._meta.db_table
    with connection.cursor() as cursor:
        _lift_the_constraint(cursor, record)
        cursor.execute(f"UPDATE {table} SET credentials = %s WHERE id = %s", [text, record.pk])
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def _lift_the_constraint(cursor: Any, record: SecretRecord) -> None:
    if connection.vendor == "sqlite":
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        return
    names = (constraint.name for constraint in record._meta.constraints)
    (name,) = (name for name in names if name.endswith(_CONSTRAINT))
    # It comes back with the roll-back at the end of the test.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute(f"ALTER TABLE {record._meta.db_table} DROP CONSTRAINT IF EXISTS {name}")


def checked(access: Access, record: SecretRecord) -> CheckResult:
    """The result of a check of the record as it is now, whatever it holds."""
    now = again(record)
    check = CredentialCheck.press(access, now.owner.provider, [now.stored_row], now.owner)
    check_run.run(check.pk)
    return check.results.get()


# Defects.


def the_librarys_own_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product's tables with the library's raw field on them: its value is the plaintext, when all goes well."""
    for column in map(column_of, MODELS):
        monkeypatch.setattr(column, "__dict__", {**column.__dict__, "editable": True, "f": vault._cipher()})
        monkeypatch.setattr(column, "__class__", EncryptedTextField)
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
