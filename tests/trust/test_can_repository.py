"""CAN-22: no key in the repository could be anybody's. A sample says FAKE, or is none by its shape or checksum."""

import re
import secrets
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from cryptography.fernet import Fernet

from byok_site import secret_keys
from byok_site.environment import Environment, Refused
from organizations.models.api_key import PREFIX
from organizations.tokens import lookup_of, mint
from providerkeys.providers import registry
from providerkeys.providers.base import ApiKeyProvider
from tests.fakeproviders import providers as stand_ins
from tests.trust.sinks import repository_files

FAKE: Final = "FAKE"
_OURS: Final = re.compile(rf"{PREFIX}[0-9A-Za-z]{{50}}")
_FERNET: Final = re.compile(r"(?<![\w/+-])[\w-]{43}=")
_PRIVATE: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}")


def keys_in(text: str) -> Iterator[str]:
    """The kinds of keys in ``text`` that somebody could use."""
    for provider in registry.all():
        if isinstance(provider, ApiKeyProvider) and provider.shape:
            found = re.findall(f"(?:{provider.shape})", text)
            yield from (provider.slug for key in found if FAKE not in key)
    yield from ("API key" for key in _OURS.findall(text) if lookup_of(PREFIX, key))
    yield from ("credential key" for key in _FERNET.findall(text) if _is_usable(key))
    yield from ("private key" for _ in _PRIVATE.findall(text))


def _is_usable(key: str) -> bool:
    try:
        return bool(secret_keys.credential_keys(Environment({"CREDENTIAL_KEYS": key})))
    except Refused:
        return False


def test_can_22_no_file_holds_a_key_that_could_work() -> None:
    files = {file: list(keys_in(file.read_text(errors="replace"))) for file in repository_files()}
    assert len(files) > 100
    assert {str(file): found for file, found in files.items() if found} == {}


def unmarked(slug: str) -> str:
    """A key of the provider's usual shape that does not say what it is."""
    key = stand_ins.get(slug).shape.fresh("good")
    return key.replace(FAKE, secrets.token_hex(2))


@pytest.mark.parametrize("slug", [provider.slug for provider in stand_ins.load()])
def test_control_22_a_providers_key_is_noticed(slug: str) -> None:
    assert list(keys_in(f'KEY = "{unmarked(slug)}"')) == [slug]


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("API key", lambda: mint(PREFIX).plaintext),
        ("credential key", lambda: Fernet.generate_key().decode()),
        ("private key", lambda: f"-----BEGIN PRIVATE KEY-----\n{'MIIEvQIBADANBgkq' * 4}"),
    ],
)
def test_control_22_so_is_one_of_ours(kind: str, make: Callable[[], str]) -> None:
    assert kind in list(keys_in(f'KEY = "{make()}"'))
