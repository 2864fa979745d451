"""The ASGI table, row by row, and what an application answers beside requests."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from asgiref.typing import ASGIReceiveEvent, ASGISendEvent, HTTPScope, Scope
from pytest_django import Settings

from byok_site import asgi, health
from byok_site.asgi import GATEWAY_TABLE, TABLE, application, gateway_application
from providerkeys import vault
from providerkeys.models import Heartbeat
from tests.house.calls import Answer, Call, ask

STRANGE_HOST = {"Host": "balancer.internal"}

# Threads of their own read the database for these answers: they see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


def raising(error: type[Exception], *words: str) -> Callable[..., Any]:
    def fail(*_: object) -> None:
        raise error(*words)

    return fail


@pytest.fixture(autouse=True)
def broker_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health.broker, "_ask", lambda: True)


def get(path: str, **headers: str) -> Answer:
    return ask(application, Call(path, headers=headers))


def test_the_table_is_this() -> None:
    gateway = ["/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/messages", "/v1/messages/count_tokens"]
    gateway += ["/v1/models", "/v1/models/", "/healthz", "/readyz", "/v1/"]
    assert [row.path for row in GATEWAY_TABLE] == gateway
    assert [row.path for row in TABLE] == [*gateway, "/"]


def test_the_gateway_alone_has_no_pages() -> None:
    assert ask(gateway_application, Call("/login/")).status == 404
    assert ask(gateway_application, Call("/healthz")).status == 200
    assert ask(gateway_application, Call("/v1/models")).status == 401


def test_healthz_says_that_the_process_answers() -> None:
    answer = get("/healthz", **STRANGE_HOST)

    assert (answer.status, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


def test_readyz_is_ready_when_nothing_is_missing() -> None:
    Heartbeat.stamp()

    answer = get("/readyz", **STRANGE_HOST)

    assert (answer.status, answer.json()) == (200, {"status": "ready", "degraded": []})


def test_readyz_without_a_worker_is_degraded_and_still_ready() -> None:
    assert get("/readyz").json() == {"status": "ready", "degraded": ["worker"]}


def test_readyz_without_a_broker_is_degraded_and_still_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    Heartbeat.stamp()
    monkeypatch.setattr(health.broker, "_ask", raising(ConnectionError))

    answer = get("/readyz")

    assert (answer.status, answer.json()) == (200, {"status": "ready", "degraded": ["broker"]})


@pytest.mark.parametrize(
    ("part", "failure", "failed"),
    [
        ("is_migrated", lambda: False, "migrations"),
        ("is_migrated", raising(OSError), "database"),
        ("vault.verify_keys", raising(vault.WrongKeys), "sentinel"),
    ],
)
def test_readyz_fails_without_what_every_request_needs(
    monkeypatch: pytest.MonkeyPatch, part: str, failure: Callable[[], Any], failed: str
) -> None:
    monkeypatch.setattr(f"byok_site.health.{part}", failure)

    answer = get("/readyz", **STRANGE_HOST)

    assert (answer.status, answer.json()) == (503, {"status": "unavailable", "failed": [failed]})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_only_read(path: str) -> None:
    answer = ask(application, Call(path, "POST"))

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert ask(application, Call(path, "HEAD")).status == 200


@pytest.mark.parametrize(
    "path", ["/v1/", "/v1/completions", "/v1/chat/completions/", "/v1/organizations/acme/provider-keys"]
)
def test_unknown_routes_of_the_data_plane_are_json(path: str) -> None:
    answer = ask(application, Call(path, "POST", STRANGE_HOST))

    assert answer.status == 404
    assert answer.json() == {"error": {"type": "not_found", "message": "There is no such route."}}


@pytest.mark.parametrize("path", ["/healthz/", "/readyz/x", "/v1", "/nowhere/"])
def test_everything_else_is_the_consoles(path: str) -> None:
    answer = get(path)

    assert answer.status == 404
    assert answer.headers["Content-Type"].startswith("text/html")


def test_the_console_keeps_to_its_host() -> None:
    assert get("/login/").status == 200
    assert get("/login/", **STRANGE_HOST).status == 400


@pytest.mark.parametrize(("https", "scheme"), [(True, "https"), (False, "http")])
def test_the_scheme_is_that_of_base_url_whatever_the_last_hop_used(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, https: bool, scheme: str
) -> None:
    seen: list[str] = []

    async def django(scope: HTTPScope, *_: object) -> None:
        seen.append(scope["scheme"])

    monkeypatch.setattr("byok_site.asgi.django_application", django)
    settings.HTTPS = https
    get("/login/")

    assert seen == [scheme]


def test_websockets_are_refused() -> None:
    sent = talk({"type": "websocket", "path": "/"}, [{"type": "websocket.connect"}])

    assert [event["type"] for event in sent] == ["websocket.close"]


@pytest.fixture
def gateway_life(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done to the gateway of this process, which another test may be using: nothing, but that it is noted."""
    done: list[str] = []

    async def open_gateway() -> None:
        done.append("opened")

    async def close_gateway() -> None:
        done.append("closed")

    monkeypatch.setattr(asgi, "open_gateway", open_gateway)
    monkeypatch.setattr(asgi, "close_gateway", close_gateway)
    return done


def test_lifespan_opens_and_closes(gateway_life: list[str]) -> None:
    sent = talk({"type": "lifespan"}, [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    assert [event["type"] for event in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert gateway_life == ["opened", "closed"]


def test_lifespan_does_not_open_with_keys_that_cannot_read_the_database(
    monkeypatch: pytest.MonkeyPatch, gateway_life: list[str]
) -> None:
    monkeypatch.setattr("providerkeys.vault.verify_keys", raising(vault.WrongKeys, "Restore the keys."))

    sent = talk({"type": "lifespan"}, [{"type": "lifespan.startup"}])

    assert sent == [{"type": "lifespan.startup.failed", "message": "Restore the keys."}]
    assert not gateway_life


def talk(scope: dict[str, str], events: list[dict[str, str]]) -> list[ASGISendEvent]:
    waiting, sent = iter(events), list[ASGISendEvent]()

    async def receive() -> ASGIReceiveEvent:
        return cast("ASGIReceiveEvent", next(waiting))

    async def send(event: ASGISendEvent) -> None:
        sent.append(event)

    asyncio.run(application(cast("Scope", scope), receive, send))
    return sent
