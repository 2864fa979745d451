"""The supervisor's loop: start what is due, notice what has ended, leave in good order when told to."""

import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Self

from byok_site.supervisor import guard
from byok_site.supervisor.child import Child, Program

log = logging.getLogger(__name__)

LOOK_EVERY = 0.1
# Together under the ten seconds in which everything must be gone.
GRACE = 6.5
LAST_GRACE = 1.5
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Supervisor:
    """Keeps programs running until it is told to stop; leaving the context ends them.

    `lock` is the data folder's and `scratch` a folder to remove at the end: the guard gets both, for the case that this
    process cannot do it any more.
    """

    def __init__(self, data_folder: Path, lock: int, scratch: Path | None) -> None:
        self._data_folder = data_folder
        self._lock = lock
        self._scratch = [str(scratch)] if scratch else []
        self._children: list[Child] = []
        self._guard: subprocess.Popen[str] | None = None
        self._told = 0
        self._wake = threading.Event()

    def __enter__(self) -> Self:
        """From here on a stop signal ends the loop instead of the process."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        self.shut_down()

    def add(self, program: Program) -> None:
        """Start `program` now, and again whenever it ends."""
        child = Child(program, self._data_folder)
        self._children.append(child)
        self._look_after(child)

    def run(self) -> None:
        """Return once everything is gone, within ten seconds of a stop signal."""
        while not self._told:
            for child in self._children:
                self._look_after(child)
            self._keep_guard()
            self._wake.wait(LOOK_EVERY)

    def shut_down(self) -> None:
        """End every child, those on whom the others lean after them."""
        if not self._children:
            return
        log.info("Stopping: %s", ", ".join(child.name for child in self._children))
        self._end([child for child in self._children if not child.outlives], GRACE)
        self._end([child for child in self._children if child.outlives], LAST_GRACE)
        if self._guard:
            self._guard.kill()
            self._guard.wait()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._told += 1
        self._wake.set()

    def _look_after(self, child: Child) -> None:
        if child.reap():
            self._tell_guard()
        if child.is_due() and child.name not in self._held():
            child.start()
            self._tell_guard()
            child.release()
            log.info("%s started (process %s)", child.name, child.pid)

    def _held(self) -> list[str]:
        """The processes that `run/hold` keeps down."""
        try:
            return (self._data_folder / "run" / "hold").read_text(encoding="utf-8").split()
        except OSError:
            return []

    def _keep_guard(self) -> None:
        if self._guard is None or self._guard.poll() is not None:
            self._tell_guard()

    def _tell_guard(self) -> None:
        """Give the guard the living children's ids, through a pipe whose only writer is this process."""
        if self._guard is None or self._guard.poll() is not None:
            self._guard = subprocess.Popen(  # noqa: S603  Our own file.
                [sys.executable, "-I", "-S", guard.__file__, *self._scratch],
                stdin=subprocess.PIPE,
                text=True,
                env={},
                pass_fds=[self._lock],
                process_group=0,
            )
        assert self._guard.stdin  # noqa: S101  PIPE was asked for.
        try:
            print(*(child.pid for child in self._children if child.pid), file=self._guard.stdin, flush=True)
        except BrokenPipeError:
            self._guard.wait()
            self._tell_guard()

    def _end(self, children: Sequence[Child], grace: float) -> None:
        for child in children:
            child.send(signal.SIGTERM)
        deadline = time.monotonic() + grace
        told = self._told
        while time.monotonic() < deadline and self._told == told:
            if sum(child.wait(0) for child in children) == len(children):
                return
            time.sleep(0.05)
        for child in children:
            child.send(signal.SIGKILL)
            child.wait(1)
