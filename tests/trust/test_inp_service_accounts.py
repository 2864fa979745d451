"""INP: what is pasted as a service account, and typed as its location, is refused by its field wherever it is sent."""

from collections.abc import Iterator
from typing import Any

import pytest

from providerkeys.forms import CredentialsForm
from providerkeys.forms.service_account import LocationField
from providerkeys.providers import rsa_pem, service_account
from tests.trust.controls import Control, Plant, controls
from tests.trust.inp import Desk, Office, ids, judge
from tests.trust.inp_defects import WHATEVER_IS_REFUSED, named
from tests.trust.inputs import service_accounts
from tests.trust.inputs.table import Input

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def office(django_db_setup: None, django_db_blocker: Any) -> Iterator[Office]:
    with Office.standing(django_db_blocker, service_accounts.PROVIDER) as office:
        yield office


@pytest.fixture
def desk(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with office.desk(monkeypatch) as desk:
        yield desk


@pytest.mark.parametrize("given", ids(service_accounts.INPUTS))
def test_inp_service_account(given: Input, desk: Desk) -> None:
    judge(desk, given)


# Defects


def looking_at_no_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_account, "_refuse_other_types", lambda _: None)


def looking_at_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_account, "_refuse_other_addresses", lambda _: None)


def taking_the_last_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_account, "_without_duplicates", dict)


def taking_what_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_account, "_no_constant", float)


def taking_any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_account, "MAX_BYTES", 10**7)


def taking_any_text(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = service_account._text
    monkeypatch.setattr(service_account, "_text", lambda fields, name, *_: honest(fields, name))


def taking_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rsa_pem, "_LEAST_BITS", 1)
    monkeypatch.setattr(rsa_pem, "_MOST_BITS", 10**6)


def keeping_the_key_as_it_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rsa_pem, "normalized", lambda _, pasted: pasted)


def taking_any_location(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocationField, "clean", lambda _, value: value or "global")


def saying_nothing_of_its_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CredentialsForm, "shape_hint", "")


PLANTED: list[tuple[Plant, list[str]]] = [
    (looking_at_no_type, ["type 'authorized_user'", "type 'external_account'", "type 'gdch_service_account'"]),
    (looking_at_no_address, ["token_uri 'http://127.0.0.1/token'", "universe_domain 'evil.example'"]),
    (taking_the_last_of_two, ["a field twice", "a field twice inside"]),
    (taking_what_is_no_number, ["NaN"]),
    (taking_any_length, ["17 KiB", "100,000 levels"]),
    (taking_any_text, ["project_id 'evil.com/#'", "client_email 'someone@gmail.com'"]),
    (taking_any_size, ["private_key of 512 bits", "private_key of 16384 bits"]),
    (keeping_the_key_as_it_was_typed, ["private_key encrypted", "private_key elliptic", "PEM in the traditional form"]),
    (taking_any_location, ["a host as the location"]),
    (saying_nothing_of_its_shape, ["an account of another project"]),
    *((plant, ["private_key public"]) for plant in WHATEVER_IS_REFUSED),
]


@controls(
    Control(test_inp_service_account, plant, named(service_accounts.INPUTS, name))
    for plant, planted in PLANTED
    for name in planted
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
