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
from providerkeys.models import ProviderKey
from providerkeys.vault import Sealable, Sealed
from tests.providerkeys import sample
from tests.trust.controls import Control, controls
from tests.trust.enc import COLUMN, fresh, in_database, layers, opened, the_librarys_own_field

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def refusing(_: object) -> NoReturn:
    raise ValidationError("No value is good enough.")


def reject_a_form() -> None:
    """Fill in a form of every column that Django would put into one, where a validator of the secret's says no."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(COLUMN, "validators", [refusing])
        form = modelform_factory(ProviderKey, fields="__all__")({"credentials": "typed"})
        assert not form.is_valid()


def reject(**error: object) -> None:
    """Have ``full_clean`` raise for the secret's column, and for another one."""
    with pytest.MonkeyPatch.context() as patched:
        value = error.pop("value", None)
        for name, rule in error.items():
            patched.setattr(COLUMN, name, rule)
        key = ProviderKey(name="")
        vars(key)["credentials"] = value
        with pytest.raises((ValidationError, TypeError)):
            key.full_clean()


COLUMN_ERRORS: dict[str, dict[str, object]] = {
    "null": {"null": False},
    "blank": {"blank": False},
    "validator": {"validators": [refusing], "value": "typed"},
    "empty": {"value": ""},
}
each_error = pytest.mark.parametrize("kind", [pytest.param(kind, id=f"ENC-03-{kind}") for kind in COLUMN_ERRORS])


def test_enc_01_after_a_rejected_form_another_row_still_opens(alice_access: Access) -> None:
    secret = fresh()
    key = sample.stored(alice_access, secret)

    reject_a_form()

    assert opened(key) == secret


def test_enc_02_after_a_rejected_form_a_save_encrypts_once(alice_access: Access) -> None:
    secret = fresh()
    key = sample.stored(alice_access, secret)
    before = in_database(key)

    reject_a_form()
    sample.again(key).save()

    assert (opened(key), layers(key)) == (secret, 1)
    assert in_database(key) == before


@each_error
def test_enc_03_after_a_failed_full_clean_another_row_still_opens(kind: str, alice_access: Access) -> None:
    secret = fresh()
    key = sample.stored(alice_access, secret)

    reject(**COLUMN_ERRORS[kind])

    assert opened(key) == secret


def by_update(key: ProviderKey) -> None:
    assert ProviderKey.objects.filter(pk=key.pk).update(credentials=key.credentials) == 1


def by_bulk_update(key: ProviderKey) -> None:
    assert ProviderKey.objects.bulk_update([key], ["credentials"]) == 1


def by_bulk_create(key: ProviderKey) -> None:
    ProviderKey.objects.filter(pk=key.pk).delete()
    ProviderKey.objects.bulk_create([key])


def written_back(write: Callable[[ProviderKey], None], access: Access) -> None:
    secret = fresh()
    key = sample.stored(access, secret)
    reject_a_form()

    write(sample.again(key))

    assert (opened(key), layers(key)) == (secret, 1)


def test_enc_04_update_leaves_one_layer(alice_access: Access) -> None:
    written_back(by_update, alice_access)


def test_enc_05_bulk_update_leaves_one_layer(alice_access: Access) -> None:
    written_back(by_bulk_update, alice_access)


def test_enc_06_bulk_create_leaves_one_layer(alice_access: Access) -> None:
    written_back(by_bulk_create, alice_access)


@pytest.mark.parametrize("value", ["plain", "gAAAAABfake", b"plain", Sealed()], ids=["text", "token", "bytes", "empty"])
@pytest.mark.parametrize(
    "write", [Model.save, by_update, by_bulk_update, by_bulk_create], ids=lambda write: write.__name__
)
def test_enc_04_05_06_no_way_in_takes_what_the_vault_has_not_sealed(
    write: Callable[[ProviderKey], None], value: object, alice_access: Access
) -> None:
    key = sample.stored(alice_access)
    vars(key)["credentials"] = value

    with pytest.raises(TypeError, match="only what the vault has sealed"):
        write(key)


def test_enc_11_one_secret_saved_again_is_another_ciphertext(alice_access: Access) -> None:
    secret = fresh()
    first, second = sample.stored(alice_access, secret), sample.stored(alice_access, secret)
    before = in_database(first)

    sample.replaced(alice_access, first, secret)
    sealed_twice = vault.seal(second, secret), vault.seal(second, secret)

    assert len({before, in_database(first), in_database(second), *(str(one._token) for one in sealed_twice)}) == 5
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
            Control(case, the_librarys_own_field)
            for case in (
                test_enc_01_after_a_rejected_form_another_row_still_opens,
                test_enc_02_after_a_rejected_form_a_save_encrypts_once,
                test_enc_04_update_leaves_one_layer,
                test_enc_05_bulk_update_leaves_one_layer,
                test_enc_06_bulk_create_leaves_one_layer,
            )
        ),
        *(
            Control(
                test_enc_03_after_a_failed_full_clean_another_row_still_opens, the_librarys_own_field, {"kind": kind}
            )
            for kind in COLUMN_ERRORS
        ),
        *(
            Control(
                test_enc_04_05_06_no_way_in_takes_what_the_vault_has_not_sealed,
                taking_anything,
                {"write": write, "value": "gAAAAABfake"},
            )
            for write in (Model.save, by_update, by_bulk_update, by_bulk_create)
        ),
        Control(test_enc_11_one_secret_saved_again_is_another_ciphertext, sealing_equal_secrets_alike),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
