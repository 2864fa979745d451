"""ENC-12, -15: where a secret might be read without the vault: the database's columns, and all that Python can print."""

import copy
import json
import pickle
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core import serializers
from django.core.management import call_command
from django.db import connection
from django.forms import model_to_dict

from organizations.access import Access
from providerkeys import vault
from providerkeys.models import ProviderKey, check_run
from providerkeys.providers.base import ApiKeyProvider
from providerkeys.vault import Purpose
from tests.providerkeys import sample
from tests.providerkeys.sample import Door
from tests.trust.canary import Canary, Search
from tests.trust.controls import Control, controls
from tests.trust.enc import the_librarys_own_field

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def canaries(count: int) -> list[Canary]:
    return [Canary.provider_key(f"key {number}", "openai", "good") for number in range(count)]


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


def test_enc_12_no_column_shows_a_part_of_a_secret(alice_access: Access, door: Door, settings: Any) -> None:
    settings.CHECKS_UNFINISHED = 100
    secrets = canaries(50)

    save_fifty_times(alice_access, secrets)

    found = dict(columns())
    search = Search(secrets)
    assert found["providerkeys_providerkey.credentials"].count(vault.TOKEN_START.encode()) == 30
    assert found["providerkeys_credentialcheck.candidate"].count(vault.TOKEN_START.encode()) == 2
    assert {hit for name, cells in found.items() for hit in search.hits(name, cells)} == set()


def command(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def serialized(kind: str, key: ProviderKey) -> object:
    return serializers.serialize(kind, [key])


EXITS: dict[str, Callable[[ProviderKey], object]] = {
    "values": lambda _: list(ProviderKey.objects.values()),
    "values-list": lambda _: list(ProviderKey.objects.values_list()),
    "in-bulk": lambda _: [vars(key) for key in ProviderKey.objects.in_bulk().values()],
    "raw": lambda _: [vars(key) for key in ProviderKey.objects.raw("SELECT * FROM providerkeys_providerkey")],
    "model-to-dict": model_to_dict,
    "model-to-dict-by-name": lambda key: model_to_dict(key, fields=["credentials"]),
    **{f"serializer-{kind}": partial(serialized, kind) for kind in ("python", "json", "jsonl", "xml")},
    "dumpdata": lambda _: command("dumpdata", "providerkeys"),
    "deepcopy": lambda key: vars(copy.deepcopy(key)),
    "copy": lambda key: vars(copy.copy(key)),
    "pickle": pickle.dumps,
    "pickled-queryset": lambda _: pickle.dumps(ProviderKey.objects.all()),
    "repr": lambda key: repr((key, key.credentials)),
    "str": lambda key: f"{key} {key.credentials} {key.credentials:>40} %s" % key.credentials,
    "vars": vars,
    "json": lambda key: json.dumps(vars(key), default=str),
}


@pytest.mark.parametrize("way", [pytest.param(way, id=f"ENC-15-{way}") for way in EXITS])
def test_enc_15_no_way_out_shows_the_secret(way: str, alice_access: Access) -> None:
    secret = canaries(1)[0]
    key = sample.again(sample.stored(alice_access, secret.value))

    out = EXITS[way](key)

    shown = out if isinstance(out, bytes) else str(out).encode()
    assert Search([secret]).hits(way, shown) == set()
    # Nor the ciphertext: it is worth keeping from whoever may hold our keys one day.
    assert vault.TOKEN_START.encode() not in shown


def test_enc_15_json_refuses_a_sealed_value(alice_access: Access) -> None:
    key = sample.again(sample.stored(alice_access))

    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(key.credentials)


# Defects.


def a_hint_that_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApiKeyProvider, "hint", lambda _, credential: credential.secret)


def half_a_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApiKeyProvider, "hint", lambda _, credential: f"…{credential.secret[-40:]}")


def a_fingerprint_that_can_be_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "fingerprint", lambda _, secret, __: b64encode(secret.encode()).decode()[:64])


def secrets_in_the_audit_trail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProviderKey, "_facts", lambda key: {"after": vault.reveal(key, Purpose.CHECK)})


@controls(
    [
        *(
            Control(test_enc_12_no_column_shows_a_part_of_a_secret, plant)
            for plant in (
                a_hint_that_hides_nothing,
                half_a_mask,
                a_fingerprint_that_can_be_undone,
                secrets_in_the_audit_trail,
            )
        ),
        *(Control(test_enc_15_no_way_out_shows_the_secret, the_librarys_own_field, {"way": way}) for way in EXITS),
        Control(test_enc_15_json_refuses_a_sealed_value, the_librarys_own_field),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
