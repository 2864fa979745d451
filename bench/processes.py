"""The processes that are measured: each in a process group of its own, on given cores, and asked what it has cost."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

ROOT: Final = Path(__file__).resolve().parent.parent
HOST: Final = "127.0.0.1"

_READY_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 8.0
_CPUCLOCK_SCHED: Final = 2


class NotReady(Exception):
    """A process ended, or did not answer, before it could be measured."""


@dataclass(frozen=True)
class Cores:
    """Where the measured gateways run, one at a time, and where client and provider do."""

    measured: int
    load: int

    @classmethod
    def here(cls) -> "Cores":
        usable = sorted(os.sched_getaffinity(0))
        return cls(usable[0], usable[-1])


@dataclass(frozen=True)
class Group:
    """A process and its children."""

    process: subprocess.Popen[str]

    def cpu_seconds(self) -> float:
        """User and system time of all of them, to the microsecond: the clock behind ``clock_getcpuclockid``."""
        return sum(time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED) for pid in self._members())

    def resident_megabytes(self) -> float:
        return sum(_resident_kilobytes(pid) for pid in self._members()) / 1024

    def _members(self) -> list[int]:
        stats = ((int(folder.name), _stat(folder)) for folder in Path("/proc").iterdir() if folder.name.isdigit())
        return [pid for pid, stat in stats if stat and int(stat[2]) == self.process.pid]


def _stat(folder: Path) -> list[str]:
    """What follows the name in ``stat``: state, parent, process group; nothing once the process has ended."""
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _resident_kilobytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


@contextmanager
def running(
    command: Sequence[str], core: int, environment: Mapping[str, str], log: IO[str], output: int | IO[str] | None = None
) -> Iterator[Group]:
    """``command`` on ``core`` for the length of a ``with`` block. Ctrl-C reaches us alone, and we stop it."""
    process = subprocess.Popen(  # noqa: S603 -- the commands are our own.
        command,
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output or log,
        stderr=log,
        text=True,
        process_group=0,
    )
    try:
        # Before it has started a thread or a child, which inherit it.
        os.sched_setaffinity(process.pid, {core})
        yield Group(process)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    if process.stdout:
        process.stdout.close()
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def environment(**more: str) -> dict[str, str]:
    """Little of our own environment, so that nobody's settings reach what is measured, and ``more``."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", **more}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def await_answer(group: Group, port: int, request: bytes = b"") -> None:
    """Return when ``port`` takes a connection and, given a ``request``, answers it with 200. Raises ``NotReady``."""
    deadline = time.monotonic() + _READY_SECONDS
    while not _answers(port, request):
        if group.process.poll() is not None or time.monotonic() > deadline:
            raise NotReady(f"{group.process.args!r} is not ready; see its log")
        time.sleep(0.005)


def _answers(port: int, request: bytes) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=2) as connection:
            connection.sendall(request)
            return not request or connection.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
