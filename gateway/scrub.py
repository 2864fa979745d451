"""Takes every part of a secret out of what a provider says to it: errors like to repeat the key."""

from collections.abc import Iterator
from functools import cached_property
from typing import Final

SHORTEST: Final = 8
"""Characters of a secret in a row that are a part of it, in an error."""

SHORTEST_IN_SUCCESS: Final = 16
"""The same in an answer that is to be used: eight of its digits may stand there by chance, and a mask would spoil them."""

_MASK: Final = b"*"
_FORMATS: Final = {4: "I", 8: "Q"}
# Up to here it is quicker to look for some parts of the secret than to take the text apart.
_SMALL: Final = 4096


class Scrubber:
    """Masks each run of ``shortest`` or more characters of ``secret``, at its length: 8 or 16.

    A run covers a whole word of half that length, wherever words begin. So one word out of each half run is looked for,
    and the time does not grow with both the text and the secret.
    """

    def __init__(self, secret: str, shortest: int = SHORTEST) -> None:
        self._secret = secret.encode()
        self._shortest, self._word = shortest, shortest // 2
        self._before = b""

    def whole(self, text: bytes) -> bytes:
        """``text`` without its parts of the secret."""
        return self._masked(text) if self.finds(text) else text

    def some(self, chunk: bytes) -> bytes:
        """The same for what comes piece by piece: a part that began in the chunks before is masked from here on."""
        text = self._before + chunk
        self._before = text[1 - self._shortest :]
        return self._masked(text)[-len(chunk) :] if chunk and self.finds(text) else chunk

    def finds(self, text: bytes) -> bool:
        """Whether a part of the secret may be in ``text``; when not, none is."""
        if len(text) < _SMALL:
            return any(word in text for word in self._some_words)
        return not self._all_words.isdisjoint(self._words_in(text))

    def _masked(self, text: bytes) -> bytes:
        masked = bytearray(text)
        for number, word in enumerate(self._words_in(text)):
            if word in self._all_words:
                for start in range(max((number - 1) * self._word, 0), number * self._word + 1):
                    if text[start : start + self._shortest] in self._runs:
                        masked[start : start + self._shortest] = _MASK * self._shortest
        return bytes(masked)

    def _words_in(self, text: bytes) -> "memoryview[int]":
        whole = memoryview(text)[: len(text) // self._word * self._word]
        return whole.cast(_FORMATS[self._word])  # type: ignore[call-overload, no-any-return]

    def _parts(self, length: int, step: int = 1) -> Iterator[bytes]:
        return (self._secret[start : start + length] for start in range(0, len(self._secret) - length + 1, step))

    @cached_property
    def _some_words(self) -> list[bytes]:
        return list(self._parts(self._word, self._word))

    @cached_property
    def _all_words(self) -> frozenset[int]:
        return frozenset(word for part in self._parts(self._word) for word in self._words_in(part))

    @cached_property
    def _runs(self) -> frozenset[bytes]:
        return frozenset(self._parts(self._shortest))


def scrub(text: bytes, secret: str) -> bytes:
    """``text`` with each run of eight or more characters of ``secret`` masked, at its length."""
    return Scrubber(secret).whole(text)
