"""Watching real processes from a test: by event where there is one, by a short look where the system offers none."""

import os
import time
from collections.abc import Callable
from pathlib import Path


def eventually[T](look: Callable[[], T], within: float) -> T:
    """The first true thing `look` returns; fails after `within` seconds."""
    deadline = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing within {within} s"
        time.sleep(0.02)
    return found


def is_alive(pid: int) -> bool:
    """Whether the process runs. One that has ended and waits for its parent to notice does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    if not Path("/proc/self/stat").exists():
        return True
    # It may end between the two looks.
    status = text_of(Path(f"/proc/{pid}/stat"))
    return bool(status) and status.rpartition(")")[2].split()[0] != "Z"


def pid_in(file: Path) -> int:
    """The process id in `file`, or 0 while there is none."""
    return int(text_of(file) or 0)


def text_of(file: Path) -> str:
    """What the file holds; nothing while it does not exist."""
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
