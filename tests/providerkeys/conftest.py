"""The console as a test sees it: somebody's browser, its requests with and without htmx, what the answers show."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.utils.http import urlencode

from organizations.models import ApiKey, User
from tests.cast import client_for
from tests.providerkeys import sample

FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Console:
    """A browser in which somebody works in one organization. Paths start behind ``/orgs/<slug>/``."""

    client: Client
    slug: str = "acme"

    def url(self, path: str) -> str:
        return f"/orgs/{self.slug}/{path}"

    def get(self, path: str, *, into: str | None = None, **query: Any) -> Any:
        """Open a page; or, as htmx does, ask for what goes into the element with the id ``into``."""
        return self.client.get(self.url(path), query, headers=_headers(into))

    def post(self, path: str, data: dict[str, Any] | None = None, *, into: str | None = None) -> Any:
        body = urlencode(data or {}, doseq=True)
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            # Refused before any form; as multipart it still comes to one.
            return self.client.post(self.url(path), data, headers=_headers(into))
        return self.client.post(self.url(path), body, FORM, headers=_headers(into))


def _headers(into: str | None) -> dict[str, str]:
    return {} if into is None else {"HX-Request": "true", **({"HX-Target": into} if into else {})}


def text(response: Any) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def form_data(secret: str = sample.FORMER, api_keys: Iterable[ApiKey] | None = None, **more: Any) -> dict[str, Any]:
    """What the form posts for a new OpenAI key: for the organization, or for ``api_keys`` when those are given."""
    whom: dict[str, Any] = (
        {"assign_to_organization": "on"} if api_keys is None else {"api_key_ids": [one.pk for one in api_keys]}
    )
    return {"provider": "openai", "name": "Production", "provider_key": secret, **whom, **more}


@pytest.fixture
def alices(alice: User) -> Console:
    return Console(client_for(alice))


@pytest.fixture
def danas(dana: User) -> Console:
    return Console(client_for(dana))


@pytest.fixture
def charlies(charlie: User) -> Console:
    """Charlie's browser at Acme's addresses, where he is a stranger."""
    return Console(client_for(charlie))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the checks that workers were told of."""
    return sample.letterbox(monkeypatch)
