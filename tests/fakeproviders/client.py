"""How tests start the fakes, and ask and tell them things. Nothing here sleeps: waiting is a question that is answered late."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from tests.fakeproviders.journal import Received, Violation
from tests.fakeproviders.port import Mode

_REPOSITORY: Final = Path(__file__).resolve().parents[2]
_ANSWER_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 5.0


@dataclass(frozen=True)
class FakeProviders:
    """A running process of fakes. ``base_urls`` is the value for PROVIDER_BASE_URLS; ``trap_url`` is a place that
    nobody may connect to.
    """

    base_urls: dict[str, str]
    control_url: str
    trap_url: str

    @classmethod
    @contextmanager
    def start(cls) -> Iterator[Self]:
        """Run the fakes for the length of a ``with`` block; they leave with this process in any case."""
        command = [sys.executable, "-m", "tests.fakeproviders", "--write", "-"]
        with subprocess.Popen(command, cwd=_REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            try:
                yield cls._announced(process)
            finally:
                process.terminate()
                try:
                    process.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()

    @classmethod
    def read(cls, path: Path) -> Self:
        """The fakes that ``python -m tests.fakeproviders --write PATH`` announced."""
        return cls._from(path.read_text())

    def requests(self, **wanted: Any) -> list[Received]:
        """What arrived, oldest first; ``wanted`` are fields of ``Received``: ``name``, ``credential``, ``outcome``, …"""
        return [Received.from_dict(row) for row in self._call("requests", **wanted)]

    def total(self, name: str = "", credential: str = "") -> int:
        """How many requests arrived since the reset, also where that is more than ``requests`` can list."""
        total: int = self._call("total", name=name, credential=credential)
        return total

    def wait_for(self, credential: str = "", *, count: int = 1, seconds: float = 10.0, **wanted: Any) -> list[Received]:
        """Wait until ``count`` requests with ``credential`` (any, when empty) have arrived, and return them.

        ``wanted`` narrows as in ``requests``: ``outcome="left"`` waits for a client that hung up. Raises
        ``TimeoutError`` after ``seconds``.
        """
        named = {"credential": credential} if credential else {}
        answer = self._call("wait", count=count, seconds=seconds, **named, **wanted)
        if not answer["reached"]:
            raise TimeoutError(f"{len(answer['requests'])} of {count} requests arrived in {seconds} s")
        return [Received.from_dict(row) for row in answer["requests"]]

    def release(self, credential: str, scenario: str = "good") -> None:
        """Open the gate of a ``gate…`` credential, before or after its request arrives, to be answered as ``scenario``."""
        self._call("release", credential=credential, scenario=scenario)

    def down(self, name: str, mode: Mode = "refuse") -> None:
        """Take the provider ``name`` down: ``refuse``, ``freeze`` or ``blackhole``, as ``port.Port`` tells."""
        self._call("set", name=name, mode=mode)

    def up(self, name: str) -> None:
        """Bring the provider ``name`` up again."""
        self._call("set", name=name, mode="up")

    def violations(self) -> list[Violation]:
        """What clients did that they must not, oldest first."""
        return [Violation(**row) for row in self._call("violations")]

    def reset(self) -> None:
        """Cut all connections, bring everything up, forget requests, violations and gates."""
        self._call("reset")

    @classmethod
    def _announced(cls, process: subprocess.Popen[bytes]) -> Self:
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise RuntimeError("the fake providers did not start; their stderr says why")
        return cls._from(line.decode())

    @classmethod
    def _from(cls, announcement: str) -> Self:
        said = json.loads(announcement)
        return cls(said["PROVIDER_BASE_URLS"], said["control"], said["trap"])

    def _call(self, operation: str, **arguments: Any) -> Any:
        patience = _ANSWER_SECONDS + float(arguments.get("seconds", 0))
        connection = HTTPConnection(urlsplit(self.control_url).netloc, timeout=patience)
        try:
            connection.request("POST", f"/{operation}", json.dumps(arguments))
            answer = connection.getresponse()
            document = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise ValueError(document["error"])
        return document
