"""CAN-21: with DEBUG on, Django's own page tells where something broke, and nothing of what passed there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from django.test import Client
from django.views import debug
from pytest_django import Settings

from organizations.models import User
from tests.cast import client_for
from tests.providerkeys import regions
from tests.trust.canary import Canary, Search
from tests.trust.controls import Control, controls

pytestmark = pytest.mark.django_db

KEY, ACCOUNT, PAIR = (Canary.provider_key(slug, slug, "good") for slug in ("openai", "google_vertex_ai", "bedrock"))
PASSWORD: Final = Canary.password("password")
SEARCH: Final = Search([KEY, ACCOUNT, PAIR, PASSWORD])


class Broken(Exception):
    """It quotes a secret, as the exceptions of libraries do; and so do the frames that it passed."""


@dataclass(frozen=True)
class Break:
    """A function that breaks, and what is posted meanwhile."""

    path: str
    posted_to: str
    fields: dict[str, str]


_FORM: Final = {"provider": "openai", "name": "Production", "provider_key": KEY.value, "assign_to_organization": "on"}
_ACCOUNT: Final = {**_FORM, "provider": "google_vertex_ai", "provider_key": ACCOUNT.value}
_PAIR: Final = {**_FORM, "provider": "bedrock", "provider_key": "", **regions.posted(0, "us-east-1", PAIR.value)}
_LOGIN: Final = {"username": "alice@acme.example", "password": PASSWORD.value}
_NEW: Final = "/orgs/acme/provider-keys/new/"
BREAKS: Final = {
    "outside of the view": Break("axes.middleware.AxesMiddleware.__call__", _NEW, _FORM),
    "in the door": Break("organizations.access.access_for", _NEW, _FORM),
    "in the field": Break("providerkeys.forms.fields.lint", _NEW, _FORM),
    "in the field of a service account": Break("providerkeys.providers.rsa_pem.load", _NEW, _ACCOUNT),
    "in the vault, of a service account": Break("providerkeys.vault.seal", _NEW, _ACCOUNT),
    "in the fields of a region": Break("providerkeys.forms.regions.clean_secret", _NEW, _PAIR),
    "in the row of a region": Break("providerkeys.models.BedrockRegion.take", _NEW, _PAIR),
    "in the vault": Break("providerkeys.vault.seal", _NEW, _FORM),
    "in the cipher": Break("cryptography.fernet.MultiFernet.encrypt", "/orgs/acme/provider-keys/checks/", _FORM),
    "after the save": Break("organizations.models.AuditEvent.record", _NEW, _FORM),
    "in the page of an API key": Break(
        "providerkeys.views.api_keys.show_once", "/orgs/acme/api-keys/new/", {"name": "x"}
    ),
    "at the login": Break("django.contrib.auth.backends.ModelBackend.authenticate", "/login/", _LOGIN),
}


# Kept once it was asked for.
_FILTER: Final[Any] = debug.get_default_exception_reporter_filter


@pytest.fixture(autouse=True)
def _debugging(settings: Settings) -> Iterator[None]:
    settings.DEBUG = True
    _FILTER.cache_clear()
    yield
    _FILTER.cache_clear()


def fail(*_: Any, **__: Any) -> None:
    error = Broken(KEY.value, ACCOUNT.value)
    error.add_note(PAIR.value)
    raise error from LookupError(KEY.value)


@pytest.mark.parametrize("where", BREAKS)
@pytest.mark.parametrize("accept", ["text/html", "text/plain"])
def test_can_21_the_page_tells_where_it_broke_and_nothing_else(
    where: str, accept: str, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = BREAKS[where]
    client = Client() if where == "at the login" else client_for(alice)
    client.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr(broken.path, fail)
        answer = client.post(broken.posted_to, broken.fields, headers={"Accept": accept})
    assert answer.status_code == 500
    assert b"Broken" in answer.content
    assert b"test_can_error_pages.py" in answer.content
    assert not SEARCH.hits(where, answer.content)


def djangos_own_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "django.conf.settings.DEFAULT_EXCEPTION_REPORTER_FILTER", "django.views.debug.SafeExceptionReporterFilter"
    )
    _FILTER.cache_clear()


def djangos_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings.DEFAULT_EXCEPTION_REPORTER", "django.views.debug.ExceptionReporter")


@controls(
    Control(
        test_can_21_the_page_tells_where_it_broke_and_nothing_else,
        defect,
        {"where": where, "accept": "text/html"},
    )
    for defect, where in [*((djangos_own_filter, where) for where in BREAKS), (djangos_own_words, "at the login")]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
