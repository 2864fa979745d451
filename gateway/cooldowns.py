"""Provider keys that were told to wait: each process leaves them alone for as long as their provider asked."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from gateway.resolve import Candidate

_LONGEST: Final = 300.0
_until: dict[tuple[str, int], float] = {}


def in_order(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates as they are to be tried: those that may be asked now come first, and none is left out."""
    if not _until:
        return list(candidates)
    now = time.monotonic()
    return sorted(candidates, key=lambda one: _until.get(_name(one), 0) > now)


def start(candidate: Candidate, retry_after: str) -> None:
    """Leave ``candidate`` alone for ``retry_after``, as the header says it: seconds or a date, five minutes at most."""
    seconds = _seconds(retry_after)
    if not seconds > 0:
        # Not a number either.
        return
    now = time.monotonic()
    for name in [name for name, until in _until.items() if until <= now]:
        del _until[name]
    _until[_name(candidate)] = now + min(seconds, _LONGEST)


def clear() -> None:
    """Forget them all: for tests."""
    _until.clear()


def _name(candidate: Candidate) -> tuple[str, int]:
    # With its version: a replaced secret has nothing to wait for.
    return candidate.id, candidate.credentials_version


def _seconds(retry_after: str) -> float:
    try:
        return float(retry_after)
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return 0
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
