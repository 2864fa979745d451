"""A PostgreSQL server of the test's own, that may be killed without anybody else noticing."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from tests.gateway.processes import free_port
from tests.processes import eventually

_PATIENCE: Final = "60"


def _programs() -> Path | None:
    """The folder of the newest server's programs: Debian keeps them out of the way of a shell."""
    found = shutil.which("initdb")
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    return Path(found).resolve().parent if found else packaged[-1].parent if packaged else None


PROGRAMS: Final = _programs()


@dataclass(frozen=True)
class Cluster:
    """A server in a ``folder`` of its own, on a ``port`` of 127.0.0.1 that it keeps when it starts again."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://byok@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Return when it takes connections."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._control("start", "-o", options, "-l", str(self.folder / "log"))

    def restart(self) -> None:
        """End every session, and return when it takes connections again."""
        self._control("restart", "-m", "fast", "-l", str(self.folder / "log"))

    def kill(self) -> None:
        """End it on the spot, as a crash does: every session is gone when this returns, and the port refuses."""
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGQUIT)
        eventually(lambda: not self.is_up(), 30)

    def is_up(self) -> bool:
        try:
            self.rows("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, connect_timeout=5) as connection:
            return connection.execute(sql).fetchall()

    def _control(self, action: str, *arguments: str) -> None:
        run("pg_ctl", action, "-D", str(self.folder / "data"), "-w", "-t", _PATIENCE, *arguments)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A fresh one that runs."""
    with tempfile.TemporaryDirectory(prefix="byok-pg-") as name:
        folder = Path(name)
        if os.getuid() == 0:
            os.chown(folder, *_ids())
        run("initdb", "-D", str(folder / "data"), "-U", "byok", "-A", "trust", "-E", "UTF8", "--no-sync")
        made = Cluster(folder, free_port())
        made.start()
        try:
            yield made
        finally:
            run("pg_ctl", "stop", "-D", str(folder / "data"), "-m", "immediate", "-w", check=False)


def run(program: str, *arguments: str, check: bool = True) -> None:
    """Run one of the server's programs; none of them works as root."""
    assert PROGRAMS
    user, group = _ids() if os.getuid() == 0 else (None, None)
    # What it starts would hold a pipe open, so its output goes nowhere.
    subprocess.run(
        [PROGRAMS / program, *arguments], check=check, cwd="/", user=user, group=group, extra_groups=[] if user else None,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=90,
    )  # fmt: skip


def _ids() -> tuple[int, int]:
    """Who runs the server where the tests are root's."""
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        account = pwd.getpwnam("nobody")
    return account.pw_uid, account.pw_gid
