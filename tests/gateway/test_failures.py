"""What fails inside: the database, a sign-in, the gateway's own code, the server that is being stopped."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.db import InterfaceError, OperationalError

from gateway import app, db, names, suspects, ways_in
from gateway.cache import Cache
from gateway.models import RequestRecord
from organizations.access import Access
from organizations.models import ApiKey
from providerkeys import vault
from providerkeys.models import CredentialCheck, ProviderKey
from providerkeys.providers import registry
from tests.fakeproviders.fixtures import CheckedProviders
from tests.gateway.conftest import Gateway, forget, keep

BODY: dict[str, Any] = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "hi"}]}


def said(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


# The database


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_away_is_said_so(
    gateway: Gateway, api_key: str, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def gone(*_: Any) -> None:
        raise error("the address of the database")

    with monkeypatch.context() as patched:
        patched.setattr(ApiKey, "find", gone)
        answer = gateway.post(api_key)
    assert said(answer) == (503, "database")
    assert answer.headers["retry-after"] == "1"
    assert "address" not in answer.text
    forget()
    assert said(gateway.post(api_key)) == (403, "no_provider_key")


def test_a_database_that_says_nothing_is_not_waited_for(
    gateway: Gateway, api_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it keep those waiting who come later."""
    back = threading.Event()
    monkeypatch.setattr(db, "SECONDS", 0.2)
    with monkeypatch.context() as patched:
        patched.setattr(ApiKey, "find", lambda _: back.wait(10) and None)
        with ThreadPoolExecutor(12) as callers:
            started = time.monotonic()
            found = list(callers.map(lambda _: said(gateway.post(api_key)), range(12)))
    back.set()
    assert found == [(503, "database")] * 12
    assert time.monotonic() - started < 5


def test_a_broker_that_is_away_keeps_no_request_waiting(
    gateway: Gateway, api_key: str, alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many keys are refused at once, and none of their checks can be queued."""
    back = threading.Event()
    key = keep(alice_access)
    monkeypatch.setattr(CredentialCheck, "recheck", lambda _: back.wait(10))

    async def report() -> None:
        for number in range(20):
            suspects.report(Suspect(f"pk_{number}"))  # type: ignore[arg-type]

    asyncio.run_coroutine_threadsafe(report(), gateway.loop).result(5)
    try:
        assert gateway.post(api_key).headers["x-byok-provider-key"] == key.pk
    finally:
        back.set()


class Suspect:
    """As much of a candidate as it takes to suspect it."""

    credentials_version = 1

    def __init__(self, pk: str) -> None:
        self.id = pk


def test_a_stamp_that_cannot_be_written_leaves_the_request_to_the_next_key(
    gateway: Gateway, api_key: str, alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, good = keep(alice_access), keep(alice_access)
    ProviderKey.objects.filter(pk=broken.pk).update(destination={"location": "eu"})

    def locked(_: ProviderKey) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(ProviderKey, "found_unreadable", locked)
    assert gateway.post(api_key).headers["x-byok-provider-key"] == good.pk


# Single flights


class TestASingleFlight:
    """One query for all who wait, whatever becomes of one of them."""

    def test_an_exception_reaches_all_and_is_not_kept(self) -> None:
        cache, calls = Cache[str, int](), list[int]()

        async def fetch() -> int:
            calls.append(1)
            await asyncio.sleep(0)
            if len(calls) == 1:
                raise OperationalError
            return 7

        async def run() -> list[Any]:
            first = await asyncio.gather(*(cache.get("a", fetch) for _ in range(5)), return_exceptions=True)
            return [*map(type, first), await cache.get("a", fetch)]

        assert asyncio.run(run()) == [*[OperationalError] * 5, 7]

    def test_whoever_came_first_may_leave(self) -> None:
        cache, go = Cache[str, int](), asyncio.Event()

        async def fetch() -> int:
            await go.wait()
            return 7

        async def run() -> tuple[bool, int | None]:
            first, second = (asyncio.ensure_future(cache.get("a", fetch)) for _ in range(2))
            await asyncio.sleep(0)
            first.cancel()
            await asyncio.sleep(0)
            go.set()
            return first.cancelled(), await second

        assert asyncio.run(run()) == (True, 7)

    def test_no_key_gets_anothers_value(self) -> None:
        cache = Cache[int, int](most=100)

        async def fetch(number: int) -> int:
            await asyncio.sleep(0)
            return number

        async def run() -> list[int | None]:
            asked = [number % 250 for number in range(1000)]
            return await asyncio.gather(*(cache.get(one, lambda one=one: fetch(one)) for one in asked))  # type: ignore[misc]

        assert asyncio.run(run()) == [number % 250 for number in range(1000)]
        assert len(cache._kept) <= 100


# Signing in, and lists of models


VERTEX = "google_vertex_ai/gemini-2.5-flash"


SIGN_INS = {"wrong": 502, "nobody": 401, "good": 200}


@pytest.mark.parametrize("scenario", SIGN_INS)
def test_a_storm_of_requests_is_no_storm_of_sign_ins(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access, scenario: str
) -> None:
    """Neither of a key that is not let in, nor of one whose token is refused."""
    keep(alice_access, "google_vertex_ai", scenario)
    with ThreadPoolExecutor(4) as callers:
        found = list(callers.map(lambda _: gateway.post(api_key, model=VERTEX).status_code, range(8)))
    assert found == [SIGN_INS[scenario]] * 8
    assert providers.total("google_oauth") == 1


def test_a_token_that_was_outlived_is_replaced(
    gateway: Gateway, api_key: str, alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(alice_access, "google_vertex_ai", "stale")
    monkeypatch.setattr(ways_in, "_YOUNG_SECONDS", -1)
    assert [gateway.post(api_key, model=VERTEX).status_code for _ in range(2)] == [401, 200]


def test_a_storm_of_lists_asks_each_provider_once(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    keep(alice_access)
    keep(alice_access, "anthropic")
    with ThreadPoolExecutor(8) as callers:
        found = list(callers.map(lambda _: gateway.send("GET", "/v1/models", {"x-api-key": api_key}).json(), range(16)))
    assert all(one == found[0] for one in found)
    assert (providers.total("openai"), providers.total("anthropic")) == (1, 1)


def test_a_provider_whose_file_is_gone_is_one_that_nobody_knows(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its keys stay stored, and serve nobody."""
    keep(alice_access, "mistral")
    others = {slug: registry.get(slug) for slug in ("openai", "anthropic")}
    monkeypatch.setattr(registry, "_by_slug", lambda: others)
    assert said(gateway.post(api_key, model="mistral/mistral-large-latest")) == (400, "unknown_provider")
    assert gateway.send("GET", "/v1/models", {"x-api-key": api_key}).json()["data"] == []
    assert not providers.requests()


# What changes while a request is under way


@pytest.mark.parametrize("what", ["the API key", "the provider key", "the organization"])
def test_a_request_that_was_begun_is_finished_and_recorded(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access, what: str
) -> None:
    key = keep(alice_access, scenario="gate")
    secret = providers_key(key)
    with ThreadPoolExecutor(1) as caller:
        answer = caller.submit(gateway.post, api_key)
        providers.wait_for(secret)
        if what == "the API key":
            ApiKey.objects.get().delete_by(alice_access)
        elif what == "the provider key":
            key.delete_by(alice_access)
        else:
            alice_access.organization.delete()
        providers.release(secret)
        got = answer.result(10)
    gateway.record()
    assert got.status_code == 200
    record = RequestRecord.objects.get()
    assert (record.pk, record.status, record.provider_key_id) == (got.headers["x-request-id"], 200, key.pk)


def providers_key(key: ProviderKey) -> str:
    return vault.reveal(key, vault.Purpose.GATEWAY)


# The gateway itself


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_a_fault_of_our_own_is_told_as_one_and_shows_nothing(
    gateway: Gateway, api_key: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    words = "the words of the exception"

    def broken(*_: Any) -> None:
        raise ValueError(words)

    monkeypatch.setattr(names, "provider_and_model", broken)
    answer = gateway.post(api_key, path)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/json")
    assert answer.json()["error"]["type"] == "api_error"
    gateway.record()
    record = RequestRecord.objects.get()
    assert (record.pk, record.status, record.reason) == (answer.headers["x-request-id"], 500, "internal")
    assert f"request {record.pk} failed: ValueError" in caplog.text
    assert words not in caplog.text + answer.text


class TestAServerThatIsBeingStopped:
    """It cancels what is still under way."""

    def cancelled(self, gateway: Gateway) -> None:
        def cancel() -> None:
            for task in asyncio.all_tasks():
                if "run_asgi" in repr(task.get_coro()):
                    task.cancel()

        gateway.loop.call_soon_threadsafe(cancel)

    def test_tells_those_who_have_no_answer_yet(
        self, gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
    ) -> None:
        secret = providers_key(keep(alice_access, scenario="hang"))
        with ThreadPoolExecutor(1) as caller:
            answer = caller.submit(gateway.post, api_key)
            providers.wait_for(secret)
            self.cancelled(gateway)
            assert said(answer.result(10)) == (503, "stopping")
        providers.wait_for(secret, outcome="left")
        gateway.record()
        assert RequestRecord.objects.get().reason == "stopping"

    def test_cuts_an_answer_that_has_begun(
        self, gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
    ) -> None:
        secret = providers_key(keep(alice_access, scenario="gatestream"))
        with requests.post(
            f"{gateway.url}/v1/chat/completions",
            json={**BODY, "stream": True},
            headers={"x-api-key": api_key},
            stream=True,
            timeout=10,
        ) as got:
            pieces = got.iter_content(1)
            next(pieces)
            self.cancelled(gateway)
            with pytest.raises(requests.exceptions.ChunkedEncodingError):
                list(pieces)
        providers.wait_for(secret, outcome="left")
        gateway.record()
        record = RequestRecord.objects.get()
        assert (record.status, record.reason) == (200, "stopping")


def test_a_caller_who_leaves_while_the_server_stops_is_no_reason_to_go_on() -> None:
    """Both reasons to stop come at once; the second one must not be lost."""

    async def never() -> None:
        await asyncio.Event().wait()

    async def leaves() -> Any:
        return {"type": "http.disconnect"}

    async def run() -> None:
        task = asyncio.ensure_future(app._unless_caller_leaves(never(), leaves))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
