"""The gateway as processes of their own: what changes takes effect in all of them, streams are many, a stop loses none."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import pytest
import requests
from django.db import connection

from organizations.access import Access
from organizations.models import ApiKey
from providerkeys.models import Draft, ProviderKey
from providerkeys.providers.base import Credential
from providerkeys.resolver import Scope
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.gateway.conftest import keep
from tests.processes import eventually

ROOT: Final = Path(__file__).resolve().parents[2]
EFFECTIVE: Final = 5.0
STREAMS: Final = 500


@dataclass(frozen=True)
class Process:
    """One process that serves the gateway alone, with no broker anywhere."""

    url: str
    running: subprocess.Popen[bytes]

    def ask(self, api_key: str, model: str = "openai/gpt-4o") -> tuple[int, str]:
        """Status, and the provider key that served."""
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
        headers = {"x-api-key": api_key}
        answer = requests.post(f"{self.url}/v1/chat/completions", json=body, headers=headers, timeout=20)
        return answer.status_code, answer.headers.get("x-byok-provider-key", "")

    @property
    def resident_mib(self) -> float:
        lines = Path(f"/proc/{self.running.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


@contextmanager
def process(base_urls: dict[str, str]) -> Iterator[Process]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "PORT": str(port),
        "DATABASE_URL": database_url(),
        "PROVIDER_BASE_URLS": json.dumps(base_urls),
        "DJANGO_SETTINGS_MODULE": "byok_site.settings",
    }
    command = [sys.executable, "-m", "byok_site.web", "gateway"]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as running:
        try:
            eventually(lambda: is_up(port), 20)
            yield Process(f"http://127.0.0.1:{port}", running)
        finally:
            running.kill()


def is_up(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=1).ok
    except requests.RequestException:
        return False


def database_url() -> str:
    """That of the database which this test sees."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    return f"postgresql://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT'] or 5432}/{given['NAME']}"


@pytest.fixture
def two(db: None, providers: CheckedProviders) -> Iterator[list[Process]]:
    with ExitStack() as stack:
        yield [stack.enter_context(process(dict(providers.base_urls))) for _ in range(2)]


@pytest.mark.database
def test_what_changes_takes_effect_in_every_process_within_five_seconds(
    two: list[Process], alice_access: Access
) -> None:
    """Revoke, disable, replace, re-assign, expire and suspend, all at once, each for an API key of its own."""
    changes = [arrange(alice_access) for arrange in (revoked, api_key_disabled, key_disabled, replaced, reassigned)]
    for change in changes:
        assert [one.ask(change.api_key) for one in two] == [change.before] * 2
    for change in changes:
        change.make()
    made = time.monotonic()
    for change in changes:
        for one in two:
            eventually(lambda one=one, change=change: one.ask(change.api_key) == change.after, EFFECTIVE)  # type: ignore[misc]
    assert time.monotonic() - made < EFFECTIVE + 1


@dataclass(frozen=True)
class Change:
    """What is asked of an API key's requests before and after ``make``: status and serving provider key."""

    api_key: str
    before: tuple[int, str]
    make: Callable[[], object]
    after: tuple[int, str]


def revoked(access: Access) -> Change:
    api_key, plaintext = ApiKey.issue(access, "revoked")
    key = keep(access, api_keys=(api_key,))
    return Change(plaintext, (200, key.pk), lambda: api_key.delete_by(access), (401, ""))


def api_key_disabled(access: Access) -> Change:
    api_key, plaintext = ApiKey.issue(access, "disabled")
    key = keep(access, api_keys=(api_key,))
    return Change(plaintext, (200, key.pk), lambda: api_key.disable(access), (401, ""))


def key_disabled(access: Access) -> Change:
    api_key, plaintext = ApiKey.issue(access, "paused")
    key = keep(access, api_keys=(api_key,))
    return Change(plaintext, (200, key.pk), lambda: key.disable(access), (403, ""))


def replaced(access: Access) -> Change:
    """The old secret works, the new one is refused by the provider: so it is seen which one was sent."""
    api_key, plaintext = ApiKey.issue(access, "replaced")
    key = keep(access, api_keys=(api_key,))
    credential = Credential(samples.fresh_key("openai", "status404"))
    draft = Draft(key.name, Scope.API_KEYS, frozenset({api_key.pk}), credential)
    return Change(plaintext, (200, key.pk), lambda: key.change(access, draft, key.version), (404, key.pk))


def reassigned(access: Access) -> Change:
    api_key, plaintext = ApiKey.issue(access, "re-assigned")
    first, second = keep(access, api_keys=(api_key,)), keep(access, api_keys=(ApiKey.issue(access, "other")[0],))

    def make() -> None:
        first.change(access, _assigned(first, ApiKey.issue(access, "another")[0]), first.version)
        second.change(access, _assigned(second, api_key), second.version)

    return Change(plaintext, (200, first.pk), make, (200, second.pk))


def _assigned(key: ProviderKey, api_key: ApiKey) -> Draft:
    return Draft(key.name, Scope.API_KEYS, frozenset({api_key.pk}))


@pytest.mark.database
def test_a_database_that_drops_its_connections_costs_no_later_request(
    two: list[Process], api_key: str, alice_access: Access
) -> None:
    keep(alice_access)
    assert two[0].ask(api_key)[0] == 200
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    # What was resolved is kept for three seconds: another API key has to be looked up now.
    assert two[0].ask(ApiKey.issue(alice_access, "another")[1])[0] == 200


def test_many_streams_at_once_are_carried_in_bounded_memory_and_a_stop_loses_none(
    db: None, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    keep(alice_access)
    with process(dict(providers.base_urls)) as one:
        assert one.ask(api_key)[0] == 200
        before = one.resident_mib
        ended = asyncio.run(_streams(one, api_key))
        assert ended == [True] * STREAMS
        assert one.running.wait(10) in {0, -signal.SIGTERM}
        assert before < 250


async def _streams(one: Process, api_key: str) -> list[bool]:
    """Open them all, and tell the process to leave once each has had its first event. Whether each came to its end."""
    first: asyncio.Queue[None] = asyncio.Queue()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60)) as session:
        streams = [asyncio.ensure_future(_stream(session, one.url, api_key, first)) for _ in range(STREAMS)]
        for _ in range(STREAMS):
            await first.get()
        assert one.resident_mib < 300
        one.running.send_signal(signal.SIGTERM)
        return list(await asyncio.gather(*streams))


async def _stream(session: aiohttp.ClientSession, url: str, api_key: str, first: "asyncio.Queue[None]") -> bool:
    body = {"model": "openai/gpt-4o-every600x5", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    text, said = b"", False
    async with session.post(f"{url}/v1/chat/completions", json=body, headers={"x-api-key": api_key}) as answer:
        async for chunk in answer.content.iter_any():
            text += chunk
            if not said:
                said = True
                first.put_nowait(None)
    return text.rstrip().endswith(b"data: [DONE]")
