"""How candidates reach their providers. What a provider hands out for an hour is asked for once and kept as long."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from gateway.cache import KEPT_SECONDS, Cache
from gateway.resolve import Candidate
from providerkeys.providers import http
from providerkeys.providers.base import Credential, NoWayIn, Provider, Unreachable, WayIn

_MOST: Final = 10_000
_YOUNG_SECONDS: Final = 5.0
# The door blocks: at most 16 sign-ins at once, each 10 s at most.
_executor = ThreadPoolExecutor(16, thread_name_prefix="gateway-sign-in")


@dataclass(frozen=True, slots=True)
class _Kept:
    """A way in, or the reason why there is none; and when that was so."""

    way_in: WayIn | None
    reason: str = ""
    at: float = field(default_factory=time.monotonic)


def _seconds(kept: _Kept | None) -> float:
    # A key that is not let in is not let in a moment later either, and its program asks again at once.
    return kept.way_in.seconds if kept and kept.way_in else KEPT_SECONDS


_kept: Cache[tuple[str, int], _Kept] = Cache(_MOST, _seconds)


async def way_in(provider: Provider, candidate: Candidate) -> WayIn:
    """Raises ``SecretUnreadable``, ``NoWayIn`` and ``Unreachable``."""
    # Opened even where a token is kept: a secret that can't be read any more serves nobody.
    credential = candidate.open()
    if not provider.signs_in:
        return provider.way_in(credential, http.send)
    name = _name(candidate)
    kept = _kept.peek(name)
    found = kept[0] if kept else await _kept.get(name, lambda: _sign_in(provider, credential))
    assert found  # noqa: S101 -- a sign-in ends in a way in, in none, or in an exception.
    if found.way_in is None:
        raise NoWayIn(found.reason)
    return found.way_in


async def _sign_in(provider: Provider, credential: Credential) -> _Kept:
    work = asyncio.get_running_loop().run_in_executor(_executor, provider.way_in, credential, http.send)
    try:
        return _Kept(await work)
    except NoWayIn as no_way_in:
        return _Kept(None, no_way_in.reason)


def forget(candidate: Candidate) -> None:
    """The provider does not take it any more: ask for another at the next request.

    A young one was not outlived but refused, and so would be the next: a storm of requests is no storm of sign-ins.
    """
    kept = _kept.peek(_name(candidate))
    if kept and kept[0] and time.monotonic() - kept[0].at > _YOUNG_SECONDS:
        _kept.drop(_name(candidate))


def _name(candidate: Candidate) -> tuple[str, int]:
    return candidate.id, candidate.credentials_version


def clear() -> None:
    """Sign in again at the next request: for tests."""
    _kept.clear()


__all__ = ["NoWayIn", "Unreachable", "clear", "forget", "way_in"]
