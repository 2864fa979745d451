"""When you save: what an assignment will change, said by the resolver before it is saved, as it is changed in the form."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from organizations.access import Access
from organizations.models import ApiKey
from providerkeys.models import ProviderKey
from tests.providerkeys import sample
from tests.providerkeys.conftest import Console, form_data, text
from tests.providerkeys.form import edit, edited
from tests.providerkeys.test_delete_views import consequences
from tests.providerkeys.test_row_actions import make

NEW = "provider-keys/outlook/"


@pytest.fixture
def ci(alice_access: Access) -> ApiKey:
    return sample.api_key(alice_access, "ci")


@pytest.fixture
def staging(alice_access: Access) -> ApiKey:
    return sample.api_key(alice_access, "staging")


def test_who_moves_and_for_whom_it_only_steps_in(
    alices: Console, alice_access: Access, ci: ApiKey, staging: ApiKey
) -> None:
    make(alice_access, "Production Key")
    make(alice_access, "CI account", ci)

    answer = alices.post(NEW, form_data("", [ci, staging]), into="outlook")

    assert consequences(answer) == [
        ("1 API key moves to this key", ["staging"]),
        ("1 API key gets a key to fall back on", ["ci"]),
    ]
    assert "CI account (assigned) stays first; this key serves when that one fails." in text(answer)
    assert ProviderKey.objects.count() == 2


def test_a_second_organization_wide_key_serves_when_the_first_fails(
    alices: Console, alice_access: Access, ci: ApiKey
) -> None:
    make(alice_access, "Production Key")

    answer = alices.post(NEW, form_data(""), into="outlook")

    assert "Production Key (organization-wide) stays first; this key serves when that one fails." in text(answer)


def test_nothing_is_said_where_nothing_changes_or_nothing_is_chosen(
    alices: Console, alice_access: Access, charlie_access: Access, ci: ApiKey
) -> None:
    theirs = sample.api_key(charlie_access, "theirs")
    for data in (
        {},
        form_data("", []),
        form_data("", [theirs]),
        {"provider": "nobody", "assign_to_organization": "on"},
    ):
        answer = alices.post(NEW, data, into="outlook")
        assert text(answer).strip() == ""
    key = make(alice_access, "Main")
    assert text(alices.post(f"{edit(key)}outlook/", edited(key), into="outlook")).strip() == ""


def test_its_headings_stand_under_its_own(alices: Console, alice_access: Access, ci: ApiKey) -> None:
    """By headings, the one who listens goes from “When you save” down to what happens then, and not out of it."""
    answer = text(alices.post(NEW, form_data("", [ci]), into="outlook"))

    assert re.findall(r"<h(\d)", answer) == ["3", "4"]


def test_an_edit_says_who_is_let_go(alices: Console, alice_access: Access, ci: ApiKey, staging: ApiKey) -> None:
    make(alice_access, "Production Key")
    key = make(alice_access, "Own", ci, staging)

    answer = alices.post(f"{edit(key)}outlook/", edited(key) | {"assign_to_organization": ""} | form_data("", [ci]))

    assert consequences(answer)[-1] == ("1 API key moves to Production Key", ["staging"])


def test_it_costs_six_queries_and_a_refused_form_shows_it_again(
    alices: Console, alice_access: Access, ci: ApiKey
) -> None:
    key = make(alice_access, "Production Key")
    for path in (NEW, f"{edit(key)}outlook/"):
        with CaptureQueriesContext(connection) as queries:
            assert alices.post(path, form_data("", [ci]), into="outlook").status_code == 200
        assert len(queries) <= 6

    refused = alices.post("provider-keys/new/", form_data("", [ci]), into="sheet")
    assert refused.status_code == 422
    assert ("1 API key moves to this key", ["ci"]) in consequences(refused)
