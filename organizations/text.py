"""What people may call things, and how such names are shown where a line or a cell must stay whole."""

import re

from django.core.exceptions import ValidationError

NAME_LENGTH = 100

# Control characters end lines and drive terminals; the line and paragraph separators and the bidirectional marks move
# text about. A joiner inside an emoji is harmless and stays.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UNRULY = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def validate_single_line(value: str) -> None:
    """Refuse control characters. Raises ValidationError."""
    if _CONTROL.search(value):
        raise ValidationError("Use one line of plain text, without control characters.", code="control_characters")


def visible(text: str) -> str:
    r"""Return the text with everything that could forge a line or a cell written out, as in `\x1b`."""
    return _UNRULY.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
