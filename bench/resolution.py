"""`python -m bench.resolution N`: what a warm key resolution costs, without a request around it.

Reads an API key from standard input; prints microseconds of CPU as JSON: from the header to the caller, from the caller to
the provider keys, from a sealed secret to an open one, and all three; each of them N times a round.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any, Final

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "byok_site.settings")
django.setup()

from gateway.authenticate import authenticate  # noqa: E402 -- Django is set up from here on.
from gateway.resolve import candidates  # noqa: E402
from providerkeys.providers import registry  # noqa: E402

_ROUNDS: Final = 15


async def measure(api_key: str, turns: int) -> dict[str, float]:
    headers = [(b"host", b"gateway"), (b"content-type", b"application/json"), (b"authorization", api_key.encode())]
    provider = registry.get("openai")

    async def authenticated() -> Any:
        return await authenticate(headers)

    caller = await authenticated()

    async def resolved() -> Any:
        return await candidates(caller, provider)

    (candidate,) = await resolved()

    async def opened() -> Any:
        return candidate.open()

    async def whole() -> Any:
        (found,) = await candidates(await authenticate(headers), provider)
        return found.open()

    steps = {"authenticate": authenticated, "resolve": resolved, "open": opened, "all": whole}
    return {name: await _microseconds(step, turns) for name, step in steps.items()}


async def _microseconds(step: Callable[[], Awaitable[Any]], turns: int) -> float:
    """The median of short rounds: one in which the cache looked again, or somebody else's work got in, is left out."""
    rounds = []
    for _ in range(_ROUNDS):
        started = time.process_time()
        for _ in range(turns):
            await step()
        rounds.append((time.process_time() - started) / turns * 1e6)
    return median(rounds)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(measure(f"Bearer {sys.stdin.read().strip()}", int(sys.argv[1])))))
