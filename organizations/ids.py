"""Public ids: made in Python, used as primary keys, shown in URLs.

They are made before the insert, because a sealed secret must name its record before that record exists.
"""

import os
import secrets
import string
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    _CharField = models.CharField[str, str]
else:
    _CharField = models.CharField

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
# Of 256 bytes each character has four; the eight that are left over would favour the first ones.
_TO_BASE62 = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
_UNEVEN = bytes(range(248, 256))
ID_BITS = 128
ID_LENGTH = 22  # 62 ** 22 > 2 ** 128


def base62(number: int, length: int) -> str:
    """Write a non-negative number in base 62, with zeros in front to at least `length` characters.

    A small number takes as many steps as a large one: of a key's checksum time tells nothing.
    """
    digits = ""
    while len(digits) < length or number:
        number, remainder = divmod(number, len(ALPHABET))
        digits = ALPHABET[remainder] + digits
    return digits


def random_base62(length: int) -> str:
    """Return `length` independent random characters, 5.95 bits each: a double-click selects all of them."""
    characters = ""
    while len(characters) < length:
        characters += os.urandom(2 * length).translate(_TO_BASE62, delete=_UNEVEN).decode()
    return characters[:length]


def new_id(prefix: str) -> str:
    """Return a new id such as `org_` + 22 base62 characters that carry 128 random bits."""
    return f"{prefix}_{base62(secrets.randbits(ID_BITS), ID_LENGTH)}"


def id_by(prefix: str, *words: str) -> str:
    """Return the id that these words have, the same each time, and that nobody outside can work out from them."""
    digest = salted_hmac("organizations.ids", "\0".join(words), algorithm="sha256").digest()
    return f"{prefix}_{base62(int.from_bytes(digest[: ID_BITS // 8]), ID_LENGTH)}"


class PublicIdField(_CharField):
    """The primary key of every model: a text id whose prefix tells what it names."""

    def __init__(self, *, prefix: str, **kwargs: Any) -> None:
        self.prefix = prefix
        super().__init__(
            **{
                "primary_key": True,
                "max_length": 40,
                "editable": False,
                "default": partial(new_id, prefix),
                **kwargs,
            }
        )

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        # PostgreSQL refuses text with a NUL, in a look-up too. No id has one, so that it is nobody's.
        return text.replace("\0", "?") if isinstance(text, str) else text

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        for implied in ("primary_key", "max_length", "editable", "default"):
            kwargs.pop(implied, None)
        return name, path, args, {"prefix": self.prefix, **kwargs}
