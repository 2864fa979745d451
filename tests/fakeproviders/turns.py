"""Scenarios that take turns: what a key plays depends on what is asked, and how often it was asked before."""

import re
from typing import Final

LATER: Final = "then"
_FIRST: Final = "first"
FAULTS: Final = ("fails500", "reset", "rate0", "close", "fails503")
"""What ``flaky<n>`` plays, one after the other."""


def scenario(name: str, nth: int, *, inference: bool) -> str:
    """The scenario to play at the ``nth`` request: ``then…`` and its like let every check of the key succeed.

    ``then<scenario>`` plays it for inference, ``first<scenario>`` for the first request for inference alone, and
    ``flaky<n>`` one of ``FAULTS`` for each n-th.
    """
    if name.startswith(LATER):
        return scenario(name.removeprefix(LATER), nth, inference=True) if inference else "good"
    if name.startswith(_FIRST):
        return name.removeprefix(_FIRST) if inference and nth == 1 else "good"
    flaky = re.fullmatch(r"flaky([1-9]\d*)", name)
    if flaky:
        times, rest = divmod(nth, int(flaky[1]))
        return FAULTS[(times - 1) % len(FAULTS)] if inference and not rest else "good"
    return name
