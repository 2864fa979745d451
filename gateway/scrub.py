"""Takes every part of a secret out of what a provider says to it: errors like to repeat the key."""

from typing import Final

SHORTEST: Final = 8
"""Characters of a secret in a row that are a part of it."""

_MASK: Final = b"*"


def scrub(text: bytes, secret: str) -> bytes:
    """``text`` with each run of eight or more characters of ``secret`` masked, at its length."""
    masked, hidden = bytearray(text), secret.encode()
    for start in range(max(len(hidden) - SHORTEST + 1, 0)):
        part = hidden[start : start + SHORTEST]
        at = text.find(part)
        while at >= 0:
            masked[at : at + SHORTEST] = _MASK * SHORTEST
            at = text.find(part, at + 1)
    return bytes(masked)
