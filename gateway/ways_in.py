"""How candidates reach their providers. What a provider hands out for an hour is asked for once and kept as long."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from gateway.resolve import Candidate
from providerkeys.providers import http
from providerkeys.providers.base import NoWayIn, Provider, Unreachable, WayIn

_MOST: Final = 10_000
# The door blocks: at most 16 sign-ins at once, each 10 s at most.
_executor = ThreadPoolExecutor(16, thread_name_prefix="gateway-sign-in")
_kept: dict[tuple[str, int], tuple[float, WayIn]] = {}
_asking: dict[tuple[str, int], asyncio.Task[WayIn]] = {}


async def way_in(provider: Provider, candidate: Candidate) -> WayIn:
    """Raises ``SecretUnreadable``, ``NoWayIn`` and ``Unreachable``."""
    # Opened even where a token is kept: a secret that can't be read any more serves nobody.
    credential = candidate.open()
    if not provider.signs_in:
        return provider.way_in(credential, http.send)
    name = (candidate.id, candidate.credentials_version)
    kept = _kept.get(name)
    if kept and kept[0] > time.monotonic():
        return kept[1]
    task = _asking.get(name)
    if task is None:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(_executor, provider.way_in, credential, http.send)
        task = _asking[name] = asyncio.ensure_future(_keep(name, work))
    return await asyncio.shield(task)


async def _keep(name: tuple[str, int], work: "asyncio.Future[WayIn]") -> WayIn:
    asked = time.monotonic()
    try:
        found = await work
    finally:
        del _asking[name]
    if len(_kept) >= _MOST:
        _kept.clear()
    _kept[name] = (asked + found.seconds, found)
    return found


def forget(candidate: Candidate) -> None:
    """The provider does not take it any more: ask for another at the next request."""
    _kept.pop((candidate.id, candidate.credentials_version), None)


def clear() -> None:
    """Sign in again at the next request: for tests."""
    _kept.clear()


__all__ = ["NoWayIn", "Unreachable", "clear", "forget", "way_in"]
