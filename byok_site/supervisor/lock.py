"""One supervisor a data folder: a file lock that the system takes back however its holder ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Taken(Exception):
    """Something this supervisor needs belongs to another process. The message is a sentence for people."""


@contextmanager
def held(file: Path, wait: float = 10.0) -> Iterator[int]:
    """Hold the lock on `file`, which then holds our process id; yields the descriptor that keeps it.

    Raises Taken when a living supervisor has it. The children of a dead one are given `wait` seconds to leave.
    """
    descriptor = _take(file, time.monotonic() + wait)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
    finally:
        file.unlink(missing_ok=True)
        os.close(descriptor)


def _take(file: Path, deadline: float) -> int:
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # The last holder removes its file: a lock on what is no longer there excludes nobody.
        if _lock(descriptor) and _is_still(file, descriptor):
            return descriptor
        holder = os.pread(descriptor, 32, 0).decode().strip()
        os.close(descriptor)
        if _is_alive(holder) or time.monotonic() > deadline:
            raise Taken(f"{file.parent.parent} is already served by process {holder}.")
        time.sleep(0.1)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(file: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(file.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
