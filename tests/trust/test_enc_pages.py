"""ENC-17: no page opens a secret, whoever looks at it and however many keys there are."""

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import pytest
from cryptography.fernet import Fernet, MultiFernet
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from organizations.access import Access
from organizations.ids import new_id
from organizations.models import ApiKey, User
from providerkeys import vault
from providerkeys.models import BedrockRegion, KeyAssignment, ProviderKey, check_run
from providerkeys.providers.base import Credential
from providerkeys.vault import Purpose
from tests.cast import client_for
from tests.providerkeys import sample
from tests.providerkeys.sample import Door
from tests.trust.controls import Control, controls
from tests.trust.enc import fresh, sealable
from tests.trust.holders import ACCOUNT, REGION

pytestmark = [pytest.mark.django_db, pytest.mark.database]

KEYS: Final = 200
# A page that shows keys holds this hint of theirs: the proof that it was rendered with them.
HINT: Final = "sk-proj-…"
OTHERS: Final = ("account", "region")
_PLACE: Final = re.compile(r"<(?:\w+:)?(\w+)>")

type Values = dict[str, str]


def multiply(key: ProviderKey, count: int, api_key: ApiKey) -> None:
    """That many more keys like this one, each with a secret of its own; every third for the API key. All at once: it is
    done for each case.
    """
    more = [copy.copy(key) for _ in range(count)]
    for position, one in enumerate(more, start=key.position + 1):
        one.pk, one.position = new_id("pk"), position
        one.seal(Credential(fresh()), key.organization)
    ProviderKey.objects.bulk_create(more)
    KeyAssignment.objects.bulk_create(KeyAssignment(provider_key=one, api_key=api_key) for one in more[::3])


@pytest.fixture
def values(alice: User, alice_access: Access, door: Door) -> Values:
    """What stands for each part of an address, in an organization with 200 keys of every kind."""
    api_key = sample.api_key(alice_access)
    others = [holder.stored(alice_access).owner.pk for holder in (ACCOUNT, REGION)]
    key = sample.stored(alice_access, fresh(), api_keys=[api_key])
    multiply(key, KEYS - len(others) - 1, api_key)
    check_run.run(sample.pressed(alice_access, key).pk)
    check = sample.pressed(alice_access, secret=fresh())
    uid, token = urlsafe_base64_encode(force_bytes(alice.pk)), default_token_generator.make_token(alice)
    keys = dict(zip(OTHERS, others, strict=True))
    return {"slug": "acme", "pk": key.pk, **keys, "key": api_key.pk, "chk": check.pk, "uidb64": uid, "token": token}


def routes(patterns: list[Any], start: str = "/") -> Iterator[str]:
    """The address of each console page, its parts still to be filled in. Django admin has addresses of its own."""
    for one in patterns:
        if isinstance(one, URLPattern):
            yield f"{start}{one.pattern}"
        elif isinstance(one, URLResolver) and one.namespace != "admin":
            yield from routes(one.url_patterns, f"{start}{one.pattern}")


def console_pages(values: Values) -> list[str]:
    """Each page, and those of a provider key for a key of each kind."""
    found = list(routes(get_resolver().url_patterns))
    kinds = ({**values, "pk": values[one]} for one in ("pk", *OTHERS))
    return list({_PLACE.sub(lambda part, of=one: of[part[1]], route): None for one in kinds for route in found})  # type: ignore[misc]


def admin_pages(values: Values) -> list[str]:
    found = [
        "/admin/",
        *(reverse("admin:providerkeys_providerkey_change", args=[quote(values[one])]) for one in ("pk", *OTHERS)),
    ]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        rows = list(model._default_manager.values_list("pk", flat=True)[:1])
        found += [reverse(f"{name}_changelist"), *(reverse(f"{name}_change", args=[quote(pk)]) for pk in rows)]
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


@pytest.mark.long
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


def _opened(key: ProviderKey) -> str:
    return "".join(vault.reveal(sealable(record), Purpose.CHECK) for record in key.secrets)


def opening_to_see_whether_it_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProviderKey, "readable", property(lambda key: bool(_opened(key))))


def making_the_hint_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProviderKey, "__str__", lambda key: f"{key.name} …{_opened(key)[-4:]}")


def making_a_regions_hint_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BedrockRegion, "__str__", lambda row: f"{row.region} …{vault.reveal(row, Purpose.CHECK)[-4:]}")


@pytest.mark.long
@controls(
    [
        Control(test_enc_17_no_page_opens_a_secret, making_a_regions_hint_when_asked, {"who": "staff"}),
        Control(test_enc_17_no_page_opens_a_secret, opening_to_see_whether_it_opens, {"who": "admin"}),
        Control(test_enc_17_no_page_opens_a_secret, opening_to_see_whether_it_opens, {"who": "member"}),
        Control(test_enc_17_no_page_opens_a_secret, making_the_hint_when_asked, {"who": "staff"}),
    ]
)
def test_control(control: Control, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    # It bites with a key of each kind.
    monkeypatch.setattr(f"{__name__}.KEYS", len(OTHERS) + 2)
    control.must_bite(request)
