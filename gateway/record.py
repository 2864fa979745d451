"""Writes down what went by, in batches and off the path: a crash may lose the last second of records, never a request."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.db import InterfaceError, OperationalError, connection, transaction

from gateway import db, usage
from gateway.exchange import Attempt, Exchange
from gateway.models import RequestRecord
from organizations.models import ApiKey
from providerkeys.models import ProviderKey

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 1.0
_AT_ONCE: Final = 500
_TEXT_LENGTH: Final = 200
_MOST: Final = 50_000
"""Records that wait for a database that is away. Older ones are given up, and the log counts them."""


class Recorder:
    """Takes exchanges that have ended; a task of its own writes them."""

    def __init__(self) -> None:
        self._waiting: deque[Exchange] = deque()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._task = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        """Write what waits, and stop."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.flush()

    def put(self, exchange: Exchange) -> None:
        """Have ``exchange`` written soon. Of a caller whom nobody knows there is nothing to write."""
        if exchange.caller is None:
            return
        self._waiting.append(exchange)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write all that waits now, in as many batches as it takes."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_ONCE))]
            try:
                await db.run(partial(_write, batch))
            except (OperationalError, InterfaceError) as error:
                self._keep(batch, type(error).__name__)
                return
            except Exception as error:  # noqa: BLE001 -- whatever it was, the recorder lives as long as its process.
                log.error("%d request records could not be written (%s)", len(batch), type(error).__name__)  # noqa: TRY400

    def _keep(self, batch: list[Exchange], why: str) -> None:
        self._waiting.extendleft(reversed(batch))
        lost = max(len(self._waiting) - _MOST, 0)
        for _ in range(lost):
            self._waiting.popleft()
        log.warning("%d request records wait for the database (%s); %d were given up", len(self._waiting), why, lost)


# Statements of our own: Django's objects and queries for them would cost twice as much as the rows.
_COLUMNS: Final = tuple(field.attname for field in RequestRecord._meta.concrete_fields)
_INSERT: Final = (
    f"INSERT INTO {RequestRecord._meta.db_table} ({', '.join(_COLUMNS)})"  # noqa: S608 -- all of it is our own.
    f" VALUES ({', '.join(f'%({column})s' for column in _COLUMNS)}) ON CONFLICT DO NOTHING"
)


def _write(batch: Sequence[Exchange]) -> None:
    _execute(_INSERT, [_row(one) for one in batch])
    _stamp(ApiKey, {one.caller.id: one.at for one in batch if one.caller})
    _stamp(ProviderKey, {one.served_by.id: one.at for one in batch if one.served_by})


def _stamp(model: type[ApiKey] | type[ProviderKey], used: dict[str, datetime]) -> None:
    """Move ``last_used_at`` forward, never back: another process may have written a later one."""
    statement = (
        f"UPDATE {model._meta.db_table} SET last_used_at = %(at)s"  # noqa: S608 -- the table's name is our own.
        " WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at < %(at)s)"
    )
    # In one order, so that two processes never wait for each other's rows.
    _execute(statement, [{"id": pk, "at": _moment(at)} for pk, at in sorted(used.items())])


def _execute(statement: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(statement, rows)


def _moment(at: datetime) -> Any:
    """As this database takes it."""
    return connection.ops.adapt_datetimefield_value(at)


def _row(exchange: Exchange) -> Mapping[str, Any]:
    """A value for each column."""
    caller, key = exchange.caller, exchange.served_by
    assert caller  # noqa: S101 -- put() takes no other.
    used = usage.read(exchange.head, exchange.tail)
    return {
        "id": exchange.id,
        "at": _moment(exchange.at),
        "organization_id": caller.organization_id,
        "api_key_id": caller.id,
        "api_key_name": caller.name,
        "api_key_hint": caller.hint,
        "api": exchange.api or "",
        "provider": exchange.provider,
        "model": _text(exchange.model),
        "region": "",
        "provider_key_id": key.id if key else "",
        "provider_key_name": key.name if key else "",
        "provider_key_hint": key.hint if key else "",
        "provider_key_version": key.version if key else None,
        "provider_request_id": _text(exchange.provider_request_id),
        "status": exchange.status,
        "reason": exchange.reason,
        "attempts": json.dumps([_attempt(one) for one in exchange.attempts]),
        "streamed": exchange.stream,
        "first_byte_ms": exchange.first_byte_ms,
        "total_ms": exchange.total_ms,
        "tokens_in": used.tokens_in,
        "tokens_out": used.tokens_out,
    }


def _text(said: str) -> str:
    """What a caller or a provider wrote, as every database takes it."""
    return said.encode(errors="replace").decode().replace("\0", "")[:_TEXT_LENGTH]


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "provider_key": attempt.candidate.id,
        "status": attempt.status,
        "reason": attempt.reason,
        "milliseconds": attempt.milliseconds,
    }
