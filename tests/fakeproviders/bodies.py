"""Looking for secrets in bodies of any size, which may hold images: quickly, and without finding what chance put there."""

import string
from collections.abc import Iterator
from typing import Final

_WORD: Final = frozenset(f"{string.ascii_letters}{string.digits}_-".encode())
_BASE64: Final = frozenset(f"{string.ascii_letters}{string.digits}+/".encode())
# The line break of a private key, as JSON writes it, is a letter to whoever looks at one byte.
_NEW_LINE: Final = b"\\n"


def holds(body: bytes, starts: tuple[str, ...], least: int = 0, *, anywhere: bool) -> bool:
    """Whether ``body`` holds one of ``starts`` with at least ``least`` more characters of a secret.

    Unless ``anywhere``, it must not stand in the middle of base64, where four given characters turn up by chance.
    """
    return any(
        (anywhere or _begins_at(body, at)) and _goes_on(body, at + len(start), least)
        for start in starts
        for at in _places(body, start.encode())
    )


def _places(body: bytes, start: bytes) -> Iterator[int]:
    at = body.find(start)
    while at >= 0:
        yield at
        at = body.find(start, at + 1)


def _begins_at(body: bytes, at: int) -> bool:
    return at == 0 or body[at - 1] not in _BASE64 or body[max(at - 2, 0) : at] == _NEW_LINE


def _goes_on(body: bytes, at: int, least: int) -> bool:
    piece = body[at : at + least]
    return len(piece) == least and _WORD.issuperset(piece)
