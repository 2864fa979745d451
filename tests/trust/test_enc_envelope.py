"""ENC-07, -08, -10: what is not exactly what was sealed for this record is refused: by the vault, before any packet."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
from cryptography.fernet import Fernet
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.query import QuerySet

from organizations.access import Access
from organizations.models import AuditEvent
from providerkeys import vault
from providerkeys.models import BedrockRegion, CredentialCheck, ProviderKey
from providerkeys.models.secret_record import SecretRecord
from providerkeys.providers import http
from providerkeys.vault import Purpose, Sealable, Sealed, SecretUnreadable
from tests.fakeproviders import providers as stand_ins
from tests.fakeproviders import samples
from tests.providerkeys import sample
from tests.providerkeys.offline import Offline
from tests.providerkeys.sample import Door
from tests.trust.controls import Control, Plant, controls
from tests.trust.enc import (
    again,
    checked,
    fresh,
    in_database,
    overwrite,
    returning_what_cannot_be_opened,
    sealable,
)
from tests.trust.holders import HOLDERS, KEY, REGION, Holder, each_holder, sibling_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]

# A token is a version byte, 8 bytes of time, 16 of an initialization vector, ciphertext, and 32 of authentication.
BYTES = {
    "time": 8,
    "vector-first": 9,
    "vector-last": 24,
    "text-first": 25,
    "text-middle": 100,
    "text-last": -33,
    "tag-first": -32,
    "tag-last": -1,
}


def refused(record: SecretRecord, access: Access, door: Door) -> None:
    """Neither opened nor sent anywhere; the record says so, and the audit trail."""
    with pytest.raises(SecretUnreadable):
        vault.reveal(sealable(again(record)), Purpose.CHECK)
    result = checked(access, record)
    assert (result.verdict, result.reason) == ("unreachable", "unreadable")
    assert door.secrets == []
    assert not again(record).readable
    events = AuditEvent.objects.filter(action="provider_key.unreadable", target_id=record.owner.pk)
    assert [(event.result, event.actor_kind) for event in events] == [("refused", "system")]


@each_holder
def test_enc_07_untouched_it_is_opened_and_sent(
    holder: Holder, alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in, secret = Offline(), samples.key(holder.provider, "good")
    monkeypatch.setattr(http, "send", stand_in)
    record = holder.stored(alice_access, secret)
    overwrite(record, in_database(record))

    assert checked(alice_access, record).verdict == "valid"
    assert stand_in.credentials[0] == stand_ins.get(holder.provider).shape.arrives(secret)


@each_holder
@pytest.mark.parametrize("place", [pytest.param(place, id=f"ENC-07-{place}") for place in BYTES])
def test_enc_07_a_flipped_byte_is_refused(place: str, holder: Holder, alice_access: Access, door: Door) -> None:
    record = holder.stored(alice_access)
    token = bytearray(urlsafe_b64decode(in_database(record)))
    token[BYTES[place]] ^= 0x01

    overwrite(record, urlsafe_b64encode(token).decode())

    refused(record, alice_access, door)


def foreign_token(_: str) -> str:
    return Fernet(Fernet.generate_key()).encrypt(b'{"secret": "of somebody else"}').decode()


REPLACEMENTS: dict[str, Callable[[str], str | None]] = {
    "truncated": lambda token: token[:-20],
    "empty": lambda _: "",
    "null": lambda _: None,
    "plaintext": lambda _: fresh(),
    "foreign-token": foreign_token,
    "joined": lambda token: token + token,
    # Base64 as Python reads it forgives all of these (measured), and so does Fernet.
    "joined-to-text": lambda token: token + "and more",
    "line-break": lambda token: token + "\n",
    "inner-blank": lambda token: f"{token[:40]} {token[40:]}",
    "other-alphabet": lambda token: token.translate(str.maketrans("-_", "+/")) + "=",
}
# The column of a region takes no NULL: see below.
FOR_A_REGION: Final = [kind for kind in REPLACEMENTS if kind != "null"]


@each_holder
@pytest.mark.parametrize("kind", [pytest.param(kind, id=f"ENC-08-{kind}") for kind in FOR_A_REGION])
def test_enc_08_what_is_no_token_of_ours_is_refused(
    kind: str, holder: Holder, alice_access: Access, door: Door
) -> None:
    record = holder.stored(alice_access)

    overwrite(record, REPLACEMENTS[kind](in_database(record)))

    refused(record, alice_access, door)


@pytest.mark.parametrize("kind", [pytest.param(kind, id=f"ENC-08-{kind}") for kind in REPLACEMENTS])
@pytest.mark.parametrize("length", [70, 86, 102], ids="{}-characters".format)
def test_enc_08_nor_is_it_whatever_the_length(kind: str, length: int, alice_access: Access, door: Door) -> None:
    # Three lengths: a token ends in one, two or no "=", and what follows a "=" is not read by everybody.
    key = sample.stored(alice_access, fresh()[:length].ljust(length, "x"))

    overwrite(key, REPLACEMENTS[kind](in_database(key)))

    refused(key, alice_access, door)


@each_holder
@pytest.mark.parametrize("text", ["", "sk-plain", "gAAA"], ids=["ENC-08-empty", "ENC-08-plaintext", "ENC-08-nearly"])
def test_enc_08_the_database_itself_takes_nothing_that_starts_otherwise(
    text: str, holder: Holder, alice_access: Access
) -> None:
    record = holder.stored(alice_access)

    with pytest.raises(IntegrityError), transaction.atomic():
        type(record)._default_manager.filter(pk=record.pk).update(credentials=Sealed(text or " "))


def test_enc_08_a_region_without_a_secret_cannot_be_stored(alice_access: Access) -> None:
    record = REGION.stored(alice_access)

    with pytest.raises(IntegrityError), transaction.atomic():
        BedrockRegion.objects.filter(pk=record.pk).update(credentials=None)


# ENC-10: each tampering changes exactly one part of what the envelope names, but for the last one.


@dataclass(frozen=True)
class Twin:
    """A record like another one, but for one part."""

    sealed_field: str
    organization_id: str
    pk: str
    provider: str
    destination: Any
    credentials_version: int

    @classmethod
    def of(cls, record: SecretRecord) -> "Twin":
        return cls(**{name: getattr(record, name) for name in cls.__annotations__})


def write(record: SecretRecord, **columns: Any) -> None:
    type(record)._default_manager.filter(pk=record.pk).update(**columns)


def write_to_key(record: SecretRecord, **columns: Any) -> None:
    ProviderKey.objects.filter(pk=record.owner.pk).update(**columns)


def of_another_record(record: SecretRecord, holder: Holder, access: Access, _: Access) -> None:
    write(record, credentials=holder.stored(access).credentials)


def of_another_organization(record: SecretRecord, _: Holder, __: Access, elsewhere: Access) -> None:
    write_to_key(record, organization=elsewhere.organization)


def of_another_field(record: SecretRecord, holder: Holder, _: Access, __: Access) -> None:
    write(record, credentials=vault.seal(replace(Twin.of(record), sealed_field="candidate"), holder.fresh()))


def of_another_version(record: SecretRecord, _: Holder, __: Access, ___: Access) -> None:
    write(record, credentials_version=F("credentials_version") + 1)


def for_another_provider(record: SecretRecord, _: Holder, __: Access, ___: Access) -> None:
    write_to_key(record, provider="anthropic")


def for_another_destination(record: SecretRecord, holder: Holder, _: Access, __: Access) -> None:
    if holder is REGION:
        write(record, region="eu-west-3")
    else:
        write(record, destination={"location": "us-central1"})


def of_another_row(record: SecretRecord, holder: Holder, access: Access, _: Access) -> None:
    """By somebody at the database's own prompt. The rows of one key are nearest to each other: both are in its form."""
    other = sibling_of(record) if holder is REGION else holder.stored(access)
    table = record._meta.db_table
    sql = f"UPDATE {table} SET credentials = (SELECT credentials FROM {table} WHERE id = %s) WHERE id = %s"
    with connection.cursor() as cursor:
        cursor.execute(sql, [other.pk, record.pk])


TAMPERINGS = {
    "record": of_another_record,
    "organization": of_another_organization,
    "field": of_another_field,
    "version": of_another_version,
    "provider": for_another_provider,
    "destination": for_another_destination,
    "row": of_another_row,
}


@each_holder
@pytest.mark.parametrize("part", [pytest.param(part, id=f"ENC-10-{part}") for part in TAMPERINGS])
def test_enc_10_what_was_sealed_for_something_else_is_refused(
    part: str, holder: Holder, alice_access: Access, charlie_access: Access, door: Door
) -> None:
    record = holder.stored(alice_access)

    TAMPERINGS[part](record, holder, alice_access, charlie_access)

    refused(record, charlie_access if part == "organization" else alice_access, door)


def test_enc_10_a_candidate_of_another_check_is_refused(alice_access: Access, door: Door) -> None:
    one, other = sample.pressed(alice_access), sample.pressed(alice_access, secret=fresh())
    CredentialCheck.objects.filter(pk=one.pk).update(candidate=sample.again(other).candidate)

    with pytest.raises(SecretUnreadable):
        vault.reveal(sample.again(one), Purpose.CHECK)


def test_enc_10_a_row_that_cannot_be_opened_leaves_the_others_alone(alice_access: Access, door: Door) -> None:
    record = REGION.stored(alice_access)
    of_another_row(record, REGION, alice_access, alice_access)

    refused(record, alice_access, door)

    assert sibling_of(record).readable
    assert again(record).owner.readable
    (event,) = AuditEvent.objects.filter(action="provider_key.unreadable")
    assert event.details["region"] == "eu-central-1"


# Defects.


def forgetting(*parts: str) -> Plant:
    binding = vault._binding

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        def incomplete(record: Sealable) -> dict[str, object]:
            return {name: value for name, value in binding(record).items() if name not in parts}

        monkeypatch.setattr(vault, "_binding", incomplete)

    plant.__name__ = f"forgetting_{'_and_'.join(parts)}"
    return plant


# What a copied row differs in.
PARTS = {**{part: (part,) for part in TAMPERINGS}, "row": ("record", "destination")}


def refusing_untold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SecretRecord, "found_unreadable", lambda _: None)


def blaming_the_whole_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BedrockRegion, "found_unreadable", lambda region: region.owner.found_unreadable())


def reading_tokens_as_base64_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "_is_canonical", lambda _: True)


def asking_the_database_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    update = QuerySet.update

    def unless_a_secret(queryset: Any, **columns: Any) -> int:
        return 1 if "credentials" in columns else update(queryset, **columns)

    monkeypatch.setattr(QuerySet, "update", unless_a_secret)


def opening_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def reveal(*_: object) -> str:
        raise SecretUnreadable

    monkeypatch.setattr(vault, "reveal", reveal)


FORGIVEN = ("joined", "joined-to-text", "line-break", "inner-blank")


@controls(
    [
        *(
            Control(test_enc_07_untouched_it_is_opened_and_sent, opening_nothing, {"holder": holder})
            for holder in HOLDERS
        ),
        *(
            Control(
                test_enc_07_a_flipped_byte_is_refused,
                returning_what_cannot_be_opened,
                {"place": place, "holder": holder},
            )
            for place in BYTES
            for holder in HOLDERS
        ),
        *(
            Control(test_enc_07_a_flipped_byte_is_refused, refusing_untold, {"place": "time", "holder": holder})
            for holder in HOLDERS
        ),
        *(
            Control(
                test_enc_08_what_is_no_token_of_ours_is_refused,
                returning_what_cannot_be_opened,
                {"kind": kind, "holder": holder},
            )
            for kind in FOR_A_REGION
            for holder in HOLDERS
        ),
        Control(
            test_enc_08_nor_is_it_whatever_the_length,
            returning_what_cannot_be_opened,
            {"kind": "null", "length": 70},
        ),
        *(
            Control(
                test_enc_08_nor_is_it_whatever_the_length,
                reading_tokens_as_base64_does,
                {"kind": kind, "length": 86},
            )
            for kind in FORGIVEN
        ),
        *(
            Control(
                test_enc_08_the_database_itself_takes_nothing_that_starts_otherwise,
                asking_the_database_for_nothing,
                {"text": "sk-plain", "holder": holder},
            )
            for holder in (KEY, REGION)
        ),
        Control(test_enc_08_a_region_without_a_secret_cannot_be_stored, asking_the_database_for_nothing),
        *(
            Control(
                test_enc_10_what_was_sealed_for_something_else_is_refused,
                forgetting(*PARTS[part]),
                {"part": part, "holder": holder},
            )
            for part in TAMPERINGS
            for holder in HOLDERS
        ),
        Control(test_enc_10_a_candidate_of_another_check_is_refused, forgetting("record")),
        Control(test_enc_10_a_row_that_cannot_be_opened_leaves_the_others_alone, blaming_the_whole_key),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
