"""ENC-17: no page opens a secret, whoever looks at it and however many keys there are."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import pytest
from cryptography.fernet import Fernet, MultiFernet
from django.contrib import admin
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from organizations.access import Access
from organizations.models import User
from providerkeys import vault
from providerkeys.models import ProviderKey, check_run
from providerkeys.vault import Purpose
from tests.cast import client_for
from tests.providerkeys import sample
from tests.providerkeys.sample import Door
from tests.trust.controls import Control, controls
from tests.trust.enc import fresh

pytestmark = [pytest.mark.django_db, pytest.mark.database]

KEYS: Final = 200
# A page that shows keys holds this hint of theirs: the proof that it was rendered with them.
HINT: Final = "sk-proj-…"
_PLACE: Final = re.compile(r"<(?:\w+:)?(\w+)>")

type Values = dict[str, str]


@pytest.fixture
def values(alice: User, alice_access: Access, door: Door) -> Values:
    """What stands for each part of an address, in an organization with 200 keys."""
    api_key = sample.api_key(alice_access)
    for number in range(KEYS):
        key = sample.stored(alice_access, fresh(), api_keys=[api_key] if number % 3 == 0 else None)
    check_run.run(sample.pressed(alice_access, key).pk)
    check = sample.pressed(alice_access, secret=fresh())
    uid, token = urlsafe_base64_encode(force_bytes(alice.pk)), default_token_generator.make_token(alice)
    return {"slug": "acme", "pk": key.pk, "key": api_key.pk, "chk": check.pk, "uidb64": uid, "token": token}


def routes(patterns: list[Any], start: str = "/") -> Iterator[str]:
    """The address of each console page, its parts still to be filled in. Django admin has addresses of its own."""
    for one in patterns:
        if isinstance(one, URLPattern):
            yield f"{start}{one.pattern}"
        elif isinstance(one, URLResolver) and one.namespace != "admin":
            yield from routes(one.url_patterns, f"{start}{one.pattern}")


def console_pages(values: Values) -> list[str]:
    return [_PLACE.sub(lambda part: values[part[1]], route) for route in routes(get_resolver().url_patterns)]


def admin_pages(_: Values) -> list[str]:
    found = ["/admin/"]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        rows = list(model._default_manager.values_list("pk", flat=True)[:1])
        found += [reverse(f"{name}_changelist"), *(reverse(f"{name}_change", args=[pk]) for pk in rows)]
    return found


@dataclass(frozen=True)
class Reader:
    """Somebody of the cast, the pages that they may try, and the one that shows them all keys."""

    fixture: str
    pages: Callable[[Values], list[str]]
    listing: str


_CONSOLE: Final = "/orgs/acme/provider-keys/"
READERS: Final = {
    "admin": Reader("alice", console_pages, _CONSOLE),
    "member": Reader("dana", console_pages, _CONSOLE),
    "staff": Reader("sam", admin_pages, "/admin/providerkeys/providerkey/"),
}


class Decryptions:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        for cipher in (Fernet, MultiFernet):
            monkeypatch.setattr(cipher, "decrypt", self._counting(cipher.decrypt))

    def _counting(self, decrypt: Callable[..., bytes]) -> Callable[..., bytes]:
        def counted(*given: Any, **more: Any) -> bytes:
            self.count += 1
            return decrypt(*given, **more)

        return counted


def read(client: Client, page: str) -> str:
    """What the page says, as a whole and as htmx asks for it. One that takes only a POST says nothing."""
    answers = [client.get(page), client.get(page, headers={"HX-Request": "true"})]
    assert all(answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR for answer in answers), page
    return "".join(answer.content.decode() for answer in answers if isinstance(answer, HttpResponse))


@pytest.mark.parametrize("who", [pytest.param(who, id=f"ENC-17-{who}") for who in READERS])
def test_enc_17_no_page_opens_a_secret(who: str, values: Values, request: pytest.FixtureRequest) -> None:
    reader = READERS[who]
    client = client_for(request.getfixturevalue(reader.fixture))
    pages = reader.pages(values)

    with pytest.MonkeyPatch.context() as monkeypatch:
        decryptions = Decryptions(monkeypatch)
        said = {page: read(client, page) for page in pages}

    assert decryptions.count == 0
    assert HINT in said[reader.listing]


def opening_to_see_whether_it_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProviderKey, "readable", property(lambda key: bool(vault.reveal(key, Purpose.CHECK))))


def making_the_hint_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProviderKey, "__str__", lambda key: f"{key.name} …{vault.reveal(key, Purpose.CHECK)[-4:]}")


@controls(
    [
        Control(test_enc_17_no_page_opens_a_secret, opening_to_see_whether_it_opens, {"who": "admin"}),
        Control(test_enc_17_no_page_opens_a_secret, opening_to_see_whether_it_opens, {"who": "member"}),
        Control(test_enc_17_no_page_opens_a_secret, making_the_hint_when_asked, {"who": "staff"}),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
