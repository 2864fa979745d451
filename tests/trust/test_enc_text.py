"""ENC-09, -13, -14: a secret comes back to the last character as it was cleaned, or was never taken."""

import json
import re

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.urls import reverse

from organizations.access import Access
from organizations.models import User
from providerkeys import vault
from providerkeys.forms.fields import ApiKeyField
from providerkeys.models import ProviderKey
from providerkeys.providers.lint import Linted
from providerkeys.vault import Sealable, Sealed
from tests.cast import client_for
from tests.providerkeys import sample
from tests.trust.canary import Canary, Search
from tests.trust.controls import Control, controls
from tests.trust.enc import fresh, opened

pytestmark = [pytest.mark.django_db, pytest.mark.database]

KEY = fresh()
HALF = len(KEY) // 2

# What is pasted, and the key that it is cleaned to; None: refused.
PASTES: dict[str, tuple[str, str | None]] = {
    "nul": (f"{KEY[:HALF]}\0{KEY[HALF:]}", None),
    "emoji": (f"{KEY[:HALF]}🔑{KEY[HALF:]}", None),
    "crlf": (f"{KEY[:HALF]}\r\n{KEY[HALF:]}", None),
    "64-kib": (KEY + "x" * (64 * 1024 - len(KEY)), None),
    "outer-blanks": (f" \t\u00a0{KEY}\u2003\n ", KEY),
    "byte-order-mark": (f"\ufeff{KEY}", KEY),
}
each_paste = pytest.mark.parametrize("kind", [pytest.param(kind, id=f"ENC-13-{kind}") for kind in PASTES])


def filled_in(user: User, paste: str) -> tuple[str | None, str]:
    """What is stored after the form was sent with ``paste``, and what the page says."""
    data = {"provider": "openai", "name": "Production", "provider_key": paste, "assign_to_organization": "on"}
    answer = client_for(user).post(reverse("provider_key_new", args=["acme"]), data)
    key = ProviderKey.objects.first()
    return (opened(key) if key else None), answer.content.decode()


def sealed_and_opened(access: Access, text: str) -> str | None:
    key = sample.stored(access)
    key.credentials = vault.seal(key, text)
    key.save()
    return opened(key)


@pytest.mark.parametrize("whose", ["ours", "foreign"], ids=["ENC-09-ours", "ENC-09-foreign"])
def test_enc_09_a_pasted_token_is_stored_as_the_text_that_it_is(whose: str, alice: User) -> None:
    cipher = vault._cipher() if whose == "ours" else Fernet(Fernet.generate_key())
    token = cipher.encrypt(b"what is inside is nobody's business").decode()

    stored, _ = filled_in(alice, token)

    assert stored == token


@each_paste
def test_enc_13_the_form_cleans_or_refuses(kind: str, alice: User) -> None:
    paste, cleaned = PASTES[kind]

    stored, page = filled_in(alice, paste)

    assert stored == cleaned
    assert not Search([Canary.whole("paste", KEY[HALF:])]).hits("page", page.encode())
    assert ("credentials-error" in page or 'aria-invalid="true"' in page) is (cleaned is None)


@each_paste
def test_enc_13_the_vault_changes_nothing(kind: str, alice_access: Access) -> None:
    paste = PASTES[kind][0]

    assert sealed_and_opened(alice_access, paste) == paste


@pytest.fixture(scope="module")
def private_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


SPELLINGS = {"escaped": ("\n", "\\n"), "newlines": ("\n", "\n"), "crlf": ("\n", "\r\n")}


@pytest.mark.parametrize("spelling", [pytest.param(name, id=f"ENC-14-{name}") for name in SPELLINGS])
def test_enc_14_a_pem_in_any_spelling_stays_the_same_key(
    spelling: str, private_key: RSAPrivateKey, alice_access: Access
) -> None:
    spelt = pem(private_key).replace(*SPELLINGS[spelling])
    account = json.dumps({"type": "service_account", "private_key": spelt}, indent=2)

    found = sealed_and_opened(alice_access, account)

    assert found == account
    text = json.loads(found)["private_key"].replace("\\n", "\n")
    loaded = load_pem_private_key(text.encode(), password=None)
    assert isinstance(loaded, RSAPrivateKey)
    assert loaded.private_numbers() == private_key.private_numbers()


# Defects.


def taking_tokens_for_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vault that will not encrypt twice what looks encrypted."""
    seal = vault.seal

    def sparing(record: Sealable, secret: str) -> Sealed:
        return Sealed(secret) if secret.startswith(vault.TOKEN_START) else seal(record, secret)

    monkeypatch.setattr(vault, "seal", sparing)


def storing_pastes_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApiKeyField, "clean", lambda _, pasted: Linted(pasted, ""))


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
            Control(test_enc_13_the_form_cleans_or_refuses, storing_pastes_as_they_are, {"kind": kind})
            for kind in PASTES
        ),
        *(Control(test_enc_13_the_vault_changes_nothing, tidying_up, {"kind": kind}) for kind in PASTES),
        *(
            Control(test_enc_14_a_pem_in_any_spelling_stays_the_same_key, tidying_up, {"spelling": spelling})
            for spelling in SPELLINGS
        ),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
