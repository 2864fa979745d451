"""ENC-07, -08, -10: what is not exactly what was sealed for this record is refused: by the vault, before any packet."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet
from django.db import IntegrityError, transaction
from django.db.models import F

from organizations.access import Access
from organizations.models import AuditEvent
from providerkeys import vault
from providerkeys.models import CredentialCheck, ProviderKey
from providerkeys.vault import Purpose, Sealable, Sealed, SecretUnreadable
from tests.providerkeys import sample
from tests.providerkeys.sample import Door
from tests.trust.controls import Control, Plant, controls
from tests.trust.enc import (
    checked,
    fresh,
    in_database,
    overwrite,
    returning_what_cannot_be_opened,
)

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


def refused(key: ProviderKey, access: Access, door: Door) -> None:
    """Neither opened nor sent anywhere; the record says so, and the audit trail."""
    with pytest.raises(SecretUnreadable):
        vault.reveal(sample.again(key), Purpose.CHECK)
    result = checked(access, key)
    assert (result.verdict, result.reason) == ("unreachable", "unreadable")
    assert door.secrets == []
    assert not sample.again(key).readable
    events = AuditEvent.objects.filter(action="provider_key.unreadable", target_id=key.pk)
    assert [(event.result, event.actor_kind) for event in events] == [("refused", "system")]


def test_enc_07_untouched_it_is_opened_and_sent(alice_access: Access, door: Door) -> None:
    secret = fresh()
    key = sample.stored(alice_access, secret)
    overwrite(key, in_database(key))

    assert checked(alice_access, key).verdict == "valid"
    assert door.secrets == [secret]


@pytest.mark.parametrize("place", [pytest.param(place, id=f"ENC-07-{place}") for place in BYTES])
def test_enc_07_a_flipped_byte_is_refused(place: str, alice_access: Access, door: Door) -> None:
    key = sample.stored(alice_access)
    token = bytearray(urlsafe_b64decode(in_database(key)))
    token[BYTES[place]] ^= 0x01

    overwrite(key, urlsafe_b64encode(token).decode())

    refused(key, alice_access, door)


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


@pytest.mark.parametrize("kind", [pytest.param(kind, id=f"ENC-08-{kind}") for kind in REPLACEMENTS])
@pytest.mark.parametrize("length", [70, 86, 102], ids="{}-characters".format)
def test_enc_08_what_is_no_token_of_ours_is_refused(kind: str, length: int, alice_access: Access, door: Door) -> None:
    # Three lengths: a token ends in one, two or no "=", and what follows a "=" is not read by everybody.
    key = sample.stored(alice_access, fresh()[:length].ljust(length, "x"))

    overwrite(key, REPLACEMENTS[kind](in_database(key)))

    refused(key, alice_access, door)


@pytest.mark.parametrize("text", ["", "sk-plain", "gAAA"], ids=["ENC-08-empty", "ENC-08-plaintext", "ENC-08-nearly"])
def test_enc_08_the_database_itself_takes_nothing_that_starts_otherwise(text: str, alice_access: Access) -> None:
    key = sample.stored(alice_access)

    with pytest.raises(IntegrityError), transaction.atomic():
        ProviderKey.objects.filter(pk=key.pk).update(credentials=Sealed(text or " "))


# ENC-10: each tampering changes exactly one part of what the envelope names.


def of_another_record(key: ProviderKey, access: Access, _: Access) -> None:
    other = sample.stored(access, fresh())
    ProviderKey.objects.filter(pk=key.pk).update(credentials=other.credentials)


def of_another_organization(key: ProviderKey, _: Access, elsewhere: Access) -> None:
    ProviderKey.objects.filter(pk=key.pk).update(organization=elsewhere.organization)


def of_another_field(key: ProviderKey, access: Access, _: Access) -> None:
    check = CredentialCheck(pk=key.pk, organization=access.organization, provider=key.provider)
    ProviderKey.objects.filter(pk=key.pk).update(credentials=vault.seal(check, fresh()))


def of_another_version(key: ProviderKey, _: Access, __: Access) -> None:
    ProviderKey.objects.filter(pk=key.pk).update(credentials_version=F("credentials_version") + 1)


def for_another_provider(key: ProviderKey, _: Access, __: Access) -> None:
    ProviderKey.objects.filter(pk=key.pk).update(provider="anthropic")


def for_another_destination(key: ProviderKey, _: Access, __: Access) -> None:
    ProviderKey.objects.filter(pk=key.pk).update(destination={"endpoint": "evil.example"})


TAMPERINGS = {
    "record": of_another_record,
    "organization": of_another_organization,
    "field": of_another_field,
    "version": of_another_version,
    "provider": for_another_provider,
    "destination": for_another_destination,
}


@pytest.mark.parametrize("part", [pytest.param(part, id=f"ENC-10-{part}") for part in TAMPERINGS])
def test_enc_10_what_was_sealed_for_something_else_is_refused(
    part: str, alice_access: Access, charlie_access: Access, door: Door
) -> None:
    key = sample.stored(alice_access)

    TAMPERINGS[part](key, alice_access, charlie_access)

    refused(key, charlie_access if part == "organization" else alice_access, door)


def test_enc_10_a_candidate_of_another_check_is_refused(alice_access: Access, door: Door) -> None:
    one, other = sample.pressed(alice_access), sample.pressed(alice_access, secret=fresh())
    CredentialCheck.objects.filter(pk=one.pk).update(candidate=sample.again(other).candidate)

    with pytest.raises(SecretUnreadable):
        vault.reveal(sample.again(one), Purpose.CHECK)


# Defects.


def forgetting(part: str) -> Plant:
    binding = vault._binding

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        def incomplete(record: Sealable) -> dict[str, object]:
            return {name: value for name, value in binding(record).items() if name != part}

        monkeypatch.setattr(vault, "_binding", incomplete)

    return plant


def refusing_untold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProviderKey, "found_unreadable", lambda _: None)


def reading_tokens_as_base64_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "_is_canonical", lambda _: True)


def asking_the_database_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def update(_: object, **__: object) -> int:
        return 1

    monkeypatch.setattr("providerkeys.models.provider_key.ProviderKeyQuerySet.update", update)


FORGIVEN = ("joined", "joined-to-text", "line-break", "inner-blank")


@controls(
    [
        *(
            Control(test_enc_07_a_flipped_byte_is_refused, returning_what_cannot_be_opened, {"place": place})
            for place in BYTES
        ),
        Control(test_enc_07_a_flipped_byte_is_refused, refusing_untold, {"place": "time"}),
        *(
            Control(
                test_enc_08_what_is_no_token_of_ours_is_refused,
                returning_what_cannot_be_opened,
                {"kind": kind, "length": 70},
            )
            for kind in REPLACEMENTS
        ),
        *(
            Control(
                test_enc_08_what_is_no_token_of_ours_is_refused,
                reading_tokens_as_base64_does,
                {"kind": kind, "length": 86},
            )
            for kind in FORGIVEN
        ),
        Control(
            test_enc_08_the_database_itself_takes_nothing_that_starts_otherwise,
            asking_the_database_for_nothing,
            {"text": "sk-plain"},
        ),
        *(
            Control(test_enc_10_what_was_sealed_for_something_else_is_refused, forgetting(part), {"part": part})
            for part in TAMPERINGS
        ),
        Control(test_enc_10_a_candidate_of_another_check_is_refused, forgetting("record")),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
