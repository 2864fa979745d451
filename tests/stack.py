"""The whole product as its user starts it: `manage.py serve` in a data folder of its own."""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.processes import eventually, pid_in, text_of

ROOT = Path(__file__).resolve().parent.parent
PROCESSES = ("supervisor", "web", "worker", "beat", "broker")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stack:
    """One running product. `output` is what it printed so far."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder, self.port = folder, int(variables.get("PORT") or free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PORT": str(self.port),
            "BYOK_DATA_DIR": str(folder),
            **variables,
        }
        self._output = folder.with_name(f"{folder.name}.{self.port}.out")
        with self._output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def output(self) -> str:
        return text_of(self._output)

    def await_ready(self, within: float = 90) -> None:
        """Return when it has printed that it is ready; fails with what it printed when it ended instead."""
        eventually(lambda: f"ready {self.url}\n" in self.output or self.process.poll() is not None, within)
        assert self.process.poll() is None, self.output

    def pid(self, name: str) -> int:
        return pid_in(self.folder / "run" / f"{name}.pid")

    def pids(self) -> dict[str, int]:
        return {name: pid for name in PROCESSES if (pid := self.pid(name))}

    def get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def degraded(self) -> list[str] | None:
        """What `/readyz` lists; None while it does not answer 200."""
        try:
            status, body = self.get("/readyz")
        except (OSError, http.client.HTTPException):
            return None
        document: dict[str, Any] = json.loads(body)
        return list(document["degraded"]) if status == 200 else None

    def manage(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run another management command beside it, as somebody would who knows only the data folder."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "BYOK_DATA_DIR": str(self.folder)},
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=15)


@contextmanager
def running(folder: Path, **variables: str) -> Iterator[Stack]:
    """A product that is ready."""
    stack = Stack(folder, **variables)
    try:
        stack.await_ready()
        yield stack
    finally:
        stack.stop()
