"""What is known about a pasted API key before any network call.

A paste is cleaned of what copying adds. Refused is only what positively can't work: another provider's key, a kind
that is not for requests, or no key at all. An unusual shape is a hint. No message holds a part of what was pasted.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from providerkeys.providers import registry
from providerkeys.providers.base import ApiKeyProvider, WrongKind
from providerkeys.providers.refusals import Refused

__all__ = ["FOREIGN_KINDS", "MAX_KEY_CHARACTERS", "Linted", "Refused", "clean", "lint"]

MAX_KEY_CHARACTERS: Final = 1024
_MAX_PASTE: Final = 4 * MAX_KEY_CHARACTERS
_TOO_LONG: Final = f"This is longer than any API key ({MAX_KEY_CHARACTERS} characters at most). Paste the key alone."

_ASSIGNMENT: Final = re.compile(r"\A(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=\s*(?=[^\s=])")
_HEADER: Final = re.compile(r"\A(?:(?:authorization|x-api-key)\s*:\s*)?(?:bearer\s+)?", re.IGNORECASE)
_QUOTES: Final = ("'", '"', "`")
_SHORT: Final = 40
_BYTE_ORDER_MARK: Final = "\ufeff"
_BLANK: Final = re.compile(r"\s")
_MASK: Final = re.compile(r"…|\*{3,}|•|\.\.\.")
_PLACEHOLDER: Final = re.compile(r"your[_-]|<.*>|\A(?:api|secret)?[_-]?key\Z|x{6,}", re.IGNORECASE)
_OWN_ID: Final = re.compile(r"(?:key|pk|org|chk)_[0-9A-Za-z]{22}")
_ADDRESS: Final = re.compile(r"\A(?:https?://|www\.)", re.IGNORECASE)
_CHOOSE: Final = "Choose the provider that it belongs to."
FOREIGN_KINDS: Final = (
    WrongKind("AKIA", "an AWS access key id", _CHOOSE),
    WrongKind("ASIA", "a temporary AWS access key id", _CHOOSE),
    WrongKind("ABSK", "an Amazon Bedrock API key", _CHOOSE),
    WrongKind("bedrock-api-key-", "an Amazon Bedrock API key", _CHOOSE),
    WrongKind("AIza", "a Google API key", _CHOOSE),
    WrongKind("byok_", "an API key of this product", "Paste the key that your provider gave you."),
    WrongKind("byokc_", "a console token of this product", "Paste the key that your provider gave you."),
    WrongKind("{", "a JSON document", "Paste the key alone."),
)


@dataclass(frozen=True, slots=True)
class Linted:
    """A cleaned key and a hint about its shape (empty when there is nothing to say)."""

    key: str
    hint: str

    def __repr__(self) -> str:
        return "Linted(…)"


def lint(provider: ApiKeyProvider, pasted: str, *, fixed: bool = False) -> Linted:
    """Clean ``pasted`` and judge whether it can be a key of ``provider``. Raises ``Refused``.

    ``fixed``: the provider was chosen for good, so that nobody is told to choose another.
    """
    # Before anything else: cleaning looks at the text more than once, and a mebibyte of quotes took minutes (measured).
    if len(pasted) > _MAX_PASTE:
        raise Refused(_TOO_LONG)
    key = clean(pasted)
    _refuse_what_is_no_key(key)
    _refuse_wrong_kind(provider, key)
    _refuse_foreign(provider, key, f"Paste a key of {provider.label}, or add this one as a new key." if fixed else "")
    return Linted(key, _hint(provider, key))


def _hint(provider: ApiKeyProvider, key: str) -> str:
    if not provider.shape or provider.looks_usual(key):
        return ""
    alike = [other.label for other in _others(provider) if other.looks_usual(key)]
    guess = f"; it looks like one of {alike[0]}" if len(alike) == 1 else ""
    return f"This doesn’t look like a usual {provider.label} key{guess}. Testing it will tell."


def _others(provider: ApiKeyProvider) -> Iterator[ApiKeyProvider]:
    return (other for other in registry.all() if isinstance(other, ApiKeyProvider) and other is not provider)


def clean(pasted: str) -> str:
    """``pasted`` without what copying adds: blanks, quotes, ``Bearer``, a header's name, ``export X=``."""
    key = pasted.strip().strip(_BYTE_ORDER_MARK).strip()
    key = _HEADER.sub("", _unquoted(key))
    key = _ASSIGNMENT.sub("", key) if "=" in key else key
    return _HEADER.sub("", _unquoted(key.rstrip(";").strip()))


def _unquoted(text: str) -> str:
    while text[:1] and len(text) > 1 and text[0] == text[-1] and text[0] in _QUOTES:
        text = text[1:-1].strip()
    return text


def _refuse_what_is_no_key(key: str) -> None:
    if not key:
        raise Refused("Enter the API key.")
    if len(key) > MAX_KEY_CHARACTERS:
        raise Refused(_TOO_LONG)
    if _MASK.search(key):
        raise Refused("This is the masked form of a key, which can never be used. Paste the whole key.")
    if _OWN_ID.fullmatch(key):
        raise Refused("This is an id of this console, not a key. It can never be used. Paste your provider’s key.")
    if _ADDRESS.match(key):
        raise Refused("This is a web address, not a key. It can never be used. Paste the key that is found there.")
    if _BLANK.search(key):
        raise Refused("An API key has no blanks or line breaks inside. Paste the key alone.")
    if not (key.isascii() and key.isprintable()):
        raise Refused("This holds invisible or non-ASCII characters. Copy the key again from your provider.")
    if _PLACEHOLDER.search(key) and len(key) < _SHORT:
        raise Refused("This is a placeholder. Paste the key that your provider gave you.")


def _refuse_wrong_kind(provider: ApiKeyProvider, key: str) -> None:
    for kind in provider.wrong_kinds:
        if key.startswith(kind.prefix):
            raise Refused(f"This is {kind.what}. It can never be used for requests. {kind.instead}")


def _refuse_foreign(provider: ApiKeyProvider, key: str, instead: str) -> None:
    # A key without any prefix may begin like somebody else's by chance; its shape then speaks for it.
    if provider.owns(key) or provider.looks_usual(key):
        return
    for other in _others(provider):
        _refuse_wrong_kind(other, key)
        if other.owns(key):
            end = f". {instead}" if instead else f": choose {other.label} as the provider, or paste another key."
            raise Refused(f"This is a key of {other.label}. It can never be used with {provider.label}{end}")
    for kind in FOREIGN_KINDS:
        if key.startswith(kind.prefix):
            end = instead if instead and kind.instead == _CHOOSE else kind.instead
            raise Refused(f"This is {kind.what}. It can never be used with {provider.label}. {end}")
