"""One process the supervisor keeps alive, with its `run/<name>.pid` and `log/<name>.log`."""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

FIRST_DELAY, LONGEST_DELAY = 1.0, 10.0
# A child that lived this long was well: its next end is news, not the same trouble again.
SETTLED_AFTER = 5.0
LOG_BYTES = 10 * 1024 * 1024
# A new process becomes its program on a word through its standard input, given once the guard knows it. If the
# supervisor ends before that, the input ends too and the process with it: no moment is left for an orphan.
GATE = ("/bin/sh", "-c", 'read -r word && exec "$@" </dev/null', "gate")


@dataclass(frozen=True)
class Program:
    """What to run. `environment` is everything the process gets to see; `outlives` others when all are stopped."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    outlives: bool = False


class Child:
    def __init__(self, program: Program, data_folder: Path) -> None:
        self.name = program.name
        self.outlives = program.outlives
        self._program = program
        self._pid_file = data_folder / "run" / f"{program.name}.pid"
        self._log_file = data_folder / "log" / f"{program.name}.log"
        # A supervisor that was killed could not remove it.
        self._pid_file.unlink(missing_ok=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._delay, self._started_at, self._due_at = FIRST_DELAY, 0.0, 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def is_due(self) -> bool:
        return self._process is None and time.monotonic() >= self._due_at

    def start(self) -> None:
        """Start the process, which waits for `release`, in a group of its own: Ctrl-C reaches the supervisor alone."""
        if self._log_file.exists() and self._log_file.stat().st_size > LOG_BYTES:
            self._log_file.replace(self._log_file.with_suffix(".log.1"))
        with self._log_file.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  The commands are our own.
                [*GATE, *self._program.command],
                env=self._program.environment,
                cwd=self._program.folder,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        self._started_at = time.monotonic()

    def release(self) -> None:
        """Let the started process become its program."""
        if self._process and self._process.stdin:
            replace_text(self._pid_file, f"{self._process.pid}\n")
            with suppress(BrokenPipeError), self._process.stdin as gate:
                gate.write(b"go\n")

    def reap(self) -> bool:
        """Whether the process has ended since the last call. Its next start is then set."""
        if self._process is None or self._process.poll() is None:
            return False
        ending, self._process = self._process.returncode, None
        self._pid_file.unlink(missing_ok=True)
        now = time.monotonic()
        if now - self._started_at >= SETTLED_AFTER:
            self._delay = FIRST_DELAY
        self._due_at = now + self._delay
        log.warning(
            "%s ended (%s); it starts again in %.0f s. See %s", self.name, _told(ending), self._delay, self._log_file
        )
        self._delay = min(self._delay * 2, LONGEST_DELAY)
        return True

    def send(self, number: signal.Signals) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Whether the process is gone within `seconds`; its pid file goes with it."""
        if self._process:
            try:
                self._process.wait(max(seconds, 0))
            except subprocess.TimeoutExpired:
                return False
            self._pid_file.unlink(missing_ok=True)
        return True


def replace_text(file: Path, text: str) -> None:
    """Write `file` so that a reader sees the old or the new text, never half of one."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(file)


def _told(returncode: int) -> str:
    return f"exit {returncode}" if returncode >= 0 else signal.Signals(-returncode).name
