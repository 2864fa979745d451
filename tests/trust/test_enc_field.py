"""ENC-01…06, -11: what the column makes of a value, whatever went wrong in the process before.

Measured on the library's own field: one rejected form makes every later read of the column in this process return
ciphertext, and the next write encrypts it again.
"""

from collections.abc import Callable
from typing import NoReturn

import pytest
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import modelform_factory

from organizations.access import Access
from providerkeys import vault
from providerkeys.models.secret_record import SecretRecord
from providerkeys.vault import Sealable, Sealed
from tests.trust.controls import Control, controls
from tests.trust.enc import MODELS, again, column_of, in_database, layers, opened, sealable, the_librarys_own_field
from tests.trust.holders import HOLDERS, Holder, each_holder

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def refusing(_: object) -> NoReturn:
    raise ValidationError("No value is good enough.")


def reject_a_form() -> None:
    """Fill in a form of every column that Django would put into one, where a validator of the secret's says no."""
    for model in MODELS:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(column_of(model), "validators", [refusing])
            form = modelform_factory(model, fields="__all__")({"credentials": "typed"})
            assert not form.is_valid()


def reject(**error: object) -> None:
    """Have ``full_clean`` raise for the secret's column, and for another one."""
    value = error.pop("value", None)
    for model in MODELS:
        with pytest.MonkeyPatch.context() as patched:
            for name, rule in error.items():
                patched.setattr(column_of(model), name, rule)
            record = model()
            vars(record)["credentials"] = value
            with pytest.raises((ValidationError, TypeError)):
                record.full_clean()


COLUMN_ERRORS: dict[str, dict[str, object]] = {
    "null": {"null": False},
    "blank": {"blank": False},
    "validator": {"validators": [refusing], "value": "typed"},
    "empty": {"value": ""},
}
each_error = pytest.mark.parametrize("kind", [pytest.param(kind, id=f"ENC-03-{kind}") for kind in COLUMN_ERRORS])


@each_holder
def test_enc_01_after_a_rejected_form_another_row_still_opens(holder: Holder, alice_access: Access) -> None:
    secret = holder.fresh()
    record = holder.stored(alice_access, secret)

    reject_a_form()

    assert opened(record) == secret


@each_holder
def test_enc_02_after_a_rejected_form_a_save_encrypts_once(holder: Holder, alice_access: Access) -> None:
    secret = holder.fresh()
    record = holder.stored(alice_access, secret)
    before = in_database(record)

    reject_a_form()
    again(record).save()

    assert (opened(record), layers(record)) == (secret, 1)
    assert in_database(record) == before


@each_holder
@each_error
def test_enc_03_after_a_failed_full_clean_another_row_still_opens(
    kind: str, holder: Holder, alice_access: Access
) -> None:
    secret = holder.fresh()
    record = holder.stored(alice_access, secret)

    reject(**COLUMN_ERRORS[kind])

    assert opened(record) == secret


def by_update(record: SecretRecord) -> None:
    assert type(record)._default_manager.filter(pk=record.pk).update(credentials=record.credentials) == 1


def by_bulk_update(record: SecretRecord) -> None:
    assert type(record)._default_manager.bulk_update([record], ["credentials"]) == 1


def by_bulk_create(record: SecretRecord) -> None:
    type(record)._default_manager.filter(pk=record.pk).delete()
    type(record)._default_manager.bulk_create([record])


def written_back(write: Callable[[SecretRecord], None], holder: Holder, access: Access) -> None:
    secret = holder.fresh()
    record = holder.stored(access, secret)
    reject_a_form()

    write(again(record))

    assert (opened(record), layers(record)) == (secret, 1)


@each_holder
def test_enc_04_update_leaves_one_layer(holder: Holder, alice_access: Access) -> None:
    written_back(by_update, holder, alice_access)


@each_holder
def test_enc_05_bulk_update_leaves_one_layer(holder: Holder, alice_access: Access) -> None:
    written_back(by_bulk_update, holder, alice_access)


@each_holder
def test_enc_06_bulk_create_leaves_one_layer(holder: Holder, alice_access: Access) -> None:
    written_back(by_bulk_create, holder, alice_access)


@each_holder
@pytest.mark.parametrize("value", ["plain", "gAAAAABfake", b"plain", Sealed()], ids=["text", "token", "bytes", "empty"])
@pytest.mark.parametrize(
    "write", [Model.save, by_update, by_bulk_update, by_bulk_create], ids=lambda write: write.__name__
)
def test_enc_04_05_06_no_way_in_takes_what_the_vault_has_not_sealed(
    write: Callable[[SecretRecord], None], value: object, holder: Holder, alice_access: Access
) -> None:
    record = holder.stored(alice_access)
    vars(record)["credentials"] = value

    with pytest.raises(TypeError, match="only what the vault has sealed"):
        write(record)


@each_holder
def test_enc_11_one_secret_saved_again_is_another_ciphertext(holder: Holder, alice_access: Access) -> None:
    secret = holder.fresh()
    first, second = holder.stored(alice_access, secret), holder.stored(alice_access, secret)
    before = in_database(first)

    holder.replace(alice_access, first, holder.fresh())
    holder.replace(alice_access, first, secret)
    sealed_twice = [str(vault.seal(sealable(second), secret)._token) for _ in range(2)]

    assert len({before, in_database(first), in_database(second), *sealed_twice}) == 5
    assert opened(first) == opened(second) == secret


def sealing_equal_secrets_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Sealed] = {}
    seal = vault.seal

    def remembering(record: Sealable, secret: str) -> Sealed:
        return made.setdefault(secret, seal(record, secret))

    monkeypatch.setattr(vault, "seal", remembering)


def taking_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault.SealedTextField, "get_prep_value", lambda _, value: getattr(value, "_token", value))


@controls(
    [
        *(
            Control(case, the_librarys_own_field, {"holder": holder})
            for case in (
                test_enc_01_after_a_rejected_form_another_row_still_opens,
                test_enc_02_after_a_rejected_form_a_save_encrypts_once,
                test_enc_04_update_leaves_one_layer,
                test_enc_05_bulk_update_leaves_one_layer,
                test_enc_06_bulk_create_leaves_one_layer,
            )
            for holder in HOLDERS
        ),
        *(
            Control(
                test_enc_03_after_a_failed_full_clean_another_row_still_opens,
                the_librarys_own_field,
                {"kind": kind, "holder": holder},
            )
            for kind in COLUMN_ERRORS
            for holder in HOLDERS
        ),
        *(
            Control(
                test_enc_04_05_06_no_way_in_takes_what_the_vault_has_not_sealed,
                taking_anything,
                {"write": write, "value": "gAAAAABfake", "holder": holder},
            )
            for write in (Model.save, by_update, by_bulk_update, by_bulk_create)
            for holder in HOLDERS
        ),
        *(
            Control(
                test_enc_11_one_secret_saved_again_is_another_ciphertext,
                sealing_equal_secrets_alike,
                {"holder": holder},
            )
            for holder in HOLDERS
        ),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
