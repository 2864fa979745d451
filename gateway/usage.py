"""How many tokens an answer says it used, read from its two ends after it has gone by. Never counted here."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

# A quote within an answer's own text is escaped, so this stands in no text. It starts with what is looked for, and only
# then looks back: so the search runs through 20 kB in 9 µs instead of 250.
_USAGE: Final = re.compile(rb'"usage"(?<!\\"usage")\s*:\s*(?=\{)')
_DECODER: Final = json.JSONDecoder()
_IN: Final = ("prompt_tokens", "input_tokens")
_OUT: Final = ("completion_tokens", "output_tokens")
_MOST: Final = 2**31 - 1
# Of a thousand places that look like it, none is worth the time.
_FEW: Final = 4


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens in and out; ``None`` where the provider doesn't say."""

    tokens_in: int | None = None
    tokens_out: int | None = None


def read(head: bytes, tail: bytes | bytearray) -> Usage:
    """The last word on each: streams say the input at their beginning and count the output up."""
    tokens_in = tokens_out = None
    # A short answer is its own head and tail.
    for said in (*_said(head), *(_said(tail) if tail != head else ())):
        tokens_in = _number(said, _IN, tokens_in)
        tokens_out = _number(said, _OUT, tokens_out)
    return Usage(tokens_in, tokens_out)


def _said(text: bytes | bytearray) -> list[dict[str, Any]]:
    found = []
    marks = list(_USAGE.finditer(text))
    for mark in marks if len(marks) <= 2 * _FEW else (*marks[:_FEW], *marks[-_FEW:]):
        try:
            value, _ = _DECODER.raw_decode(text[mark.end() : mark.end() + 4096].decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def _number(said: dict[str, Any], names: tuple[str, ...], otherwise: int | None) -> int | None:
    values = (said.get(name) for name in names)
    return next((value for value in values if type(value) is int and 0 <= value <= _MOST), otherwise)
