"""The closed vocabulary of a check: a verdict, and the reason that explains it in one sentence and one next step."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Final

_SAVING: Final = re.compile(r"^save it\. ?|, or save it untested| Saving is fine[^.]*\.")
_AS_IT_IS: Final = ("or save it as it is", "or leave it as it is")


class Verdict(StrEnum):
    """What a check says about a credential (``architecture.md`` §4 of the design: a closed set)."""

    VALID = "valid"
    LIMITED = "limited"
    INVALID = "invalid"
    FORBIDDEN = "forbidden"
    UNREACHABLE = "unreachable"

    @property
    def word(self) -> str:
        """The word that people see first, e.g. ``Valid``."""
        return self.value.capitalize()

    @property
    def is_judgement(self) -> bool:
        """Whether the provider judged the credential. Only a judgement replaces an earlier verdict."""
        return self is not Verdict.UNREACHABLE


@dataclass(frozen=True, slots=True)
class Link:
    """A place at the provider where the next step is done."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a verdict was given.

    ``next_step`` is one sentence; where it holds ``{link}``, the link stands there.
    """

    verdict: Verdict
    sentence: str
    next_step: str = ""
    link: Link | None = None

    @property
    def once_stored(self) -> "Reason":
        """The same of credentials that are saved already: nobody is told to save them."""
        return replace(self, next_step=_SAVING.sub("", self.next_step).replace(*_AS_IT_IS))

    @property
    def step_parts(self) -> tuple[str, Link | None, str]:
        """The next step as (text before the link, the link, text after it)."""
        before, found, after = self.next_step.partition("{link}")
        return before, self.link if found else None, after


def _not_judged(sentence: str, next_step: str) -> Reason:
    return Reason(Verdict.UNREACHABLE, f"{sentence} The key was not judged.", next_step)


_AGAIN = "test again in a minute, or save it untested."


@cache
def common_reasons(label: str) -> Mapping[str, Reason]:
    """The reasons that every provider shares, spoken with the provider's name ``label``."""
    return {
        "timeout": _not_judged(f"{label} didn’t answer in 10 s.", _AGAIN),
        "dns": _not_judged(
            f"The address of {label} could not be looked up.",
            "test again in a minute, or save it untested. If it stays, ask the person who runs this server about its "
            "name resolution.",
        ),
        "connect": _not_judged(
            f"No connection to {label} could be made.", "check this server’s way out to the internet, then test again."
        ),
        "proxy": _not_judged(
            f"The outbound proxy did not lead to {label}.", "check OUTBOUND_PROXY on this server, then test again."
        ),
        "tls": _not_judged(
            f"The secure connection to {label} failed: its certificate was not accepted.",
            "check for a proxy that opens TLS and OUTBOUND_CA_FILE on this server, then test again.",
        ),
        "reset": _not_judged(f"{label} closed the connection in mid-answer.", _AGAIN),
        "redirect": _not_judged(
            f"{label}’s address answered with a redirect, which is never followed with a key.",
            "check for a proxy or captive portal on this server’s way out, then test again.",
        ),
        "too_large": _not_judged(f"The answer of {label}’s address was far too large.", _AGAIN),
        "server_error": _not_judged(
            f"{label} has a problem of its own just now.", "test again later, or save it untested."
        ),
        "unexpected": _not_judged(
            f"{label}’s address gave an answer that this check doesn’t know.",
            "test again; if it stays, check for a proxy or captive portal on this server’s way out.",
        ),
        "did_not_finish": _not_judged("The test did not finish in its time.", "test again, or save it untested."),
        "changed": Reason(
            Verdict.UNREACHABLE, "The credentials were changed while they were tested; the new ones are tested instead."
        ),
        "withdrawn": _not_judged(
            "Whoever started this test is not an Admin of the organization any more, so nothing was sent.",
            "ask an Admin to test it.",
        ),
        "unreadable": _not_judged("The stored credentials can’t be read.", "type them again and save."),
        "rate_limited": Reason(
            Verdict.LIMITED,
            f"{label} accepts the key, but limits its requests just now.",
            "saving is fine; test again later.",
        ),
    }
