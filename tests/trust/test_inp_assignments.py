"""INP: whom a key is assigned to, and which provider it is for."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django import forms

from organizations.access import Access
from organizations.models import ApiKey
from providerkeys.forms import ProviderKeyForm
from providerkeys.models import KeyAssignment, ProviderKey
from providerkeys.providers import registry
from tests.providerkeys import sample
from tests.trust.controls import Control, controls
from tests.trust.inp import Desk, ids, is_refused, leaves_no_trace, sitting_at
from tests.trust.inp_defects import WHATEVER_IS_REFUSED, named
from tests.trust.inputs import assignments
from tests.trust.inputs.table import Input, Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(alice_access: Access, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with sitting_at(alice_access, monkeypatch) as desk:
        yield desk


def refused(given: Input) -> Refused:
    assert isinstance(given.outcome, Refused)
    return given.outcome


@pytest.fixture
def places(desk: Desk, charlie_access: Access) -> dict[str, str]:
    """The ids that the table names, by their names there."""
    deleted = sample.api_key(desk.access, "Deleted")
    found = {
        "own": sample.api_key(desk.access).pk,
        "foreign": sample.api_key(charlie_access).pk,
        "deleted": deleted.pk,
        "provider_key": desk.stored("openai").pk,
    }
    deleted.delete_by(desk.access)
    return found


def with_ids(given: Input, places: dict[str, str]) -> Input:
    chosen = [str(one).format(**places) for one in given.fields["api_key_ids"]]
    return replace(given, fields={**given.fields, "api_key_ids": chosen})


@pytest.mark.parametrize("given", ids(assignments.INPUTS))
def test_inp_assignment(given: Input, desk: Desk, places: dict[str, str]) -> None:
    is_refused(desk, with_ids(given, places), refused(given))


@pytest.mark.parametrize("path", ["provider-keys/new/", "edit"])
@pytest.mark.parametrize("into", [None, "sheet"])
def test_inp_assignment_of_more_ids_than_a_request_may_have(path: str, into: str | None, desk: Desk) -> None:
    stored = desk.stored("openai")
    many = [f"key_{number:022d}" for number in range(assignments.TOO_MANY)]
    data: dict[str, Any] = {"provider": "openai", "name": "x", "version": stored.version, "api_key_ids": many}
    with leaves_no_trace(desk):
        answer = desk.console.post(f"provider-keys/{stored.pk}/" if path == "edit" else path, data, into=into)
    assert answer.status_code == 400
    assert "Choose fewer API keys, or assign to the entire organization." in answer.content.decode()


@pytest.mark.parametrize("given", ids(assignments.PROVIDERS))
def test_inp_provider(given: Input, desk: Desk) -> None:
    is_refused(desk, given, refused(given))


@pytest.mark.parametrize("given", ids(assignments.PROVIDERS))
@pytest.mark.parametrize("into", [None, "test-result"])
def test_inp_provider_of_a_test(given: Input, into: str | None, desk: Desk) -> None:
    with leaves_no_trace(desk):
        answer = desk.console.post("provider-keys/checks/", {**given.fields, "provider_key": "x" * 40}, into=into)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Nothing was tested." in page
    assert refused(given).says in page


def test_inp_assignment_to_ones_own(desk: Desk, places: dict[str, str]) -> None:
    """What is taken: the twin of all that is refused here."""
    stored = desk.stored("openai")
    data = {"name": "Stored", "version": stored.version, "api_key_ids": [places["own"]]}
    assert desk.console.post(f"provider-keys/{stored.pk}/", data).status_code == 302
    assert list(KeyAssignment.objects.values_list("api_key_id", flat=True)) == [places["own"]]
    assert (ProviderKey.objects.count(), ApiKey.objects.count()) == (1, 2)


# Defects


def forgetting_to_assign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProviderKey, "_assign", lambda *_: None)


def saving_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = ProviderKeyForm.add_error

    def forgiving(form: ProviderKeyForm, field: str | None, error: Any) -> None:
        if field != "api_key_ids":
            honest(form, field, error)

    monkeypatch.setattr(ProviderKeyForm, "add_error", forgiving)


def taking_any_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "find", lambda _: registry.get("openai"))
    monkeypatch.setattr(forms.ChoiceField, "validate", lambda *_: None)


def saying_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("byok_site.errors.TooManyFieldsSent", KeyError)


@controls(
    [
        *(
            Control(test_inp_assignment, saving_for_nobody, named(assignments.INPUTS, name))
            for name in ("nobody", "a foreign API key", "an id of something else")
        ),
        *(
            Control(test_inp_provider, plant, named(assignments.PROVIDERS, "a provider that is none"))
            for plant in (taking_any_provider, *WHATEVER_IS_REFUSED[1:])
        ),
        Control(
            test_inp_provider_of_a_test,
            taking_any_provider,
            {**named(assignments.PROVIDERS, "a label for a provider"), "into": None},
        ),
        Control(
            test_inp_assignment_of_more_ids_than_a_request_may_have,
            saying_nothing_of_it,
            {"path": "edit", "into": "sheet"},
        ),
        Control(test_inp_assignment_to_ones_own, forgetting_to_assign),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
