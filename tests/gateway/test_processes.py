"""The gateway as a process of its own: its database drops it, streams are many, and a stop loses none."""

import asyncio
import signal
from collections.abc import Iterator
from typing import Any, Final

import aiohttp
import pytest
from django.db import connection

from organizations.access import Access
from organizations.models import ApiKey
from tests.fakeproviders.client import FakeProviders
from tests.fakeproviders.fixtures import CheckedProviders
from tests.gateway.conftest import keep
from tests.gateway.load import run as load
from tests.gateway.processes import Process, processes

pytestmark = pytest.mark.long

STREAMS: Final = 500


@pytest.fixture(scope="module")
def one(django_db_setup: None, django_db_blocker: Any, fake_providers: FakeProviders) -> Iterator[Process]:
    """One for the whole module; its last test stops it."""
    with django_db_blocker.unblock(), processes(fake_providers.base_urls) as (started,):
        yield started


@pytest.mark.database
def test_a_database_that_drops_its_connections_costs_no_later_request(
    one: Process, db: None, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    keep(alice_access)
    assert one.ask(api_key)[0] == 200
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    # What was resolved is kept for three seconds: another API key has to be looked up now.
    assert one.ask(ApiKey.issue(alice_access, "another")[1])[0] == 200


def test_mixed_requests_with_faults_at_the_providers_leave_a_record_each(
    one: Process, db: None, providers: CheckedProviders
) -> None:
    """In small what ``./dev soak`` does a hundred thousand times."""
    found = load.run(one, providers, 300)
    assert list(found.complaints()) == []
    assert found.seen.count == 300


def test_many_streams_at_once_are_carried_in_bounded_memory_and_a_stop_loses_none(
    one: Process, db: None, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    keep(alice_access)
    assert one.ask(api_key)[0] == 200
    before, (granted, most) = one.resident_mib, one.descriptors
    assert granted == most
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
