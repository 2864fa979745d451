"""INP: what is pasted as an API key is cleaned, hinted at, or refused in the same words at every form that takes one."""

from collections.abc import Iterator
from typing import Any

import pytest

from providerkeys.forms import CredentialsForm, fields
from providerkeys.providers import lint
from providerkeys.providers.lint import Linted, Refused
from tests.trust.controls import Control, Plant, controls
from tests.trust.inp import Desk, Office, ids, judge
from tests.trust.inp_defects import WHATEVER_IS_REFUSED, named
from tests.trust.inputs import api_keys
from tests.trust.inputs.table import Input

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def office(django_db_setup: None, django_db_blocker: Any) -> Iterator[Office]:
    with Office.standing(django_db_blocker, "openai") as office:
        yield office


@pytest.fixture
def desk(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with office.desk(monkeypatch) as desk:
        yield desk


@pytest.mark.parametrize("given", ids(api_keys.INPUTS))
def test_inp_api_key(given: Input, desk: Desk) -> None:
    judge(desk, given)


# Defects


def taking_a_paste_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "lint", lambda _, pasted, **__: Linted(pasted, ""))


def taking_nothing_for_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields.ApiKeyField, "clean", lambda _, pasted: Linted(pasted, ""))


def cleaning_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lint, "clean", lambda pasted: pasted)


def quoting_what_was_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object, pasted: str, *, fixed: bool) -> Linted:
        raise Refused(f"{pasted[:12]} is no API key. Paste the key alone.")

    monkeypatch.setattr(fields, "lint", refuse)


def saying_nothing_of_its_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CredentialsForm, "shape_hint", "")


def cutting_off_what_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = lint.lint
    monkeypatch.setattr(fields, "lint", lambda provider, pasted, **more: honest(provider, pasted[:200], **more))


PLANTED: list[tuple[Plant, list[str]]] = [
    (taking_a_paste_as_it_is, ["the hint of the stored key", "a placeholder", "a NUL", "a key of xAI"]),
    (taking_nothing_for_a_key, ["nothing", "blanks alone"]),
    (cleaning_nothing, ["an export", "Bearer in front", "double quotes"]),
    (quoting_what_was_pasted, ["a blank inside", "a Google API key"]),
    (saying_nothing_of_its_shape, ["a key that looks like Mistral's at zai"]),
    (cutting_off_what_is_too_long, ["1 MiB", "8 KiB"]),
    *((plant, ["a zero-width character"]) for plant in WHATEVER_IS_REFUSED),
]


@controls(
    Control(test_inp_api_key, plant, named(api_keys.INPUTS, name)) for plant, planted in PLANTED for name in planted
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
