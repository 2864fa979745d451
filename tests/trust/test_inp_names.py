"""INP: what is typed as a name, wherever something is named: at every form of the console, and by staff."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.core.validators import MaxLengthValidator

from organizations import text as naming
from organizations.models import ApiKey, Organization, User
from providerkeys.forms import ApiKeyForm, ProviderKeyForm
from providerkeys.models import ProviderKey
from tests.cast import client_for
from tests.trust.controls import Control, Plant, controls
from tests.trust.inp import (
    Desk,
    Office,
    forms_of,
    ids,
    is_refused,
    label_of,
    leaves_no_trace,
    says_what_to_do,
    sentences_at,
)
from tests.trust.inp_defects import named
from tests.trust.inputs import names
from tests.trust.inputs.table import Cleaned, Input, Refused

pytestmark = pytest.mark.django_db

NEW_API_KEY = "api-keys/new/"


@pytest.fixture(scope="module")
def office(django_db_setup: None, django_db_blocker: Any) -> Iterator[Office]:
    with Office.standing(django_db_blocker, "openai") as office:
        yield office


@pytest.fixture
def desk(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with office.desk(monkeypatch) as desk:
        yield desk


def refused(given: Input) -> Refused:
    assert isinstance(given.outcome, Refused)
    return given.outcome


def cleaned(given: Input) -> str:
    assert isinstance(given.outcome, Cleaned)
    return given.outcome.to


REFUSED = [given for given in names.INPUTS if isinstance(given.outcome, Refused)]
CLEANED = [given for given in names.INPUTS if isinstance(given.outcome, Cleaned)]


# Provider keys


@pytest.mark.parametrize("given", ids(REFUSED))
def test_inp_name_of_a_provider_key_is_refused(given: Input, desk: Desk) -> None:
    is_refused(desk, given, refused(given))


@pytest.mark.parametrize("given", ids(CLEANED))
def test_inp_name_of_a_provider_key_is_cleaned(given: Input, desk: Desk) -> None:
    stored = desk.stored("openai")
    for form in forms_of(given):
        assert desk.post(form, given).status_code in {200, 302}, form
        key = ProviderKey.objects.exclude(pk=stored.pk).last() if form.name == "create" else desk.stored("openai")
        assert key is not None
        assert key.name == cleaned(given)
        ProviderKey.objects.exclude(pk=stored.pk).delete()


# API keys


def post_api_key(desk: Desk, into: str | None, **fields: Any) -> Any:
    return desk.console.post(NEW_API_KEY, {"name": "Service", "expiration": "", "expires_on": "", **fields}, into=into)


@pytest.mark.parametrize("given", ids([*REFUSED, *names.EXPIRATIONS]))
def test_inp_name_and_end_of_an_api_key_are_refused(given: Input, desk: Desk) -> None:
    outcome = refused(given)
    with leaves_no_trace(desk):
        for into in (None, "main"):
            answer = post_api_key(desk, into, **given.fields)
            page = answer.content.decode()
            assert answer.status_code == 422
            assert sentences_at(page, outcome.at) == [outcome.says]
            assert label_of(page, outcome.at)
    assert says_what_to_do(outcome.says)


@pytest.mark.parametrize("given", ids(CLEANED))
def test_inp_name_of_an_api_key_is_cleaned(given: Input, desk: Desk) -> None:
    for into in (None, "main"):
        assert post_api_key(desk, into, **given.fields).status_code == 200
        assert ApiKey.objects.get().name == cleaned(given)
        ApiKey.objects.all().delete()


# Organizations and people, which staff name in Django admin. Nothing else has a form there that takes a word of theirs.


def in_admin(outcome: Refused, text: str) -> str:
    """The sentence that Django says where it has one of its own."""
    if "\0" in text:
        return "Null characters are not allowed."
    return names.IN_ADMIN.get(outcome.says, outcome.says).format(length=len(text))


def said_by_admin(answer: Any) -> list[str]:
    found = re.search(r'<ul class="errorlist" id="id_name_error">(.*?)</ul>', answer.content.decode(), re.DOTALL)
    return [html.unescape(said) for said in re.findall(r"<li>(.*?)</li>", found[1] if found else "", re.DOTALL)]


def organization_form(name: str) -> dict[str, Any]:
    return {"name": name, "memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


@pytest.mark.parametrize("given", ids(REFUSED))
def test_inp_name_of_an_organization_or_a_person_is_refused(given: Input, desk: Desk, sam: User) -> None:
    staff, text = client_for(sam), str(given.fields["name"])
    posts = {
        "/admin/organizations/organization/add/": organization_form(text),
        f"/admin/organizations/organization/{quote(desk.access.organization.pk)}/change/": organization_form(text),
        f"/admin/organizations/user/{quote(desk.access.user.pk)}/change/": {
            "email": desk.access.user.email,
            "name": text,
        },
    }
    with leaves_no_trace(desk):
        for path, data in posts.items():
            if "/user/" in path and not text.strip():
                # A person without a name goes by the address.
                continue
            answer = staff.post(path, data)
            assert answer.status_code == 200
            assert in_admin(refused(given), text.strip()) in said_by_admin(answer), path


@pytest.mark.parametrize("given", ids(CLEANED))
def test_inp_name_of_an_organization_is_cleaned(given: Input, desk: Desk, sam: User) -> None:
    answer = client_for(sam).post(
        "/admin/organizations/organization/add/", organization_form(str(given.fields["name"]))
    )
    assert answer.status_code == 302
    assert Organization.objects.exclude(pk=desk.access.organization.pk).get().name == cleaned(given)


# Defects

NEVER = re.compile(r"(?!)")


def letting_controls_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "_CONTROL", NEVER)


def letting_in_what_nobody_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "_DECEIVING", NEVER)


def letting_joiners_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "_JOINER", NEVER)


def letting_marks_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "_MARK", NEVER)


def refusing_every_joiner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "_joins", lambda *_: False)


def taking_any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MaxLengthValidator, "compare", lambda *_: False)


def needing_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for form in (ProviderKeyForm, ApiKeyForm):
        monkeypatch.setattr(form.base_fields["name"], "required", False)


def keeping_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    for form in (ProviderKeyForm, ApiKeyForm):
        monkeypatch.setattr(form.base_fields["name"], "strip", False)


def taking_any_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApiKeyForm, "_expire_on", lambda _, cleaned: cleaned.update(expires_at=None))


PROVIDER_KEY = test_inp_name_of_a_provider_key_is_refused
API_KEY = test_inp_name_and_end_of_an_api_key_are_refused
STAFF = test_inp_name_of_an_organization_or_a_person_is_refused
PLANTED: list[tuple[Plant, str]] = [
    (letting_controls_in, "a line separator inside"),
    (letting_controls_in, "an escape inside"),
    (letting_in_what_nobody_sees, "an override of direction"),
    (letting_in_what_nobody_sees, "a zero-width space"),
    (letting_joiners_in, "a joiner that joins nothing"),
    (letting_marks_in, "a mark of direction without a letter for it"),
    (taking_any_length, "101 characters"),
]


@controls(
    [
        *(
            Control(case, plant, named(REFUSED, name))
            for case in (PROVIDER_KEY, API_KEY, STAFF)
            for plant, name in PLANTED
        ),
        *(Control(case, needing_no_name, named(REFUSED, "nothing")) for case in (PROVIDER_KEY, API_KEY)),
        Control(API_KEY, taking_any_day, named(names.EXPIRATIONS, "the last day there is")),
        *(
            Control(case, plant, named(CLEANED, name))
            for case in (test_inp_name_of_a_provider_key_is_cleaned, test_inp_name_of_an_api_key_is_cleaned)
            for plant, name in ((keeping_blanks, "blanks around"), (refusing_every_joiner, "emoji that are joined"))
        ),
        Control(
            test_inp_name_of_an_organization_is_cleaned,
            refusing_every_joiner,
            named(CLEANED, "Persian with its non-joiner"),
        ),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
