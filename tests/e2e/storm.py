"""Faults, one after the other, on a running product; each with a test of credentials that was pressed into it.

Some need half a minute to be mended (a lease runs out, a sweep comes round), so nothing here waits for the end: the
storm passes, and then the tests look at what has become of each press.
"""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self

import redis

from byok_site.supervisor.programs import COMMANDS
from tests.e2e.database import Database
from tests.e2e.homes import Home
from tests.e2e.visitor import Answer, Visitor
from tests.fakeproviders import samples
from tests.fakeproviders.client import FakeProviders
from tests.processes import eventually
from tests.product import ROOT, Product

STORED: Final = "Stored"


@dataclass(frozen=True)
class Pressed:
    """A press of Test credentials for ``key``, answered after ``seconds``, and what must come of it.

    ``spoilt``: the first attempt cannot have ended, so that there must be a second. ``looks`` are the check's fragment
    while the fault lasted; ``mended_at`` is by ``time.monotonic``.
    """

    key: str
    check: str
    seconds: float
    verdict: str = ""
    spoilt: bool = False
    looks: tuple[Answer, ...] = ()
    mended_at: float = 0


class Storm:
    """The scene: a product, the fakes, an admin with a stored key. ``pressed`` fills while the storm passes."""

    def __init__(self, product: Product, fakes: FakeProviders, visitor: Visitor) -> None:
        self.product, self.fakes, self.visitor = product, fakes, visitor.prepare()
        self.database = Database(product)
        self.pressed: dict[str, Pressed] = {}
        self.answers: dict[str, Answer] = {}
        key = samples.fresh_key("openai", "good")
        visitor.await_done(visitor.press(key).check, 15)
        visitor.save(STORED, key)
        self.stored = self.stored_now

    @property
    def stored_now(self) -> dict[str, Any]:
        return self.database.key(STORED, self.visitor.home.slug)

    @classmethod
    @contextmanager
    def blow(cls, folder: Path, home: Home) -> Iterator[Self]:
        """Start a product with fakes of its own, on a data ``folder`` that has a ``home``, and let the storm pass over it.
        By the end of it a second worker serves, and the first is still frozen.
        """
        with FakeProviders.start() as fakes, Product.start_in(folder, fakes) as product:
            storm = cls(product, fakes, Visitor.alice(product, home))
            with storm._passes():
                yield storm

    @contextmanager
    def _passes(self) -> Iterator[None]:
        # What needs a lease to run out comes last: nothing may disturb the attempt that follows.
        self._worker_terminated()
        self._broker_killed_with_tasks_queued()
        self._beat_killed()
        self._broker_frozen()
        self._web_killed_between_commit_and_publish()
        self._broker_stopped()
        self._database_locked()
        self._worker_killed()
        with self._worker_frozen(), self._second_worker() as second:
            self.second_worker, self.kib_before = second, _resident_kib(second)
            self._providers_gone_mad()
            yield

    def thaw(self) -> None:
        """Let the frozen worker go on with what it had in its hands."""
        self.product.signal("worker", signal.SIGCONT)

    @property
    def growth_kib(self) -> int:
        """By how much the second worker has grown since it was new."""
        return _resident_kib(self.second_worker) - self.kib_before

    # The faults

    def _database_locked(self) -> None:
        """For longer than anybody waits: the worker, which wants to write what it found, and the web."""
        pressed = self._press_and_arrive()
        with self.database.locked():
            self.fakes.release(pressed.key)
            self.answers["a press into a lock"] = self.visitor.press(samples.fresh_key("openai", "good"))
            self.answers["a save into a lock"] = self.visitor.save("Never saved", samples.fresh_key("openai", "good"))
            look = self.visitor.poll(pressed.check)
        self._keep("database locked", pressed, "valid", look, spoilt=True)

    def _worker_killed(self) -> None:
        pressed = self._press_and_arrive()
        self.product.kill("worker")
        look = self.visitor.poll(pressed.check)
        self.fakes.release(pressed.key)
        self.product.await_back("worker")
        self._keep("worker killed", pressed, "valid", look, spoilt=True)

    def _worker_terminated(self) -> None:
        pressed = self._press_and_arrive()
        pid = self.product.signal("worker", signal.SIGTERM)
        look = self.visitor.poll(pressed.check)
        self.fakes.release(pressed.key, "wrong")
        self.product.await_back("worker", not_pid=pid)
        self._keep("worker terminated", pressed, "invalid", look)

    @contextmanager
    def _worker_frozen(self) -> Iterator[None]:
        """Freeze the worker in mid-check, past its lease."""
        pressed = self._press_and_arrive()
        with self._frozen(self.product.pid("worker")):
            look = self.visitor.poll(pressed.check)
            # What the frozen one would hear, the key is wrong, is not what is said to the attempt after it.
            self.fakes.release(pressed.key, "wrong")
            self.fakes.release(pressed.key, "good")
            self._keep("worker frozen", pressed, "valid", look, spoilt=True)
            yield

    @contextmanager
    def _second_worker(self) -> Iterator[int]:
        """As on a second machine: nobody's child but the test's. Its process id."""
        consumers = self._consumers()
        command = [*COMMANDS["worker"], "-n", "second@%h"]
        with (
            tempfile.TemporaryFile() as output,
            subprocess.Popen(
                command, cwd=ROOT, env=self.product.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            ) as worker,
        ):
            try:
                eventually(lambda: self._consumers() - consumers, 30)
                yield worker.pid
            finally:
                worker.kill()

    def _broker_killed_with_tasks_queued(self) -> None:
        with self._frozen(self.product.pid("worker")):
            pressed = self._press()
            self.product.kill("broker")
            look = self.visitor.poll(pressed.check)
            self.product.await_back("broker")
        self._keep("broker killed with tasks queued", pressed, "valid", look)

    def _providers_gone_mad(self) -> None:
        for scenario in ("hang", "dripbody", "gzipbomb", "resetbody"):
            self._keep(f"provider: {scenario}", self._press(scenario), "unreachable")

    def _beat_killed(self) -> None:
        self.product.kill("beat")
        pressed = self._press()
        self._keep("beat killed", pressed, "valid", self.visitor.poll(pressed.check))

    def _broker_frozen(self) -> None:
        with self._frozen(self.product.pid("broker")):
            pressed = self._press()
            look = self.visitor.poll(pressed.check)
        self._keep("broker frozen", pressed, "valid", look)

    def _web_killed_between_commit_and_publish(self) -> None:
        """A publish to a frozen broker lasts a moment: long enough to see the committed row, and to kill."""
        key, before = samples.fresh_key("openai", "good"), self._latest_check()
        with self._frozen(self.product.pid("broker")):
            press = threading.Thread(target=self.visitor.press, args=(key,))
            press.start()
            eventually(lambda: self._latest_check() != before, 5)
            self.product.kill("web")
            press.join()
        eventually(lambda: self.visitor.get(self.visitor.home.keys).status == HTTPStatus.OK, 20)
        self._keep("web killed after the commit", Pressed(key, self._latest_check(), 0), "valid")

    def _broker_stopped(self) -> None:
        self.product.hold("broker")
        self.product.kill("broker")
        pressed = self._press()
        look = self.visitor.poll(pressed.check)
        self.product.hold()
        self.product.await_back("broker")
        self._keep("broker stopped", pressed, "valid", look)

    # Hands

    def _press(self, scenario: str = "good") -> Pressed:
        key = samples.fresh_key("openai", scenario)
        answer = self.visitor.press(key)
        return Pressed(key, answer.check, answer.seconds)

    def _press_and_arrive(self) -> Pressed:
        """Press, and return when the request waits at the provider."""
        pressed = self._press("gate")
        self.fakes.wait_for(pressed.key, seconds=20)
        return pressed

    def _keep(self, fault: str, pressed: Pressed, verdict: str, *looks: Answer, spoilt: bool = False) -> None:
        now = time.monotonic()
        self.pressed[fault] = replace(pressed, verdict=verdict, spoilt=spoilt, looks=looks, mended_at=now)

    def _latest_check(self) -> str:
        newest = self.database.one("SELECT id FROM providerkeys_credentialcheck ORDER BY created_at DESC, id LIMIT 1")
        return str(newest or "")

    def _consumers(self) -> set[str]:
        """Which of the broker's clients wait for tasks."""
        path = (self.product.data_dir / "run" / "broker.url").read_text().strip().removeprefix("redis+socket://")
        with redis.Redis(unix_socket_path=path) as broker:
            return {client["id"] for client in broker.client_list() if client["cmd"] == "brpop"}

    @contextmanager
    def _frozen(self, pid: int) -> Iterator[None]:
        """Freeze a process, but not in the middle of a write: that would stop everybody who wants to write to SQLite."""

        def freeze() -> bool:
            os.kill(pid, signal.SIGSTOP)
            eventually(lambda: _stands_still(pid), 10)
            if self.database.is_free():
                return True
            os.kill(pid, signal.SIGCONT)
            return False

        eventually(freeze, 10)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _stands_still(pid: int) -> bool:
    """Whether all threads of a process have stopped; one that is in the kernel still takes its lock first."""
    files = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(file.read_text().rpartition(")")[2].split()[0] == "T" for file in files)


def _resident_kib(pid: int) -> int:
    """The memory that a process holds."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1])
