"""PostgreSQL killed, away and restarted under load, as a server of the test's own."""

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import psycopg
import pytest
import requests

from tests.fakeproviders.client import FakeProviders
from tests.gateway.cluster import PROGRAMS, Cluster, cluster
from tests.gateway.processes import ROOT, Process, processes
from tests.processes import eventually

pytestmark = [
    pytest.mark.skipif(not PROGRAMS, reason="initdb and pg_ctl, to run a database server of its own, were not found"),
    pytest.mark.xdist_group("product-postgresql"),
    pytest.mark.usefixtures("providers"),
]

_LANES: Final = 4
# A caller's answers while the database is away: what is known is served, what is not is told to come again.
_SERVED: Final = (200, "")
_TOLD: Final = (503, "database")
_KEPT_SECONDS: Final = 3.0
# A pool that pauses for 1, 2, 4 seconds between its tries is by then in its third pause, longer than anybody waits.
_LONG: Final = 4.0
# Within the gateway's own five seconds for a question to the database, with room for a machine that is busy.
_SLOWEST: Final = 15.0


@dataclass
class Load:
    """Callers who ask without a pause. ``served``: the names of the requests that were answered with a success."""

    url: str
    served: set[str] = field(default_factory=set)
    outcomes: Counter[tuple[int, str]] = field(default_factory=Counter)
    slowest: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def ask(self, api_key: str) -> tuple[int, str]:
        """One completion: its status and, of a refusal, the code."""
        body = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
        began = time.monotonic()
        answer = requests.post(
            f"{self.url}/v1/chat/completions", json=body, headers={"x-api-key": api_key}, timeout=_SLOWEST
        )
        self.slowest = max(self.slowest, time.monotonic() - began)
        if answer.ok:
            self.served.add(answer.headers["x-request-id"])
        return answer.status_code, "" if answer.ok else answer.json()["error"]["code"]

    @contextmanager
    def steady(self, api_key: str) -> Iterator[None]:
        """Ask for the length of a ``with`` block, in several threads; what they meet is in ``outcomes``."""
        lanes = [threading.Thread(target=self._lane, args=(api_key,)) for _ in range(_LANES)]
        for lane in lanes:
            lane.start()
        try:
            yield
        finally:
            self._stop.set()
            for lane in lanes:
                lane.join()

    def _lane(self, api_key: str) -> None:
        while not self._stop.wait(0.01):
            try:
                outcome = self.ask(api_key)
            except requests.RequestException as error:
                outcome = (0, type(error).__name__)
            self.outcomes[outcome] += 1


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture(scope="module")
def unused(server: Cluster) -> Iterator[str]:
    """API keys that nobody has asked with yet: each has to be looked up."""
    environment = {**os.environ, "DATABASE_URL": server.url, "DJANGO_SETTINGS_MODULE": "byok_site.settings"}
    seeding = [sys.executable, "-m", "tests.gateway.seed", "18"]
    seeded = subprocess.run(seeding, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    return iter(seeded.stdout.split())


@pytest.fixture
def api_keys(unused: Iterator[str]) -> list[str]:
    return list(islice(unused, 6))


@pytest.fixture(scope="module")
def process(server: Cluster, unused: Iterator[str], fake_providers: FakeProviders) -> Iterator[Process]:
    with processes(fake_providers.base_urls, database=server.url) as (started,):
        yield started


def test_a_killed_and_a_restarted_database_cost_a_moment_and_no_record(
    server: Cluster, api_keys: list[str], process: Process
) -> None:
    load, (steady, first, unknown, *later) = Load(process.url), api_keys
    earlier = _recorded(server)
    with load.steady(steady):
        eventually(lambda: load.outcomes[_SERVED] >= 20, 30)
        _killed(load, server, first, unknown)
        server.start()
        assert load.ask(later.pop()) == _SERVED, "the next request works"
        server.restart()
        assert load.ask(later.pop()) == _SERVED, "the next request works"
        before = load.outcomes[_SERVED]
        eventually(lambda: load.outcomes[_SERVED] >= before + 20, 30)
    # Nobody was dropped, nobody waited without end, and nobody was told anything else.
    assert set(load.outcomes) <= {_SERVED, _TOLD}
    assert load.slowest < _SLOWEST
    # Records wait for the database, so not one is lost, and none is written twice.
    eventually(lambda: len(_recorded(server)) >= len(earlier) + len(load.served), 30)
    assert _recorded(server) - earlier == load.served


def test_whoever_asks_first_after_a_restart_meets_no_row_of_dead_connections(
    server: Cluster, api_keys: list[str], process: Process
) -> None:
    load, (*some, last) = Load(process.url), api_keys
    with _held(server, len(some)) as release, ThreadPoolExecutor() as lanes:
        asked = [lanes.submit(load.ask, api_key) for api_key in some]
        release()
        assert [one.result() for one in asked] == [_SERVED] * len(some)

    server.restart()

    assert load.ask(last) == _SERVED


def test_after_a_long_outage_the_first_to_ask_is_served(server: Cluster, api_keys: list[str], process: Process) -> None:
    load, (known, unknown, last, *_) = Load(process.url), api_keys
    assert load.ask(known) == _SERVED
    server.kill()
    until = time.monotonic() + _LONG
    while time.monotonic() < until:
        assert load.ask(unknown) == _TOLD

    server.start()

    assert load.ask(last) == _SERVED


@contextmanager
def _held(server: Cluster, connections: int) -> Iterator[Callable[[], None]]:
    """Nobody can look up an API key, until a function is called: it waits until so many try, each by a connection."""
    with psycopg.connect(server.url) as ours, psycopg.connect(server.url, autocommit=True) as looking:
        ours.execute("LOCK TABLE organizations_apikey")

        def release() -> None:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            eventually(lambda: looking.execute(waiting).fetchone() == (connections,), 4)
            ours.rollback()

        yield release


def _killed(load: Load, server: Cluster, known: str, unknown: str) -> None:
    """Who was looked up a moment ago is served all the same; who was not is told so, at once or in a few seconds."""
    began = time.monotonic()
    assert load.ask(known) == _SERVED
    server.kill()
    told = load.ask(known)
    assert told == _SERVED or time.monotonic() - began > _KEPT_SECONDS, told
    assert load.ask(unknown) == _TOLD


def _recorded(server: Cluster) -> set[str]:
    """The requests that were written down as served."""
    return {pk for (pk,) in server.rows("SELECT id FROM gateway_requestrecord WHERE status = 200")}
