"""The one door to the ORM: outside of Django's request handler nothing else would close a connection that died.

Without it every call after a restart of PostgreSQL fails, for ever (measured).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from django.db import close_old_connections

_THREADS: Final = 8
_executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="gateway-db")


async def run[T](work: Callable[[], T]) -> T:
    """What ``work`` returns, run in a thread that may use the database."""
    return await asyncio.get_running_loop().run_in_executor(_executor, _with_fresh_connections, work)


def _with_fresh_connections[T](work: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()
