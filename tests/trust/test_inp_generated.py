"""INP: whatever is sent, in whichever form: never an error of the server, never a part of a secret, never long."""

import html
import json
import secrets
import socket
import string
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import pytest
from django.contrib.admin.utils import quote
from django.core.mail import DNS_NAME
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from hypothesis import Phase, given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from organizations.access import Access
from organizations.models import User
from providerkeys.forms import fields
from providerkeys.providers import aws_regions, google_locations, lint, registry
from tests import generated
from tests.cast import client_for
from tests.generated import one_of
from tests.providerkeys import sample
from tests.providerkeys.providers.service_account_inputs import FIELDS, GOOD
from tests.trust.controls import Control, Plant, controls
from tests.trust.inp import CPU_SECONDS, Desk, sitting_at, timed
from tests.trust.inputs import access_keys, api_keys

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.long]

# Stands in everything that is sent as a secret. As it has small letters, no field takes it for an id that may be seen again.
CANARY: Final = "q" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(39))
_WINDOWS: Final = [CANARY[start : start + 8] for start in range(len(CANARY) - 7)]
_CPU_SECONDS: Final = CPU_SECONDS

ODD: Final = (
    *("", " ", "\0", "\n", "\r\n", "\ufeff", "\u200b", "\u202e", "\U000e0001", "🔑", "'", '"', "<b>", "{{7*7}}", "%00", "…"),
    *("-1", "0", "1e9", "9" * 40, "NaN", "null", "true", "{}", "[]", "on", "../", "//evil", "javascript:", "x" * 5000),
)  # fmt: skip
TEXT = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
GOOD_SECRETS: Final = (api_keys.KEY, access_keys.KEY, GOOD, *(prefix for prefix in ("sk-ant-", "Bearer ", "export X=")))


@st.composite
def secret(draw: st.DrawFn) -> str:
    """A secret, whole or damaged, or a service account with another value somewhere; with the canary in its middle."""
    if draw(st.booleans()):
        name = draw(st.sampled_from([*FIELDS, "more"]))
        value = draw(st.none() | st.integers() | st.lists(TEXT, max_size=2) | TEXT)
        other = draw(st.sampled_from([name, "private_key_id", "note"]))
        return json.dumps({**FIELDS, other: CANARY, name: value})
    text = draw(TEXT | st.sampled_from(GOOD_SECRETS))
    at = draw(st.integers(0, len(text)))
    return text[:at] + CANARY + text[at + draw(st.integers(0, 3)) :]


@st.composite
def row(draw: st.DrawFn) -> dict[str, str]:
    """A row of a region, or a part of one, under any number."""
    number = draw(st.integers(0, 3) | st.sampled_from([40, 9999, 12345]))
    parts = {
        "region": st.sampled_from([*aws_regions.CHOICES, ""]) | TEXT,
        "access_key_id": st.sampled_from(["AKIA" + "A" * 16, access_keys.STORED_HINT, CANARY]) | TEXT,
        "secret_access_key": secret(),
        "emptied": TEXT,
        "keep_stored": TEXT,
    }
    chosen = draw(st.lists(st.sampled_from(sorted(parts)), unique=True))
    return {f"regions-{number}-{part}": draw(parts[part]) for part in chosen}


@st.composite
def provider_key(draw: st.DrawFn) -> dict[str, Any]:
    """What may come as the form of a provider key: any of its fields, with anything in it, and fields of nobody's."""
    fields: dict[str, st.SearchStrategy[Any]] = {
        "provider": st.sampled_from([one.slug for one in registry.all()]) | TEXT,
        "name": st.just("Production") | TEXT,
        "provider_key": secret(),
        "location": st.sampled_from(sorted(google_locations.ENDPOINTS)) | TEXT,
        "assign_to_organization": st.just("on") | TEXT,
        "api_key_ids": st.lists(st.sampled_from(["{own}", "{foreign}"]) | TEXT, max_size=3),
        "version": st.just("{version}") | TEXT,
        "emptied": TEXT,
        "keep_stored": TEXT,
        "organization": TEXT,
        "verdict": st.just("valid"),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(fields)), unique=True, min_size=3))
    data: dict[str, Any] = {name: draw(fields[name]) for name in chosen}
    for one in draw(st.lists(row(), max_size=3)):
        data |= one
    return data


API_KEY = st.fixed_dictionaries(
    {"name": TEXT},
    optional={
        "expiration": st.sampled_from(["", "30", "date"]) | TEXT,
        "expires_on": st.dates().map(str) | TEXT,
        "press": st.just("0" * 32) | TEXT,
    },
)
PERSON = st.fixed_dictionaries(
    {"email": st.just("new@acme.example") | TEXT, "name": TEXT}, optional={"is_active": TEXT}
)
# Django bounds the rows that staff may ask for, but makes 2,000 of them.
COUNT = st.sampled_from(["0", "3", "-1", "", "x", "1e9", "\0"])
ORGANIZATION = st.fixed_dictionaries(
    {"name": TEXT, "memberships-TOTAL_FORMS": COUNT, "memberships-INITIAL_FORMS": COUNT}
)
LOGIN = st.fixed_dictionaries({"username": st.just("alice@acme.example") | TEXT, "password": secret()})
RESET = st.fixed_dictionaries({"email": st.just("alice@acme.example") | TEXT})

FORMS: Final[Mapping[str, st.SearchStrategy[dict[str, Any]]]] = {
    "/orgs/acme/provider-keys/new/": provider_key(),
    "/orgs/acme/provider-keys/{stored}/": provider_key(),
    "/orgs/acme/provider-keys/checks/": provider_key(),
    "/orgs/acme/provider-keys/{stored}/checks/": provider_key(),
    "/orgs/acme/api-keys/new/": API_KEY,
    "/admin/organizations/organization/add/": ORGANIZATION,
    "/admin/organizations/user/{person}/change/": PERSON,
    "/login/": LOGIN,
    "/password-reset/": RESET,
}
INTO: Final = (None, "sheet", "test-result", "credentials", "regions", "row-{stored}")


@pytest.fixture
def desk(alice_access: Access, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Desk]:
    # A mail's id names the machine, whose name is looked up.
    monkeypatch.setattr(DNS_NAME, "_fqdn", "console.example", raising=False)
    settings.CHECKS_PER_MINUTE = settings.CHECKS_UNFINISHED = 10**6
    with sitting_at(alice_access, monkeypatch) as desk:
        yield desk


@pytest.mark.parametrize("path", FORMS)
def test_inp_anything_at_all(path: str, desk: Desk, charlie_access: Access, sam: User) -> None:
    places = {"own": sample.api_key(desk.access).pk, "foreign": sample.api_key(charlie_access).pk}
    keys = [desk.stored(provider) for provider in ("openai", "google_vertex_ai", "bedrock")]
    browser = client_for(sam) if path.startswith("/admin/") else desk.console.client
    browser.raise_request_exception = False

    @one_of(len(FORMS))
    @given(data=FORMS[path], key=st.sampled_from(keys), into=st.sampled_from(INTO))
    def holds(data: dict[str, Any], key: Any, into: str | None) -> None:
        known = {**places, "stored": key.pk, "version": str(key.version), "person": quote(desk.access.user.pk)}
        sends(browser, path.format(**known), filled_in(data, known), into and into.format(**known))

    holds()
    assert desk.guard.packets == []


def filled_in(data: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    """The data with the ids and numbers that only the test knows."""
    named = {f"{{{name}}}": value for name, value in known.items()}
    return {
        name: [named.get(one, one) for one in value] if isinstance(value, list) else named.get(value, value)
        for name, value in data.items()
    }


def sends(browser: Client, path: str, data: Mapping[str, Any], into: str | None) -> None:
    """Send it, look at the answer, and leave everything as it was."""

    def send() -> Any:
        with transaction.atomic():
            answer = browser.post(path, data, headers={"HX-Request": "true", "HX-Target": into} if into else {})
            transaction.set_rollback(True)
        return answer

    answer, took = timed(send, _CPU_SECONDS)
    assert answer.status_code in {200, 302, 400, 404, 409, 422, 429}, answer.status_code
    text = html.unescape(answer.content.decode()) + str(dict(answer.headers)) + str(answer.cookies)
    assert not [window for window in _WINDOWS if window in text], "a part of a secret is shown"
    assert took < _CPU_SECONDS, took


# Defects


class Clumsy(Exception):
    """A mistake that only some inputs meet."""


def quickly(plant: Plant) -> Plant:
    """The defect, and nobody who looks for the smallest input that meets it."""

    def planted(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(generated, "PHASES", (Phase.generate,))
        plant(monkeypatch)

    planted.__name__ = plant.__name__
    return planted


def stumbling_over_other_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = QueryDict.get

    def clumsy(data: QueryDict, name: str, *rest: Any) -> Any:
        found = honest(data, name, *rest)
        if isinstance(found, str) and not found.isascii():
            raise Clumsy
        return found

    monkeypatch.setattr(QueryDict, "get", clumsy)


def quoting_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object, pasted: str, *, fixed: bool) -> lint.Linted:
        raise lint.Refused(f"{pasted} is no API key.")

    monkeypatch.setattr(fields, "lint", refuse)


def thinking_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "_CPU_SECONDS", 0.1)

    def ponder(_: object, pasted: str) -> lint.Linted:
        until = time.process_time() + 0.1
        while time.process_time() < until:
            pass
        raise lint.Refused("This is no API key.")

    monkeypatch.setattr(fields, "lint", ponder)


def knocking_at_a_door(monkeypatch: pytest.MonkeyPatch) -> None:
    def knock(_: object, pasted: str) -> lint.Linted:
        with suppress(OSError), socket.socket() as knocking:
            knocking.connect(("127.0.0.1", 9))
        raise lint.Refused("This is no API key.")

    monkeypatch.setattr(fields, "lint", knock)


NEW: Final = "/orgs/acme/provider-keys/new/"


@controls(
    [
        *(
            Control(test_inp_anything_at_all, quickly(plant), {"path": NEW})
            for plant in (stumbling_over_other_letters, quoting_what_is_refused, thinking_for_long, knocking_at_a_door)
        ),
        Control(test_inp_anything_at_all, quickly(stumbling_over_other_letters), {"path": "/orgs/acme/api-keys/new/"}),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
