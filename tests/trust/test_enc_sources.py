"""ENC-16: who opens secrets and who encrypts, read from the sources."""

import ast
from collections import Counter
from typing import Final

import pytest

from tests.trust.controls import Control, Plant, controls
from tests.trust.sources import names, sources

pytestmark = pytest.mark.database

VAULT: Final = "providerkeys/vault.py"

# The check opens what it is about to test, the gateway what it is about to use. There is no third.
CALLERS_OF_REVEAL: Final = {"gateway/resolve.py": 1, "providerkeys/models/check_run.py": 1}
# Beside the vault: what makes a new key and judges one that is given. It encrypts nothing, which a case of its own holds.
IMPORTERS_OF_ENCRYPTION: Final = {VAULT, "byok_site/secret_keys.py"}

# Reading a PEM (``serialization``) or hashing is no encryption.
ENCRYPTION: Final = (
    "cryptography.fernet",
    "cryptography.hazmat.primitives.ciphers",
    "cryptography.hazmat.primitives.keywrap",
    "Crypto",
    "Cryptodome",
    "encrypted_fields",
    "jwcrypto",
    "nacl",
)
VERBS: Final = {"encrypt", "encrypt_at_time", "decrypt", "decrypt_at_time", "rotate"}


def users(words: set[str]) -> dict[str, int]:
    """How often each module but the vault uses one of ``words``."""
    counted = {path: sum(Counter(names(tree))[word] for word in words) for path, tree in sources().items()}
    return {path: count for path, count in counted.items() if count and path != VAULT}


def brings_encryption(name: str) -> bool:
    """Whether importing ``name`` brings encryption along: the module, something in it, or a package that holds it."""
    return any(f"{name}.".startswith(f"{one}.") or one == name for one in ENCRYPTION) or name == "cryptography"


def test_enc_16_the_project_is_read_whole() -> None:
    found = sources()

    assert {VAULT, *CALLERS_OF_REVEAL, *IMPORTERS_OF_ENCRYPTION} <= set(found)
    assert {path.partition("/")[0] for path in found} >= {
        "byok_site",
        "gateway",
        "organizations",
        "providerkeys",
        "manage.py",
    }


def test_enc_16_reveal_has_the_callers_that_it_is_for() -> None:
    assert users({"reveal"}) == CALLERS_OF_REVEAL


def test_enc_16_the_vault_alone_imports_encryption() -> None:
    importers = {path for path, tree in sources().items() if any(map(brings_encryption, names(tree)))}

    assert importers == IMPORTERS_OF_ENCRYPTION


def test_enc_16_the_vault_alone_encrypts_and_decrypts() -> None:
    assert users(VERBS) == {}


def test_enc_16_the_vaults_own_functions_stay_inside() -> None:
    assert users({"_encrypt", "_decrypt", "_cipher"}) == {}


# Defects: one more module, which spells it in a way of its own.


def module(text: str) -> Plant:
    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        with_it = {**sources(), "providerkeys/views/planted.py": ast.parse(text)}
        monkeypatch.setitem(globals(), "sources", lambda: with_it)

    plant.__name__ = text.replace("\n", "; ")
    return plant


def losing_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    less = {path: tree for path, tree in sources().items() if not path.startswith("organizations")}
    monkeypatch.setitem(globals(), "sources", lambda: less)


OPENING = (
    "vault.reveal(key, purpose)",
    "from providerkeys.vault import reveal as show\nshow(key, purpose)",
    "getattr(vault, 'reveal')(key, purpose)",
    "context['secret'] = map(vault.reveal, keys)",
)
IMPORTING = (
    "from cryptography.fernet import Fernet",
    "from cryptography import fernet",
    "import cryptography",
    "import cryptography.hazmat.primitives.ciphers.aead as aead",
    "from encrypted_fields.fields import EncryptedTextField",
    "import_module('cryptography.fernet')",
)
INSIDE = ("vault._decrypt(key.credentials)", "from providerkeys.vault import _cipher", "getattr(vault, '_encrypt')")


@controls(
    [
        Control(test_enc_16_the_project_is_read_whole, losing_a_package),
        *(Control(test_enc_16_reveal_has_the_callers_that_it_is_for, module(text)) for text in OPENING),
        *(Control(test_enc_16_the_vault_alone_imports_encryption, module(text)) for text in IMPORTING),
        Control(test_enc_16_the_vault_alone_encrypts_and_decrypts, module("cipher.decrypt(token)")),
        *(Control(test_enc_16_the_vaults_own_functions_stay_inside, module(text)) for text in INSIDE),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)


@pytest.mark.parametrize(
    "text", ["from cryptography.hazmat.primitives import serialization", "from cryptography import x509"]
)
def test_enc_16_reading_a_pem_is_allowed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module(text)(monkeypatch)

    test_enc_16_the_vault_alone_imports_encryption()
