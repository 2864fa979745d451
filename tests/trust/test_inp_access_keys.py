"""INP: rows of region, access key ID and secret access key."""

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms

from providerkeys.forms import CredentialsForm, regions
from providerkeys.models import BedrockRegion, CredentialCheck
from tests.trust.controls import Control, Plant, controls
from tests.trust.inp import Desk, Office, ids, judge
from tests.trust.inp_defects import WHATEVER_IS_REFUSED, named
from tests.trust.inputs import access_keys
from tests.trust.inputs.table import Input

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def office(django_db_setup: None, django_db_blocker: Any) -> Iterator[Office]:
    with Office.standing(django_db_blocker, access_keys.PROVIDER) as office:
        yield office


@pytest.fixture
def desk(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with office.desk(monkeypatch) as desk:
        yield desk


@pytest.mark.parametrize("given", ids(access_keys.INPUTS))
def test_inp_access_key(given: Input, desk: Desk) -> None:
    judge(desk, given)


@pytest.mark.parametrize("kept", access_keys.KEPT)
def test_inp_access_key_is_kept(kept: str, desk: Desk) -> None:
    """What stands for the stored row, its own hint among it, leaves it byte for byte as it is."""
    stored = desk.stored(access_keys.PROVIDER)
    before = BedrockRegion.objects.values().get()
    fields = {"regions-0-region": access_keys.STORED_REGION, **access_keys.kept(kept)}
    for into in (None, "sheet"):
        data = {"name": stored.name, "version": stored.version, "assign_to_organization": "on", **fields}
        assert desk.console.post(f"provider-keys/{stored.pk}/", data, into=into).status_code in {200, 302}
        assert BedrockRegion.objects.values().get() == before
    for into in (None, "test-result"):
        assert desk.console.post(f"provider-keys/{stored.pk}/checks/", fields, into=into).status_code in {200, 302}
    assert {check.candidate for check in CredentialCheck.objects.all()} == {None}


# Defects


def taking_any_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "clean_id", str.strip)


def taking_any_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "clean_secret", str.strip)


def taking_any_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms.ChoiceField, "valid_value", lambda *_: True)


def showing_whatever_was_typed_as_an_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions.RegionForm, "shown_id", property(lambda row: row["access_key_id"].value()))


def taking_a_region_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "_refuse_duplicates", lambda _: False)


def counting_no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "MOST_ROWS", 50)


def asking_for_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions.RegionsField, "required", property(lambda _: False, lambda *_: None), raising=False)


def saving_the_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions.RegionForm, "_is_stored_id", lambda *_: False)
    monkeypatch.setattr(regions, "clean_id", str.strip)
    monkeypatch.setattr(regions, "clean_secret", str.strip)
    monkeypatch.setattr(regions.RegionForm, "is_edit", False, raising=False)


def saying_nothing_of_its_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CredentialsForm, "shape_hint", "")


PLANTED: list[tuple[Plant, list[str]]] = [
    (taking_any_id, ["a temporary id", "a masked id", "an id too short", "a NUL in the id", "exports"]),
    (taking_any_secret, ["a secret that is url-encoded", "a secret too long", "the id as the secret", "exports"]),
    (taking_any_region, ["a host as the region", "a region that is none"]),
    (showing_whatever_was_typed_as_an_id, ["the secret as the id"]),
    (taking_a_region_twice, ["a region twice"]),
    (counting_no_rows, ["41 rows"]),
    (asking_for_no_row, ["no row"]),
    (saying_nothing_of_its_shape, ["an id of unusual letters"]),
    *((plant, ["a Bedrock API key as the secret"]) for plant in WHATEVER_IS_REFUSED),
]


@controls(
    [
        *(
            Control(test_inp_access_key, plant, named(access_keys.INPUTS, name))
            for plant, planted in PLANTED
            for name in planted
        ),
        Control(test_inp_access_key_is_kept, saving_the_hint, {"kept": "the hint of the stored id"}),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
