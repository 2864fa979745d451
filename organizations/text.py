"""What people may call things, and how such names are shown where a line or a cell must stay whole."""

import re
import unicodedata
from typing import Final

from django.core.exceptions import ValidationError

NAME_LENGTH = 100

# Control characters end lines and drive terminals; the line and paragraph separators and the bidirectional marks move
# text about.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNRULY = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Embeddings, overrides and isolates turn whatever stands around a name; the rest is seen by nobody, and makes two names
# of what looks like one. Mongolian needs some of them behind its letters; tags have one use, in a flag (see ``_FLAG``).
_DECEIVING = re.compile(
    r"[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u200b\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0"
    r"\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    r"|(?<![\u1820-\u18aa])[\u180b-\u180f]"
)
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")
_MARK = re.compile(r"[\u061c\u200e\u200f]")
_JOINER = re.compile(r"[\u200c\u200d]")
_VIRAMA: Final = 9
_EMOJI_STYLE: Final = "\ufe0f"


def validate_single_line(value: str) -> None:
    """Refuse what would break or turn a line, and what nobody sees. Raises ValidationError.

    Emoji and every script pass: a joiner where it joins something, a mark of direction where a letter runs that way.
    """
    if _CONTROL.search(value):
        raise ValidationError("Use one line of plain text, without control characters.", code="control_characters")
    if _DECEIVING.search(_FLAG.sub("", value)) or _has_idle_joiner(value) or _has_idle_mark(value):
        raise ValidationError(
            "This holds characters that are invisible or turn the text around. Type the name instead of pasting it.",
            code="invisible_characters",
        )


def _has_idle_joiner(text: str) -> bool:
    return any(not _joins(text[: found.start()][-1:], text[found.end() :][:1]) for found in _JOINER.finditer(text))


def _joins(before: str, after: str) -> bool:
    """Whether a joiner between these two has a use: after an Indic virama, in Arabic script, in an emoji."""
    if not before or unicodedata.combining(before) == _VIRAMA:
        return bool(before)
    if unicodedata.bidirectional(before) == "AL":
        return after != ""
    is_emoji = before == _EMOJI_STYLE or unicodedata.category(before) in {"So", "Sk"}
    return is_emoji and after != "" and unicodedata.category(after) in {"So", "Sm"}


def _has_idle_mark(text: str) -> bool:
    return bool(_MARK.search(text)) and not any(
        unicodedata.bidirectional(letter) in {"R", "AL"} for letter in _MARK.sub("", text)
    )


def visible(text: str) -> str:
    r"""Return the text with everything that could forge a line or a cell written out, as in `\x1b`."""
    return _UNRULY.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
