"""Takes every part of a secret out of what a provider says to it: errors like to repeat the key."""

from collections.abc import Iterable
from typing import Final

SHORTEST: Final = 8
"""Characters of a secret in a row that are a part of it."""

_MASK: Final = b"*"


def scrub(text: bytes, secrets: Iterable[str]) -> bytes:
    """``text`` with each run of eight or more characters of a secret masked, at its length."""
    for secret in secrets:
        text = _without(text, secret.encode())
    return text


def _without(text: bytes, secret: bytes) -> bytes:
    masked = bytearray(text)
    for start in range(max(len(secret) - SHORTEST + 1, 0)):
        part = secret[start : start + SHORTEST]
        at = text.find(part)
        while at >= 0:
            masked[at : at + SHORTEST] = _MASK * SHORTEST
            at = text.find(part, at + 1)
    return bytes(masked)
