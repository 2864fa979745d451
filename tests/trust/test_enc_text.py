"""ENC-09, -13, -14: a secret comes back to the last character as it was cleaned, or was never taken."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.urls import reverse

from organizations.access import Access
from organizations.models import User
from providerkeys import vault
from providerkeys.forms.fields import ApiKeyField
from providerkeys.models import ProviderKey
from providerkeys.providers import service_account
from providerkeys.providers.lint import Linted
from providerkeys.providers.refusals import Refused
from providerkeys.vault import Sealable, Sealed
from tests.cast import client_for
from tests.fakeproviders import samples
from tests.fakeproviders.access_keys import halves
from tests.providerkeys import regions, sample
from tests.trust.canary import Canary, Search
from tests.trust.controls import Control, controls
from tests.trust.enc import fresh, opened

pytestmark = [pytest.mark.django_db, pytest.mark.database]

type Form = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """Where a secret is pasted: the one that belongs there, the form around it, and what is stored in the end.

    ``rest`` is of its second half: what nobody may see again.
    """

    id: str
    secret: str
    rest: str
    form: Callable[[str], Form]
    stored: str


KEY: Final = fresh()
ACCOUNT: Final = samples.key("google_vertex_ai", "good")
PAIR: Final = samples.fresh_key("bedrock", "good")
FIELDS: Final = (
    Field("api-key", KEY, KEY[len(KEY) // 2 :], lambda paste: {"provider": "openai", "provider_key": paste}, KEY),
    Field(
        "service-account",
        ACCOUNT,
        json.loads(ACCOUNT)["private_key"].splitlines()[-5],
        lambda paste: {"provider": "google_vertex_ai", "provider_key": paste},
        service_account.parse(ACCOUNT).document,
    ),
    Field(
        "access-key-id",
        halves(PAIR)[0],
        halves(PAIR)[0][10:],
        lambda paste: {"provider": "bedrock", **regions.posted(0, "us-east-1", PAIR, access_key_id=paste)},
        PAIR,
    ),
    Field(
        "secret-access-key",
        halves(PAIR)[1],
        halves(PAIR)[1][20:],
        lambda paste: {"provider": "bedrock", **regions.posted(0, "us-east-1", PAIR, secret_access_key=paste)},
        PAIR,
    ),
)
each_field = pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.id)


def _with_inside(text: str) -> Callable[[str], str]:
    return lambda secret: f"{secret[: len(secret) // 2]}{text}{secret[len(secret) // 2 :]}"


# How a secret is spoilt on the way to its field, and whether it can be cleaned again.
PASTES: Final[dict[str, tuple[Callable[[str], str], bool]]] = {
    "nul": (_with_inside("\0"), False),
    "emoji": (_with_inside("🔑"), False),
    "crlf": (_with_inside("\r\n"), False),
    "64-kib": (lambda secret: secret + "x" * (64 * 1024 - len(secret)), False),
    "outer-blanks": (lambda secret: f" \t\u00a0{secret}\u2003\n ", True),
    "byte-order-mark": (lambda secret: f"\ufeff{secret}", True),
}
each_paste = pytest.mark.parametrize("kind", [pytest.param(kind, id=f"ENC-13-{kind}") for kind in PASTES])


def filled_in(user: User, form: Form) -> tuple[str | None, str]:
    """What is stored after the form was sent with ``form`` filled in, and what the page says."""
    data = {"name": "Production", "assign_to_organization": "on", **form}
    answer = client_for(user).post(reverse("provider_key_new", args=["acme"]), data)
    key = ProviderKey.objects.first()
    return (opened(key.secrets[0]) if key else None), answer.content.decode()


def sealed_and_opened(access: Access, text: str) -> str | None:
    key = sample.stored(access)
    key.credentials = vault.seal(key, text)
    key.save()
    return opened(key)


@pytest.mark.parametrize("whose", ["ours", "foreign"], ids=["ENC-09-ours", "ENC-09-foreign"])
def test_enc_09_a_pasted_token_is_stored_as_the_text_that_it_is(whose: str, alice: User) -> None:
    cipher = vault._cipher() if whose == "ours" else Fernet(Fernet.generate_key())
    token = cipher.encrypt(b"what is inside is nobody's business").decode()

    stored, _ = filled_in(alice, FIELDS[0].form(token))

    assert stored == token


@each_field
@each_paste
def test_enc_13_the_form_cleans_or_refuses(kind: str, field: Field, alice: User) -> None:
    spoil, is_cleaned = PASTES[kind]
    paste = spoil(field.secret)

    stored, page = filled_in(alice, field.form(paste))

    assert stored == (field.stored if is_cleaned else None)
    assert not Search([Canary.whole("paste", field.rest)]).hits("page", page.encode())
    assert ('aria-invalid="true"' in page) is not is_cleaned


@each_field
@each_paste
def test_enc_13_the_vault_changes_nothing(kind: str, field: Field, alice_access: Access) -> None:
    paste = PASTES[kind][0](field.secret)

    assert sealed_and_opened(alice_access, paste) == paste


SPELLINGS: Final = {"escaped": ("\n", "\\n"), "newlines": ("\n", "\n"), "crlf": ("\n", "\r\n")}
each_spelling = pytest.mark.parametrize("spelling", [pytest.param(name, id=f"ENC-14-{name}") for name in SPELLINGS])


def spelt(spelling: str) -> str:
    document = json.loads(ACCOUNT)
    return json.dumps({**document, "private_key": document["private_key"].replace(*SPELLINGS[spelling])}, indent=2)


def key_in(document: str) -> RSAPrivateKey:
    key = load_pem_private_key(json.loads(document)["private_key"].encode(), password=None)
    assert isinstance(key, RSAPrivateKey)
    return key


@each_spelling
def test_enc_14_a_pem_in_any_spelling_stays_the_same_text(spelling: str, alice_access: Access) -> None:
    assert sealed_and_opened(alice_access, spelt(spelling)) == spelt(spelling)


@each_spelling
def test_enc_14_in_the_form_it_becomes_the_same_document(spelling: str, alice: User) -> None:
    stored, _ = filled_in(alice, FIELDS[1].form(spelt(spelling)))

    assert stored == FIELDS[1].stored
    assert key_in(stored).private_numbers() == key_in(ACCOUNT).private_numbers()


# Defects.


def taking_tokens_for_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vault that will not encrypt twice what looks encrypted."""
    seal = vault.seal

    def sparing(record: Sealable, secret: str) -> Sealed:
        return Sealed(secret) if secret.startswith(vault.TOKEN_START) else seal(record, secret)

    monkeypatch.setattr(vault, "seal", sparing)


def storing_pastes_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unparsed:
        shape_hint = ""

        def __init__(self, pasted: str) -> None:
            self.document, self.client_email, self.project_id = pasted, "", ""

    monkeypatch.setattr(ApiKeyField, "clean", lambda _, pasted: Linted(pasted, ""))
    monkeypatch.setattr(service_account, "parse", Unparsed)
    for cleaner in ("clean_id", "clean_secret"):
        monkeypatch.setattr(f"providerkeys.forms.regions.{cleaner}", str)


def keeping_a_pem_as_it_was_spelt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providerkeys.providers.rsa_pem.normalized", lambda _, pasted: pasted)


def refusing_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pasted: str) -> str:
        raise Refused("No line ends.")

    monkeypatch.setattr("providerkeys.providers.rsa_pem._with_line_ends", refuse)


def tidying_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vault that knows better: no control characters, no blanks around, no more than a column of old could hold."""
    seal = vault.seal

    def tidy(record: Sealable, secret: str) -> Sealed:
        return seal(record, re.sub(r"[^ -~]", "", secret).strip()[:1000])

    monkeypatch.setattr(vault, "seal", tidy)


@controls(
    [
        *(
            Control(
                test_enc_09_a_pasted_token_is_stored_as_the_text_that_it_is, taking_tokens_for_sealed, {"whose": whose}
            )
            for whose in ("ours", "foreign")
        ),
        *(
            Control(test_enc_13_the_form_cleans_or_refuses, storing_pastes_as_they_are, {"kind": kind, "field": field})
            for kind in PASTES
            for field in FIELDS
            # The form of a region takes blanks away before it looks.
            if kind != "outer-blanks" or field in FIELDS[:2]
        ),
        *(
            Control(test_enc_13_the_vault_changes_nothing, tidying_up, {"kind": kind, "field": field})
            for kind in PASTES
            for field in FIELDS
        ),
        *(
            Control(test_enc_14_a_pem_in_any_spelling_stays_the_same_text, tidying_up, {"spelling": spelling})
            for spelling in SPELLINGS
        ),
        *(
            Control(
                test_enc_14_in_the_form_it_becomes_the_same_document,
                keeping_a_pem_as_it_was_spelt,
                {"spelling": spelling},
            )
            for spelling in ("escaped", "crlf")
        ),
        Control(test_enc_14_in_the_form_it_becomes_the_same_document, refusing_escapes, {"spelling": "newlines"}),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
