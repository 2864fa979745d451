"""The shape of the keys that we hand out: prefix, look-up part, secret, checksum, with nothing but letters and digits
after the prefix.

The look-up part finds the row without revealing anything; the checksum tells a typing error from a wrong key without a
query. Only the SHA-256 of the whole is stored: 190 random bits need neither a salt nor a slow hash, so there is nothing
to rotate.
"""

import hashlib
import hmac
import re
import zlib
from dataclasses import dataclass, field

from organizations.ids import base62, random_base62

LOOKUP_LENGTH = 12
SECRET_LENGTH = 32
CHECKSUM_LENGTH = 6  # 62 ** 6 > 2 ** 32
_BODY = re.compile(rf"[0-9A-Za-z]{{{LOOKUP_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH}}}")


@dataclass(frozen=True)
class Token:
    """A new key. `plaintext` exists here and nowhere else; it is left out of the repr."""

    plaintext: str = field(repr=False)
    lookup: str = field(repr=False)
    digest: str = field(repr=False)
    hint: str


def mint(prefix: str) -> Token:
    """Make a new key that starts with `prefix`, such as `byok_`."""
    lookup = random_base62(LOOKUP_LENGTH)
    body = lookup + random_base62(SECRET_LENGTH)
    plaintext = f"{prefix}{body}{_checksum(body)}"
    return Token(plaintext, lookup, digest(plaintext), hint=f"{prefix}…{plaintext[-4:]}")


def lookup_of(prefix: str, plaintext: str) -> str | None:
    """Return the look-up part of a well-formed key, None for anything that we can never have handed out."""
    body = plaintext.removeprefix(prefix)
    if body == plaintext or not _BODY.fullmatch(body):
        return None
    if _checksum(body[:-CHECKSUM_LENGTH]) != body[-CHECKSUM_LENGTH:]:
        return None
    return body[:LOOKUP_LENGTH]


def digest(plaintext: str) -> str:
    return hashlib.sha256(plaintext.encode()).hexdigest()


def matches(plaintext: str, stored_digest: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(digest(plaintext), stored_digest)


def _checksum(body: str) -> str:
    return base62(zlib.crc32(body.encode()), CHECKSUM_LENGTH)
