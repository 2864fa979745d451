"""Looks into a large JSON object without building it: a document of 32 MiB can be millions of values.

Built as Python's values it would take 800 MiB and keep everybody else waiting for a second or more (measured). So only its
members are told apart, by strings and brackets; what is inside of them is the provider's to judge. The work comes in
pieces of about a millisecond.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

DEEPEST: Final = 1000
MOST: Final = 1_000_000
"""Members and brackets: what a model can read has thousands of them."""

_AT_A_STRETCH: Final = 1024
_STRETCH: Final = 256 * 1024
_MOST_BACKSLASHES: Final = 64 * 1024
# No name that means anything here is longer, with all its characters escaped.
_LONGEST_NAME: Final = 64

_BLANKS: Final = re.compile(rb"[ \t\n\r]*+")
_STRUCTURE: Final = re.compile(rb'["\[\]{}]')
_NUMBER: Final = re.compile(rb"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?+[0-9]++)?+|true|false|null")
_QUOTE: Final = ord('"')
_BACKSLASH: Final = ord("\\")
_CLOSES: Final = {ord("}"): ord("{"), ord("]"): ord("[")}


class TooMany(ValueError):
    """More members and brackets than ``MOST``."""


@dataclass(frozen=True, slots=True)
class Member:
    """Where a value stands, and its name as it was written, in quotes; ``name`` is empty for one of no interest."""

    name: bytes
    start: int
    end: int


type _Text = bytes | bytearray
type _Steps = Generator[None, None, int]
"""Work that may be interrupted at each ``None``. It returns where what it went over ends."""


def members(text: _Text) -> Generator[Member | None]:
    """Each member of the object ``text``, and ``None`` wherever others may have their turn.

    Raises ``ValueError`` for what is no JSON object, ``RecursionError`` for one that is nested too deeply.
    """
    return _Skim(text).members()


class _Skim:
    def __init__(self, text: _Text) -> None:
        self._text = text
        self._steps = self._values = 0

    def members(self) -> Generator[Member | None]:
        text = self._text
        at = self._blanks(self._expect(self._blanks(0), b"{"))
        more = text[at : at + 1] != b"}"
        while more:
            if self._is_time():
                yield None
            name_start, at = at, self._expect(at, b'"')
            name_end = self._short_string(at) or (yield from self._string(at))
            name = bytes(text[name_start:name_end]) if name_end - name_start <= _LONGEST_NAME else b""
            start = self._blanks(self._expect(self._blanks(name_end), b":"))
            end = yield from self._value(start)
            yield Member(name, start, end)
            at = self._blanks(end)
            more = text[at : at + 1] == b","
            at = self._blanks(at + 1) if more else at
        if self._blanks(self._expect(at, b"}")) != len(text):
            raise ValueError

    def _value(self, at: int) -> _Steps:
        first = self._text[at : at + 1]
        if first == b'"':
            return self._short_string(at + 1) or (yield from self._string(at + 1))
        if first in (b"{", b"["):
            return (yield from self._container(at))
        found = _NUMBER.match(self._text, at)
        if not found:
            raise ValueError
        return found.end()

    def _container(self, at: int) -> _Steps:
        text, opened = self._text, bytearray()
        while True:
            found = _STRUCTURE.search(text, at, at + _STRETCH)
            if not found:
                yield
                at += _STRETCH
                if at >= len(text):
                    raise ValueError
                continue
            sign, at = text[found.start()], found.end()
            if self._is_time(counts=sign != _QUOTE):
                yield
            if sign == _QUOTE:
                at = self._short_string(at) or (yield from self._string(at))
            elif sign not in _CLOSES:
                opened.append(sign)
                if len(opened) > DEEPEST:
                    raise RecursionError
            elif opened.pop() != _CLOSES[sign]:
                raise ValueError
            elif not opened:
                return at

    def _short_string(self, at: int) -> int:
        """Behind the string whose first character is ``at``; 0 where its first quote may be a part of it."""
        end = self._text.find(b'"', at)
        return 0 if end < 0 or self._text[end - 1] == _BACKSLASH else end + 1

    def _string(self, at: int) -> _Steps:
        text, quotes = self._text, 0
        while (end := text.find(b'"', at)) >= 0:
            before = text[max(at, end - _MOST_BACKSLASHES) : end]
            backslashes = len(before) - len(before.rstrip(b"\\"))
            if backslashes == _MOST_BACKSLASHES:
                raise ValueError
            if backslashes % 2 == 0:
                return end + 1
            at = end + 1
            quotes += 1
            if quotes % _AT_A_STRETCH == 0:
                yield
        raise ValueError

    def _is_time(self, *, counts: bool = True) -> bool:
        self._steps += 1
        self._values += counts
        if self._values > MOST:
            raise TooMany
        return self._steps % _AT_A_STRETCH == 0

    def _blanks(self, at: int) -> int:
        found = _BLANKS.match(self._text, at)
        return found.end() if found else at

    def _expect(self, at: int, sign: bytes) -> int:
        if self._text[at : at + 1] != sign:
            raise ValueError
        return at + 1
