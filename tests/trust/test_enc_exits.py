"""ENC-12, -15: where a secret might be read without the vault: the database's columns, and all that Python can print."""

import copy
import json
import pickle
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import cache, partial
from io import StringIO
from typing import Any, Final

import pytest
from django.core import serializers
from django.core.management import call_command
from django.db import connection
from django.forms import model_to_dict

from organizations.access import Access
from providerkeys import vault
from providerkeys.models import BedrockRegion, CredentialCheck, ProviderKey, check_run
from providerkeys.models.secret_record import SecretRecord
from providerkeys.providers import aws_access_key
from providerkeys.providers.base import ApiKeyProvider
from providerkeys.vault import Purpose
from tests.providerkeys import regions, sample
from tests.providerkeys.sample import Door
from tests.trust.canary import Canary, Search
from tests.trust.controls import Control, controls
from tests.trust.enc import again, sealable, the_librarys_own_field
from tests.trust.holders import ACCOUNT, HOLDERS, Holder, each_holder

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def canaries(count: int, provider: str = "openai") -> list[Canary]:
    return [Canary.provider_key(f"{provider} key {number}", provider, "good") for number in range(count)]


@cache
def account() -> Canary:
    """A service account with a key of its own, which takes half a second."""
    (canary,) = canaries(1, ACCOUNT.provider)
    return canary


def columns() -> Iterator[tuple[str, bytes]]:
    """Each column of each table, with all that it holds."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names, rows = [column[0] for column in cursor.description], cursor.fetchall()
            for name, cells in zip(names, zip(*rows, strict=True), strict=False):
                yield f"{table}.{name}", b"\n".join(map(as_bytes, cells))


def as_bytes(cell: Any) -> bytes:
    return bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()


def save_fifty_times(access: Access, secrets: list[Canary]) -> None:
    """Thirty new keys, half of them replaced, and five typed ones tested; of all the checks every second has run."""
    created, replaced, typed = secrets[:30], secrets[30:45], secrets[45:]
    saved = [sample.saved(access, canary.value) for canary in created]
    for canary, (key, _) in zip(replaced, saved, strict=False):
        sample.replaced(access, key, canary.value)
    checks = [check for _, check in saved if check]
    checks += [sample.pressed(access, secret=canary.value) for canary in typed]
    for check in checks[::2]:
        check_run.run(check.pk)


def save_in_three_regions(access: Access, secrets: list[Canary]) -> None:
    """Two regions saved, the second one's key replaced; another key of the first one tested, with a wrong one beside it."""
    one, two, three, four = secrets
    saved = regions.rows("us-east-1", key=one.value) + regions.rows("eu-central-1", key=two.value)
    key = ProviderKey.create(access, "bedrock", regions.draft(saved))
    regions.changed(access, key, *regions.kept("us-east-1"), *regions.rows("eu-central-1", key=three.value))
    regions.pressed(access, *regions.rows("us-west-2", key=four.value), *regions.rows("us-east-1", key=one.value))


@pytest.mark.long
def test_enc_12_no_column_shows_a_part_of_a_secret(alice_access: Access, door: Door, settings: Any) -> None:
    settings.CHECKS_UNFINISHED = 100
    secrets, pairs = canaries(50), canaries(4, "bedrock")

    save_fifty_times(alice_access, secrets)
    save_in_three_regions(alice_access, pairs)
    ACCOUNT.stored(alice_access, account().value)
    CredentialCheck.press(alice_access, ACCOUNT.provider, [sample.typed(alice_access, account().value)])

    found = dict(columns())
    search = Search([*secrets, *pairs, account()])
    assert found["providerkeys_providerkey.credentials"].count(vault.TOKEN_START.encode()) == 31
    assert found["providerkeys_bedrockregion.credentials"].count(vault.TOKEN_START.encode()) == 2
    assert found["providerkeys_credentialcheck.candidate"].count(vault.TOKEN_START.encode()) == 4
    assert {hit for name, cells in found.items() for hit in search.hits(name, cells)} == set()


def command(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def serialized(kind: str, record: SecretRecord) -> object:
    return serializers.serialize(kind, [record])


def objects(record: SecretRecord) -> Any:
    return type(record)._default_manager


EXITS: dict[str, Callable[[SecretRecord], object]] = {
    "values": lambda record: list(objects(record).values()),
    "values-list": lambda record: list(objects(record).values_list()),
    "in-bulk": lambda record: [vars(one) for one in objects(record).in_bulk().values()],
    "raw": lambda record: [vars(one) for one in objects(record).raw(f"SELECT * FROM {record._meta.db_table}")],
    "model-to-dict": model_to_dict,
    "model-to-dict-by-name": lambda record: model_to_dict(record, fields=["credentials"]),
    **{f"serializer-{kind}": partial(serialized, kind) for kind in ("python", "json", "jsonl", "xml")},
    "dumpdata": lambda _: command("dumpdata", "providerkeys"),
    "deepcopy": lambda record: vars(copy.deepcopy(record)),
    "copy": lambda record: vars(copy.copy(record)),
    "pickle": pickle.dumps,
    "pickled-queryset": lambda record: pickle.dumps(objects(record).all()),
    "repr": lambda record: repr((record, record.credentials)),
    "str": lambda record: f"{record} {record.credentials} {record.credentials!s} {record.credentials:>40}",
    "vars": vars,
    "json": lambda record: json.dumps(vars(record), default=str),
}


def canary_for(holder: Holder) -> Canary:
    return account() if holder is ACCOUNT else canaries(1, holder.provider)[0]


@each_holder
@pytest.mark.parametrize("way", [pytest.param(way, id=f"ENC-15-{way}") for way in EXITS])
def test_enc_15_no_way_out_shows_the_secret(way: str, holder: Holder, alice_access: Access) -> None:
    secret = canary_for(holder)
    record = again(holder.stored(alice_access, secret.value))

    out = EXITS[way](record)

    shown = out if isinstance(out, bytes) else str(out).encode()
    assert Search([secret]).hits(way, shown) == set()
    # Nor the ciphertext: it is worth keeping from whoever may hold our keys one day.
    assert vault.TOKEN_START.encode() not in shown


@each_holder
def test_enc_15_a_dump_shows_that_there_is_a_secret_and_no_more(holder: Holder, alice_access: Access) -> None:
    record = holder.stored(alice_access)
    label = record._meta.label_lower

    dumped = json.loads(command("dumpdata", label))

    fields = next(one["fields"] for one in dumped if one["pk"] == record.pk)
    assert fields["credentials"] == vault.MASK


@each_holder
def test_enc_15_json_refuses_a_sealed_value(holder: Holder, alice_access: Access) -> None:
    record = again(holder.stored(alice_access))

    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(record.credentials)


# Defects.


def a_hint_that_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApiKeyProvider, "hint", lambda _, credential: credential.secret)


def half_a_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApiKeyProvider, "hint", lambda _, credential: f"…{credential.secret[-40:]}")


def a_fingerprint_that_can_be_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "fingerprint", lambda _, secret, __: b64encode(secret.encode()).decode()[:64])


def secrets_in_the_audit_trail(monkeypatch: pytest.MonkeyPatch) -> None:
    def facts(key: ProviderKey) -> dict[str, Any]:
        return {"after": [vault.reveal(sealable(record), Purpose.CHECK) for record in key.secrets]}

    monkeypatch.setattr(ProviderKey, "facts", facts)


def a_mask_of_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    hint = property(lambda key: f"{key.id[:16]}…{key.secret[-4:]}")
    monkeypatch.setattr(aws_access_key.AccessKey, "hint", hint)


def an_id_that_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BedrockRegion, "_fingerprint_of", lambda _, access_key_id: access_key_id)


DEFECTS: Final = (
    a_hint_that_hides_nothing,
    half_a_mask,
    a_fingerprint_that_can_be_undone,
    secrets_in_the_audit_trail,
    a_mask_of_both_ends,
    an_id_that_is_no_secret,
)


@controls(
    [
        *(Control(test_enc_12_no_column_shows_a_part_of_a_secret, plant) for plant in DEFECTS),
        *(
            Control(case, the_librarys_own_field, {**way, "holder": holder})
            for case, ways in (
                (test_enc_15_no_way_out_shows_the_secret, [{"way": way} for way in EXITS]),
                (test_enc_15_a_dump_shows_that_there_is_a_secret_and_no_more, [{}]),
                (test_enc_15_json_refuses_a_sealed_value, [{}]),
            )
            for way in ways
            for holder in HOLDERS
        ),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
