"""Provider keys that their provider refused: each is checked again, soon and not too often."""

import asyncio
import logging
import time
from typing import Final

from gateway import db
from gateway.resolve import Candidate
from providerkeys.models import CredentialCheck

log = logging.getLogger(__name__)

_PAUSE: Final = 300.0
_MOST: Final = 10_000
_reported: dict[tuple[str, int], float] = {}
_tasks: set[asyncio.Task[None]] = set()


def report(candidate: Candidate) -> None:
    """Have ``candidate`` checked again, beside the request; at most every five minutes from this process."""
    name, now = (candidate.id, candidate.credentials_version), time.monotonic()
    if _reported.get(name, -_PAUSE) > now - _PAUSE:
        return
    if len(_reported) >= _MOST:
        _reported.clear()
    _reported[name] = now
    task = asyncio.ensure_future(_recheck(candidate.id))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _recheck(provider_key_id: str) -> None:
    try:
        await db.run_beside(lambda: CredentialCheck.recheck(provider_key_id), db.CHECKS)
    except Exception as error:  # noqa: BLE001 -- beside the request: whatever went wrong, the next refusal reports again.
        log.warning("provider key %s was not queued for a check (%s)", provider_key_id, type(error).__name__)


async def settled() -> None:
    """Return when all that was reported is queued: for tests."""
    await asyncio.gather(*_tasks)


def clear() -> None:
    """Report each again: for tests."""
    _reported.clear()
