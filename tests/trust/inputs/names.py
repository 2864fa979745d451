"""What is typed as a name, and as the day on which an API key ends."""

from typing import Final

from tests.trust.inputs.table import SAVES, Cleaned, Input, Refused

_EMPTY: Final = "Give the key a name."
_LONG: Final = "Use at most 100 characters."
_CONTROL: Final = "Use one line of plain text, without control characters."
_UNSEEN: Final = (
    "This holds characters that are invisible or turn the text around. Type the name instead of pasting it."
)

_REFUSED: Final = {
    "nothing": ("", _EMPTY),
    "blanks alone": (" \t ", _EMPTY),
    "wide blanks alone": ("\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}", _EMPTY),
    "101 characters": ("x" * 101, _LONG),
    "101 emoji": ("🔑" * 101, _LONG),
    "100,000 characters": ("x" * 100_000, _LONG),
    "a line break inside": ("Production\nKey", _CONTROL),
    "a NUL inside": ("Production\0Key", _CONTROL),
    "an escape inside": ("Production\x1b[2KKey", _CONTROL),
    "a C1 control inside": ("Production\x85Key", _CONTROL),
    "a line separator inside": ("Production\N{LINE SEPARATOR}Key", _CONTROL),
    "an override of direction": ("Production\N{RIGHT-TO-LEFT OVERRIDE}yeK", _UNSEEN),
    "an isolate": ("\N{LEFT-TO-RIGHT ISOLATE}Production\N{POP DIRECTIONAL ISOLATE}", _UNSEEN),
    "a mark of direction without a letter for it": ("Production\N{RIGHT-TO-LEFT MARK}", _UNSEEN),
    "a zero-width space": ("Production\N{ZERO WIDTH SPACE}Key", _UNSEEN),
    "a joiner that joins nothing": ("Production\N{ZERO WIDTH JOINER}Key", _UNSEEN),
    "a byte order mark": ("\ufeffProduction", _UNSEEN),
    "a soft hyphen": ("Produc\N{SOFT HYPHEN}tion", _UNSEEN),
    "nothing that is seen": ("\N{HANGUL FILLER}", _UNSEEN),
}
_CLEANED: Final = {
    "blanks around": ("  Production Key \n", "Production Key"),
    "100 characters": ("x" * 100, "x" * 100),
    "markup": ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    "a template": ("{{7*7}}{% now 'Y' %}", "{{7*7}}{% now 'Y' %}"),
    "quotes": ("\"'><b hx-on:load=x>", "\"'><b hx-on:load=x>"),
    "emoji that are joined": ("👩‍💻 team 🏳️‍🌈", "👩‍💻 team 🏳️‍🌈"),
    "a right-to-left script": ("מפתח ייצור", "מפתח ייצור"),
    "a right-to-left script with a mark": ("مفتاح (٢)\N{RIGHT-TO-LEFT MARK}", "مفتاح (٢)\N{RIGHT-TO-LEFT MARK}"),
    "Persian with its non-joiner": ("می\N{ZERO WIDTH NON-JOINER}خواهم", "می\N{ZERO WIDTH NON-JOINER}خواهم"),
}

INPUTS: Final = (
    *(Input(name, {"name": text}, Refused(says, "name"), forms=SAVES) for name, (text, says) in _REFUSED.items()),
    *(Input(name, {"name": text}, Cleaned(to), forms=SAVES) for name, (text, to) in _CLEANED.items()),
)

# Django says it in its own words to staff, below the name's label.
IN_ADMIN: Final = {
    _EMPTY: "This field is required.",
    _LONG: "Ensure this value has at most 100 characters (it has {length}).",
}

_DATE: Final = "Choose a date between today and ten years from now."
EXPIRATIONS: Final = (
    *(
        Input(name, {"expiration": "date", "expires_on": text}, Refused(says, "expires_on"))
        for name, (text, says) in {
            "no date": ("", "Choose the date."),
            "yesterday, long ago": ("2001-01-01", _DATE),
            "the last day there is": ("9999-12-31", _DATE),
            "the first day there is": ("0001-01-01", _DATE),
            "no date but a word": ("tomorrow", "Enter a valid date."),
            "a NUL in the date": ("2030-01-\0", "Enter a valid date."),
        }.items()
    ),
    Input(
        "a choice that is none",
        {"expiration": "10000"},
        Refused("Choose when the key ends from the list.", "expiration"),
    ),
)
