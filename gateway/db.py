"""The one door to the ORM: outside of Django's request handler nothing else would close a connection that died.

Without it every call after a restart of PostgreSQL fails, for ever (measured).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from django.db import Error, OperationalError, close_old_connections

SECONDS: Final = 5
Failure = Error
"""All that a database which is away, busy or broken can answer with."""

_asked = ThreadPoolExecutor(8, thread_name_prefix="gateway-db")
# What nobody waits for makes nobody wait, by threads of its own: records, and checks, for whose broker there is a wait when
# it is away.
RECORDS: Final = ThreadPoolExecutor(1, thread_name_prefix="gateway-records")
CHECKS: Final = ThreadPoolExecutor(2, thread_name_prefix="gateway-checks")


async def run[T](work: Callable[[], T]) -> T:
    """What ``work`` returns, run in a thread that may use the database. A request waits for it.

    Raises ``OperationalError`` when that takes more than five seconds: behind a database that is away there is a queue.
    """
    try:
        async with asyncio.timeout(SECONDS):
            return await _run(_asked, work)
    except TimeoutError:
        pass
    raise OperationalError("not in time")


async def run_beside[T](work: Callable[[], T], threads: ThreadPoolExecutor) -> T:
    """The same for what happens beside requests, in ``RECORDS`` or ``CHECKS``, however long it takes."""
    return await _run(threads, work)


async def _run[T](threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(threads, _with_fresh_connections, work)


def _with_fresh_connections[T](work: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()
