"""How an answer comes, as the end of the model's id asks for it: ``gpt-4o-every100x50``, ``…-size64``, ``…-after500``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_SUFFIX: Final = re.compile(
    r"-(?:every(?P<every>\d+)x(?P<events>[1-9]\d*)|size(?P<size>[1-9]\d*)|after(?P<after>\d+))$"
)
_SHORT: Final = 4
_BLOCK: Final = 4096
_KIB: Final = 1024

Pieces = Iterator[tuple[float, str]]
"""Pieces of text, each with the seconds to wait before it."""


@dataclass(frozen=True, slots=True)
class Manner:
    """``events`` pieces of text (0: a few), ``every`` seconds apart; ``size`` bytes of text (0: what there is to say); the
    first byte ``after`` seconds.
    """

    every: float = 0.0
    events: int = 0
    size: int = 0
    after: float = 0.0

    def pieces(self, text: str) -> Pieces:
        """What there is to say, piece by piece.

        With ``events`` and no ``size`` the first is ``text`` and the others are numbers, so that it shows when one is lost.
        """
        if self.events and not self.size:
            yield 0.0, text
            for number in range(2, self.events + 1):
                yield self.every, f" {number}"
            return
        whole = text.ljust(self.size - len(text.encode()) + len(text), ".")
        step = -(-len(whole) // (self.events or _SHORT))
        step = step if self.events or not self.size else _BLOCK
        for start in range(0, len(whole), step):
            yield self.every if start else 0.0, whole[start : start + step]

    def whole(self, text: str) -> str:
        """All of it in one piece."""
        return "".join(piece for _, piece in self.pieces(text))


@lru_cache(maxsize=1024)
def read(model: str) -> Manner:
    """What the end of ``model`` asks for; several suffixes may follow each other."""
    manner: dict[str, float] = {}
    while found := _SUFFIX.search(model):
        manner |= {name: float(value) for name, value in found.groupdict().items() if value}
        model = model[: found.start()]
    return Manner(
        every=manner.get("every", 0.0) / 1000,
        events=int(manner.get("events", 0)),
        size=int(manner.get("size", 0)) * _KIB,
        after=manner.get("after", 0.0) / 1000,
    )
