"""CAN-22: no key in the repository could be anybody's. A sample says FAKE, or is none by its shape or checksum."""

import re
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
# A whole word, be it of base64: a part of one is no key. What has only letters and digits is a key if it looks random.
_WORD: Final = r"(?<![\w+/-])(?:{})(?![\w+/=-])"
_RANDOM: Final = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])")
_OURS: Final = re.compile(rf"{PREFIX}[0-9A-Za-z]{{50}}")
_FERNET: Final = re.compile(r"(?<![\w/+-])[\w-]{43}=")
_PRIVATE: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\s|\\[nr])+[A-Za-z0-9+/]{40}")
_ACCESS_KEY_ID: Final = re.compile(_WORD.format("AKIA[A-Z2-7]{16}"))
_ACCESS_KEY: Final = re.compile(_WORD.format("[A-Za-z0-9+/]{40}"))


def shapes_of_keys() -> dict[str, re.Pattern[str]]:
    """What the keys of each provider look like, where one key is all there is."""
    return {
        provider.slug: re.compile(_WORD.format(provider.shape))
        for provider in registry.all()
        if isinstance(provider, ApiKeyProvider) and provider.shape
    }


PROVIDER_KEYS: Final = shapes_of_keys()


def keys_in(text: str) -> Iterator[str]:
    """The kinds of keys in ``text`` that somebody could use."""
    for slug, shape in PROVIDER_KEYS.items():
        yield from (slug for key in _unmarked(shape, text) if not key.isalnum() or _RANDOM.match(key))
    yield from ("bedrock" for _ in _unmarked(_ACCESS_KEY_ID, text))
    yield from ("bedrock" for key in _unmarked(_ACCESS_KEY, text) if _RANDOM.match(key))
    yield from ("API key" for key in _OURS.findall(text) if lookup_of(PREFIX, key))
    yield from ("credential key" for key in _FERNET.findall(text) if _is_usable(key))
    yield from ("private key" for _ in _PRIVATE.findall(text))


def _unmarked(shape: re.Pattern[str], text: str) -> Iterator[str]:
    return (key for key in shape.findall(text) if FAKE not in key.upper())


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
    """A credential of the provider's usual shape that does not say what it is."""
    key = stand_ins.get(slug).shape.fresh("good")
    return key.replace(f"AKIA{FAKE}", "AKIAQX7Z").replace(FAKE, "Qx7Z").replace(FAKE.lower(), "qx7z")


@pytest.mark.parametrize("slug", [provider.slug for provider in stand_ins.load()])
def test_control_22_a_providers_key_is_noticed(slug: str) -> None:
    kind = "private key" if slug == "google_vertex_ai" else slug
    assert set(keys_in(f'KEY = "{unmarked(slug)}"')) == {kind}


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
