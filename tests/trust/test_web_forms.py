"""WEB-30 to -33: what no form asks for changes nothing, and what is no form is refused."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import pytest
import time_machine
from django.conf import settings as ours
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.db import transaction
from django.http import HttpRequest
from django.test.client import MULTIPART_CONTENT
from pytest_django import Settings

from byok_site import asgi
from organizations.access import Access
from organizations.forms import OnceEach
from organizations.models import ApiKey
from providerkeys.models import CredentialCheck, ProviderKey, TooManyChecks
from tests.house.calls import Call, ask
from tests.providerkeys import sample
from tests.trust.controls import Control, controls
from tests.trust.web import CONSOLE, HTMX, TYPED, Fields, Route, Site, change, field_names, route, rows

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NOW: Final = datetime.now(UTC)
_BUTTONS: Final = frozenset({"logout", "provider_key_delete", "api_key_former"})
POSTS: Final = tuple(one for one in CONSOLE if one.name in TYPED)
WITH_FIELDS: Final = tuple(one for one in POSTS if one.name not in _BUTTONS)
# What is random each time: ids, ciphertexts, the parts of an API key, a password's salt.
_RANDOM: Final = re.compile(r"\b[a-z]+_[0-9A-Za-z]{22}\b|gAAAA[\w=-]+|byok_\S+|(?:md5|pbkdf2)\S+")
_RANDOM_COLUMNS: Final = frozenset({"lookup", "digest", "id"})


def mended(row: Mapping[str, Any] | None) -> Any:
    """A row with what is random each time in it made the same."""
    if row is None:
        return None
    return {name: _RANDOM.sub("…", str(value)) for name, value in row.items() if name not in _RANDOM_COLUMNS}


def effect(site: Site, one: Route, body: Fields, query: Fields) -> tuple[int, list[str]]:
    """What a POST answers and changes, as if it had never been sent."""
    with transaction.atomic(), time_machine.travel(NOW, tick=False):
        before = rows()
        client = site.new_client(None if TYPED[one.name].anonymous else site.alice)
        answer = client.post(f"{site.form_address(client, one)}?{urlencode(query)}", body, headers=HTMX)
        changed = change(before, rows())
        transaction.set_rollback(True)
    return answer.status_code, sorted(f"{table} {mended(row)}" for (table, _), row in changed.items())


def wishes(site: Site, charlie: Access) -> Fields:
    """A value that somebody could wish for in each column of each model."""
    foreign = sample.stored(charlie)
    wished = dict.fromkeys(sorted(field_names()), "1") | {
        "organization": charlie.organization.pk,
        "organization_id": charlie.organization.pk,
        "id": foreign.pk,
        "pk": foreign.pk,
        "created_by": charlie.user.pk,
        "created_by_id": charlie.user.pk,
        "user": charlie.user.pk,
        "verdict": "valid",
        "last_check_verdict": "valid",
        "reason": "ok",
        "state": "done",
        "scope": "organization",
        "role": "admin",
        "hint": "sk-…ours",
        "created_at": "2001-01-01T00:00:00Z",
        "enabled": "",
    }
    return {**wished, "is_superuser": "on", "is_staff": "on"}


@pytest.mark.parametrize("one", POSTS, ids=str)
def test_web_30_only_the_fields_of_a_form_are_taken(one: Route, site: Site, charlie_access: Access) -> None:
    body = site.body(one)
    wished = {name: value for name, value in wishes(site, charlie_access).items() if name not in {*body, *FIELDS}}

    plain = effect(site, one, body, {})

    assert plain[0] < HTTPStatus.BAD_REQUEST
    assert plain[1] or one.name in NOTHING_STORED
    assert effect(site, one, {**wished, **body}, wished) == plain


# Fields of some form that are columns of some model too: sending them is no wish but a press.
FIELDS: Final = frozenset({"name", "provider", "provider_key", "version", "email", "username", "password"})
NOTHING_STORED: Final = frozenset({"login", "logout", "password_reset", "outlook", "provider_key_outlook"}) | {
    # There is one key alone, and no old secret of an API key.
    "provider_key_position",
    "api_key_former",
    # What was replaced is known to a session alone.
    "replaced_is_revoked",
}


@pytest.mark.parametrize("name", ["provider_key_new", "api_key_new", "check_create"])
def test_web_31_creating_with_a_known_id_changes_no_row(name: str, site: Site) -> None:
    one = route(name)
    before = rows()
    known = {"provider_key_new": "pk", "api_key_new": "key", "check_create": "chk"}[name]
    ids = dict.fromkeys(("id", "pk", known, "provider_key_id", "api_key_id", "public_id"), site.values[known])

    answer = site.client(one).post(f"{site.address(one)}?{urlencode(ids)}", {**ids, **site.body(one)}, headers=HTMX)

    assert answer.status_code == HTTPStatus.OK
    changed = change(before, rows())
    assert changed
    assert {key for key in changed if key in before} == set()


def strange(kind: str, body: Fields) -> tuple[str, bytes | Fields]:
    """A body of a strange kind: its content type, and what it holds (fields, for the client to encode)."""
    form = "application/x-www-form-urlencoded"
    if kind == "doubled":
        doubled = [(name, value) for name, value in body.items() for _ in range(2)]
        return form, urlencode(doubled or [("name", "a"), ("name", "b")]).encode()
    if kind == "too many fields":
        return form, "&".join(f"f{number}=" for number in range(10_001)).encode()
    if kind == "a file":
        return MULTIPART_CONTENT, {**body, "name": SimpleUploadedFile("name.txt", b"Production", "text/plain")}
    return kind, b'{"name": "Production"}'


KINDS: Final = ("doubled", "a file", "too many fields", "application/json", "text/plain", "application/xml")


@pytest.mark.parametrize("kind", KINDS)
def test_web_32_what_is_no_form_is_refused(kind: str, site: Site) -> None:
    bodies = {one: site.body(one) for one in WITH_FIELDS}
    before = rows()

    for one, body in bodies.items():
        client = site.new_client(None if TYPED[one.name].anonymous else site.alice)
        content_type, sent = strange(kind, body)
        answer = client.post(site.form_address(client, one), sent, content_type=content_type)
        assert answer.status_code == HTTPStatus.BAD_REQUEST, str(one)
        assert "data-error-page" in answer.content.decode()
    assert change(before, rows()) == {}


def test_web_32_a_large_form_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted before Django could spool it."""

    async def django(*_: object) -> None:
        pytest.fail("Django was given it")

    monkeypatch.setattr(asgi, "django_application", django)
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    assert ask(asgi.application, Call("/login/", "POST", form, [b"a" * 1024 * 512] * 6)).status == 413


def test_web_33_one_press_too_many_waits_and_holds_up_nobody_else(
    site: Site, charlie_access: Access, settings: Settings
) -> None:
    settings.CHECKS_PER_MINUTE, settings.CHECKS_UNFINISHED = 3, 20
    one = route("check_create")
    body, client = site.body(one), site.client(one)

    statuses = [client.post(site.address(one), body, headers=HTMX).status_code for _ in range(2)]
    last = client.post(site.address(one), body, headers=HTMX)
    theirs = site.new_client(charlie_access.user).post(site.address(one).replace("acme", "globex"), body, headers=HTMX)

    assert statuses == [200, 200]
    assert last.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert 0 < int(last.headers["Retry-After"]) <= 60
    assert f"Try again in {last.headers['Retry-After']} s" in last.content.decode()
    assert theirs.status_code == HTTPStatus.OK
    # Saving needs no test: it goes on.
    new = route("provider_key_new")
    assert "HX-Redirect" in site.client(new).post(site.address(new), site.body(new), headers=HTMX).headers


# Defects.


def taking_the_creator_from_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = route("api_key_new").pattern.callback

    def view(request: HttpRequest, **given: Any) -> Any:
        answer = honest(request, **given)
        ApiKey.objects.filter(created_at=NOW).update(created_by=request.POST.get("created_by") or None)
        return answer

    monkeypatch.setattr(route("api_key_new").pattern, "callback", view)


def taking_the_verdict_from_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = route("provider_key_new").pattern.callback

    def view(request: HttpRequest, **given: Any) -> Any:
        answer = honest(request, **given)
        ProviderKey.objects.filter(created_at=NOW).update(verdict=request.GET.get("verdict", ""))
        return answer

    monkeypatch.setattr(route("provider_key_new").pattern, "callback", view)


def writing_over_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = route("provider_key_new").pattern.callback

    def view(request: HttpRequest, **given: Any) -> Any:
        ProviderKey.objects.filter(pk=request.POST.get("pk")).update(name="Another")
        return honest(request, **given)

    monkeypatch.setattr(route("provider_key_new").pattern, "callback", view)


def taking_the_last_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OnceEach, "__init__", lambda form, *args, **more: super(OnceEach, form).__init__(*args, **more))


def taking_files(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{MemoryFileUploadHandler.__module__}.MemoryFileUploadHandler"
    monkeypatch.setattr(ours, "FILE_UPLOAD_HANDLERS", [name])


def taking_any_body(monkeypatch: pytest.MonkeyPatch) -> None:
    without: Iterable[str] = [one for one in ours.MIDDLEWARE if "forms_only" not in one]
    monkeypatch.setattr(ours, "MIDDLEWARE", list(without))


def counting_all_organizations_together(monkeypatch: pytest.MonkeyPatch) -> None:
    honest, presses = CredentialCheck.press, list[str]()

    def press(access: Access, *args: Any, **more: Any) -> CredentialCheck:
        presses.append(access.organization.pk)
        if len(presses) > 2:
            raise TooManyChecks(30)
        return honest(access, *args, **more)

    monkeypatch.setattr(CredentialCheck, "press", press)


def reading_the_whole_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "application", asgi.assemble((), asgi.console))


@controls(
    [
        Control(test_web_30_only_the_fields_of_a_form_are_taken, taking_the_creator_from_the_request, {"one": route("api_key_new")}),
        Control(test_web_30_only_the_fields_of_a_form_are_taken, taking_the_verdict_from_the_address, {"one": route("provider_key_new")}),
        Control(test_web_31_creating_with_a_known_id_changes_no_row, writing_over_what_is_there, {"name": "provider_key_new"}),
        Control(test_web_32_what_is_no_form_is_refused, taking_the_last_of_two, {"kind": "doubled"}),
        Control(test_web_32_what_is_no_form_is_refused, taking_files, {"kind": "a file"}),
        Control(test_web_32_what_is_no_form_is_refused, taking_any_body, {"kind": "application/json"}),
        Control(test_web_32_a_large_form_is_refused_unread, reading_the_whole_form),
        Control(test_web_33_one_press_too_many_waits_and_holds_up_nobody_else, counting_all_organizations_together),
    ]
)  # fmt: skip
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
