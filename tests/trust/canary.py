"""Canaries: secrets that must turn up nowhere, and a search that knows them in every disguise.

Each run makes its own, so whatever is found has leaked in this run. Eight consecutive characters of a canary's random
part are a hit, twelve of a hexadecimal one: half a mask is caught, a hint is not.
"""

import re
import secrets
import string
from array import array
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import compress
from typing import Final, NamedTuple, Self

from organizations.models.api_key import PREFIX
from organizations.tokens import LOOKUP_LENGTH, lookup_of
from tests.fakeproviders import providers, samples
from tests.fakeproviders.shape import API_KEY
from tests.trust.layers import DEPTH, inside

WINDOW: Final = 8
HEXADECIMAL_WINDOW: Final = 12
_LONGEST_CHANCE: Final = 20
_ALPHANUMERIC: Final = string.ascii_letters + string.digits
# A shortest hit covers eight bytes, so it holds one of its 5-grams wherever every fourth of them is looked up.
_GRAM: Final = 5
_STEP: Final = WINDOW - _GRAM + 1
# A stream has less than a mebibyte.
_OFFSET_BITS: Final = 20
_OFFSETS: Final = (1 << _OFFSET_BITS) - 1
# Of texts up to this length it pays to remember what was found in them.
_SHORT: Final = 4096
STRAY: Final = "an API key that nobody was shown"
_OUR_KEY: Final = re.compile(rb"byok_[0-9A-Za-z]{50}")
# Version and time of a Fernet token: shared by all that were made in the same second.
_TOKEN_HEAD: Final = 12


@dataclass(frozen=True)
class Canary:
    """A secret of this run. ``name`` stands for it in reports; ``pieces`` are its random parts."""

    name: str
    value: str = field(repr=False)
    pieces: tuple[bytes, ...] = field(repr=False)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def whole(cls, name: str, value: str) -> Self:
        """A secret that is random from its first to its last character."""
        return cls(name, value, (value.encode(),))

    @classmethod
    def provider_key(cls, name: str, provider: str, scenario: str) -> Self:
        """A fresh credential that gets this answer. What those of a provider have in common is no part of the secret."""
        value = samples.fresh_key(provider, scenario)
        return cls(
            name, value, tuple(piece for one in cls.fields(name, provider, value).values() for piece in one.pieces)
        )

    @classmethod
    def fields(cls, name: str, provider: str, credential: str) -> dict[str, Self]:
        """A canary for each field of a fresh ``credential``: some of them may be where others may not."""
        parts = providers.get(provider).shape.secret_parts(credential)
        return {
            part: cls(name if part == API_KEY else f"{name}, {part}", credential, tuple(map(str.encode, pieces)))
            for part, pieces in parts.items()
        }

    @classmethod
    def api_key(cls, name: str, plaintext: str) -> Self:
        """A key of ours. Its look-up part is public."""
        return cls(name, plaintext, (plaintext[len(PREFIX) + LOOKUP_LENGTH :].encode(),))

    @classmethod
    def hexadecimal(cls, name: str, value: str, public: str) -> Self:
        """A secret of hexadecimal digits behind a ``public`` beginning."""
        return cls(name, value, (value.removeprefix(public).encode(),))

    @classmethod
    def fernet_key(cls, name: str, value: str) -> Self:
        """A key of the vault, also as the bytes that it stands for."""
        return cls(name, value, (value.rstrip("=").encode(), urlsafe_b64decode(value)))

    @classmethod
    def ciphertext(cls, name: str, token: str) -> Self:
        """What the vault has sealed: no secret, but gone after a deletion."""
        return cls(name, token, (token[_TOKEN_HEAD:].rstrip("=").encode(),))

    @classmethod
    def password(cls, name: str) -> Self:
        """What a person might choose: no eight characters of it look the same in every encoding."""
        groups = ("".join(secrets.choice(_ALPHANUMERIC) for _ in range(3)) for _ in range(8))
        return cls.whole(name, "".join(map("".join, zip(groups, "\"é<+& '/", strict=True))) + "Z")


def window_of(piece: bytes) -> int:
    """How many characters of it in a row are a hit. What is short has hexadecimal digits alone by chance."""
    is_hexadecimal = len(piece) > _LONGEST_CHANCE and re.fullmatch(rb"[0-9a-fA-F]*", piece)
    return HEXADECIMAL_WINDOW if is_hexadecimal else WINDOW


class Hit(NamedTuple):
    """A canary was found. It can be printed: it names the canary and shows no part of it."""

    place: str
    canary: str
    encoding: str


type _Found = frozenset[tuple[str, str]]
"""The names of canaries, each with the encoding that it was found in."""


class _Stream(NamedTuple):
    """A piece of a canary as one encoding writes it, and how many of its characters in a row are a hit."""

    canary: Canary
    encoding: str
    data: bytes
    need: int


def streams(canary: Canary) -> Iterator[_Stream]:
    """All disguises that a text decoder does not take off: see ``layers.py`` for the others."""
    for piece in canary.pieces:
        window = window_of(piece)
        yield _Stream(canary, "raw", piece, window)
        for shift in range(3):
            start, end, need = -(-8 * shift // 6), 8 * (shift + len(piece)) // 6, (8 * window - 4) // 6
            yield _Stream(canary, "base64", b64encode(bytes(shift) + piece)[start:end], need)
            yield _Stream(canary, "base64url", urlsafe_b64encode(bytes(shift) + piece)[start:end], need)
        yield _Stream(canary, "hex", piece.hex().encode(), 2 * window)
        yield _Stream(canary, "hex", piece.hex().upper().encode(), 2 * window)
        with suppress(UnicodeDecodeError):
            yield _Stream(canary, "utf-16", piece.decode().encode("utf-16-le"), 2 * window - 1)


class Search:
    """Looks for all canaries at once: the time grows with the haystack alone, and with what is new in it.

    Pages, tables and messages repeat themselves, so what was found in a line or in a short text is remembered.
    """

    def __init__(self, canaries: Iterable[Canary]) -> None:
        canaries = list(canaries)
        self._known = {canary.value for canary in canaries}
        # Mostly the two kinds of base64 are the same.
        different = {(canary, one.data): one for canary in canaries for one in streams(canary)}
        self._streams = list(different.values())
        # Where each gram stands, as number of the stream and offset in one integer; the further places of a gram apart.
        self._grams: dict[bytes, int] = {}
        self._more: dict[bytes, list[int]] = defaultdict(list)
        for number, stream in enumerate(self._streams):
            data, grams, start = stream.data, self._grams, number << _OFFSET_BITS
            for at in range(len(data) - _GRAM + 1):
                gram = data[at : at + _GRAM]
                if grams.setdefault(gram, start + at) != start + at:
                    self._more[gram].append(start + at)
        self._starts = frozenset(array("I", b"".join(gram[:_STEP] for gram in self._grams)))
        self._overlap = max((stream.need for stream in self._streams), default=1) - 1
        self._lines: dict[bytes, _Found] = {}
        self._texts: dict[tuple[bytes, int], _Found] = {}

    def hits(self, place: str, data: bytes) -> set[Hit]:
        """Everything found in ``data`` and in what is wrapped in it."""
        return {Hit(place, *found) for found in self._wrapped(data, 0)}

    def hits_on_top(self, place: str, data: bytes) -> set[Hit]:
        """What is found in ``data`` as it is."""
        return {Hit(place, *found) for found in self._found(data)}

    def _wrapped(self, data: bytes, depth: int) -> _Found:
        if len(data) > _SHORT:
            return self._searched(data, depth)
        if (data, depth) not in self._texts:
            self._texts[data, depth] = self._searched(data, depth)
        return self._texts[data, depth]

    def _searched(self, data: bytes, depth: int) -> _Found:
        found = self._found(data) | self._strays(data)
        if depth < DEPTH:
            found = found.union(*(self._wrapped(inner, depth + 1) for inner in inside(data)))
        return found

    def _found(self, data: bytes) -> _Found:
        """Line by line, each with so much of what stands before it that no hit across its beginning is missed."""
        lines, found, at = self._lines, set[tuple[str, str]](), 0
        while at < len(data):
            end = data.find(b"\n", at) + 1 or len(data)
            line = data[max(at - self._overlap, 0) : end]
            if line not in lines:
                lines[line] = self._found_in(line)
            found |= lines[line]
            at = end
        return frozenset(found)

    def _found_in(self, data: bytes) -> _Found:
        found = set()
        for at in self._places(data):
            gram = data[at : at + _GRAM]
            if gram not in self._grams:
                continue
            for stands in (self._grams[gram], *self._more.get(gram, ())):
                stream = self._streams[stands >> _OFFSET_BITS]
                name = stream.canary.name, stream.encoding
                if name not in found and _run(stream, stands & _OFFSETS, data, at) >= stream.need:
                    found.add(name)
        return frozenset(found)

    def _places(self, data: bytes) -> Iterator[int]:
        """Each fourth offset where a gram could start, by its first four bytes: taken as numbers, they are looked up fast."""
        words = array("I", data[: len(data) // _STEP * _STEP])
        return compress(range(0, len(data), _STEP), map(self._starts.__contains__, words))

    def _strays(self, data: bytes) -> _Found:
        """API keys that were made and never shown, so that nobody knows them as a canary."""
        found = {text.decode() for text in _OUR_KEY.findall(data)} - self._known
        return frozenset((STRAY, "raw") for text in found if lookup_of(PREFIX, text))


def _run(stream: _Stream, offset: int, data: bytes, at: int) -> int:
    """How many characters in a row of ``stream`` stand in ``data`` around a gram that both share."""
    left = right = 0
    ours, theirs = stream.data[:offset][::-1], data[max(at - len(stream.data), 0) : at][::-1]
    for one, other in zip(ours, theirs, strict=False):
        if one != other:
            break
        left += 1
    for one, other in zip(stream.data[offset:], data[at : at + len(stream.data)], strict=False):
        if one != other:
            break
        right += 1
    return left + right
