"""`/healthz`: the process answers. `/readyz`: it can do its work, and what is missing for all of it."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from celery import current_app
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from byok_site.answers import send_json
from byok_site.probes import Probe
from providerkeys import vault
from providerkeys.models import Heartbeat

_migrated = False


@dataclass(frozen=True)
class Stores:
    """What the database says. `failed` is empty or one of database, migrations, sentinel."""

    failed: str = ""
    worker: bool = False


def _look_into_database() -> Stores:
    try:
        if not is_migrated():
            return Stores(failed="migrations")
        vault.verify_keys()
        return Stores(worker=Heartbeat.is_fresh())
    except vault.WrongKeys:
        return Stores(failed="sentinel")
    finally:
        connection.close()


def is_migrated() -> bool:
    """Whether this version's migrations have run. Reading them all is slow, so a yes is kept."""
    global _migrated  # noqa: PLW0603  One fact of this process.
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated


def _ping_broker() -> bool:
    with current_app.connection_for_write() as broker:
        return bool(broker.default_channel.client.ping())


stores = Probe("database", _look_into_database, seconds=2.5, otherwise=Stores(failed="database"))
broker = Probe("broker", _ping_broker, seconds=1.5, otherwise=False)


async def alive(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    if await _may_ask(scope, send):
        await send_json(send, HTTPStatus.OK, {"status": "ok"})


async def ready(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """200 while requests can be served. A lost broker or worker only degrades: working gateways stay in the balancer."""
    if not await _may_ask(scope, send):
        return
    found, broker_answers = await asyncio.gather(stores(), broker())
    if found.failed:
        await send_json(send, HTTPStatus.SERVICE_UNAVAILABLE, {"status": "unavailable", "failed": [found.failed]})
        return
    answers = {"broker": broker_answers, "worker": found.worker}
    degraded = [name for name, works in answers.items() if not works]
    await send_json(send, HTTPStatus.OK, {"status": "ready", "degraded": degraded})


async def _may_ask(scope: Scope, send: ASGISendCallable) -> bool:
    if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
        return True
    await send_json(send, HTTPStatus.METHOD_NOT_ALLOWED, {"error": "Use GET."}, (b"allow", b"GET, HEAD"))
    return False
