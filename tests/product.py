"""The whole product as a person starts it: supervisor, broker, web, worker and beat, against the fake providers."""

import json
import os
import queue
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal, Self

from tests.fakeproviders.client import FakeProviders
from tests.processes import eventually, is_alive, pid_in

ROOT: Final = Path(__file__).resolve().parents[1]
PASSWORD: Final = "a-password-for-tests"
Name = Literal["web", "worker", "beat", "broker", "supervisor"]

_READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 12.0


@dataclass(frozen=True)
class Product:
    """A running product. Paths and addresses to reach it, and hands to break it."""

    data_dir: Path
    base_url: str
    environment: Mapping[str, str]

    @classmethod
    @contextmanager
    def start(cls, fakes: FakeProviders, **environment: str) -> Iterator[Self]:
        """Run it for the length of a ``with`` block, in a data folder of its own."""
        with (
            tempfile.TemporaryDirectory(prefix="byok-product-") as folder,
            cls.start_in(Path(folder), fakes, **environment) as product,
        ):
            yield product

    @classmethod
    @contextmanager
    def start_in(cls, data_dir: Path, fakes: FakeProviders, **environment: str) -> Iterator[Self]:
        """Run it on the data folder ``data_dir``, which stays."""
        port = free_port()
        product = cls(data_dir, f"http://127.0.0.1:{port}", _environment(data_dir, port, fakes, environment))
        command = [sys.executable, "manage.py", "serve"]
        with subprocess.Popen(command, cwd=ROOT, env=product.environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                _await_ready(process, product.base_url)
                yield product
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()

    @contextmanager
    def copied(self) -> Iterator[Path]:
        """A data folder for another product, with all that this one holds now: its start has half the work to do."""
        with tempfile.TemporaryDirectory(prefix="byok-product-") as folder:
            copy = Path(folder)
            shutil.copytree(self.data_dir / "static", copy / "static")
            shutil.copy(self.data_dir / "secrets.env", copy)
            with (
                closing(sqlite3.connect(self.data_dir / "db.sqlite3")) as ours,
                closing(sqlite3.connect(copy / "db.sqlite3")) as theirs,
            ):
                ours.backup(theirs)
            yield copy

    def manage(self, *arguments: str, text: str = "") -> str:
        """What ``manage.py`` says on its standard output. Raises ``CalledProcessError`` when it fails."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, input=text, capture_output=True, text=True, check=True
        )
        return done.stdout

    def pid(self, name: Name) -> int:
        """The process id of ``name``, or 0 while it is down."""
        return pid_in(self.data_dir / "run" / f"{name}.pid")

    def signal(self, name: Name, number: signal.Signals) -> int:
        """Send a signal to ``name`` and return the id of the process that got it."""
        pid = self.pid(name)
        os.kill(pid, number)
        return pid

    def kill(self, name: Name) -> None:
        """``kill -9``; returns when the process is gone."""
        pid = self.signal(name, signal.SIGKILL)
        eventually(lambda: not is_alive(pid), 5)

    def hold(self, *names: Name) -> None:
        """Keep ``names`` down once they have ended; none: let everything come back."""
        (self.data_dir / "run" / "hold").write_text(" ".join(names))

    def await_back(self, name: Name, not_pid: int = 0) -> None:
        """Return when ``name`` runs again."""
        eventually(lambda: (pid := self.pid(name)) and pid != not_pid and is_alive(pid), 15)

    def logs(self) -> str:
        """Everything that every process has logged."""
        return "".join(file.read_text(errors="replace") for file in sorted((self.data_dir / "log").glob("*.log")))


def _environment(data_dir: Path, port: int, fakes: FakeProviders, given: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "PYTHONUNBUFFERED": "1",
        "BYOK_DATA_DIR": str(data_dir),
        "PORT": str(port),
        "PROVIDER_BASE_URLS": json.dumps(fakes.base_urls),
        **given,
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_ready(process: subprocess.Popen[str], base_url: str) -> None:
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout
    threading.Thread(target=_read_on, args=(process.stdout, lines), daemon=True).start()
    said = ""
    while f"ready {base_url}" not in said:
        try:
            line = lines.get(timeout=_READY_SECONDS)
        except queue.Empty:
            raise TimeoutError(f"the product was not ready in {_READY_SECONDS} s; it said: {said}") from None
        if not line:
            raise RuntimeError(f"the product did not start; it said: {said}")
        said += line


def _read_on(stream: IO[str], lines: queue.Queue[str]) -> None:
    for line in stream:
        lines.put(line)
    lines.put("")
