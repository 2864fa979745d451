"""The guard ends the children of a supervisor that can no longer do it, even one ended by `kill -9`.

It is a process of its own, run as a plain file without site-packages. Its standard input is a pipe that only the
supervisor writes: each line is the list of living process ids, and the end of the input is the end of the supervisor.
Its arguments are folders to remove afterwards. It also inherits the lock on the data folder, so that no successor starts before the last child has left.
"""

import os
import shutil
import signal
import sys
import time

# Longer than the web process gives requests in flight.
GRACE = 6.0


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    pids: list[int] = []
    for line in sys.stdin:
        pids = [int(pid) for pid in line.split()]
    end(pids, GRACE)
    for folder in sys.argv[1:]:
        shutil.rmtree(folder, ignore_errors=True)


def end(pids: list[int], grace: float) -> None:
    """Ask each process to leave, and make it leave after `grace` seconds."""
    left = [pid for pid in pids if _signal(pid, signal.SIGTERM)]
    deadline = time.monotonic() + grace
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [pid for pid in left if _signal(pid, 0)]
    for pid in left:
        _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
