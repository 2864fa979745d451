"""Writes down what went by, in batches and off the path: a crash may lose the last second of records, never a request."""

import asyncio
import json
import logging
import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from gateway import db
from gateway.exchange import Attempt, Exchange
from gateway.models import RequestRecord
from organizations.models import ApiKey
from organizations.models.api_key import PREFIX
from providerkeys.models import ProviderKey

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 1.0
_AT_ONCE: Final = 500
_TEXT_LENGTH: Final = 200
_MOST: Final = 50_000
"""Records that wait for a database that is away. Older ones are given up, and the log counts them."""
_MOST_WITH_ENDS: Final = 1000
"""Of how many that wait the ends of the answer are kept, 20 KiB each, until there is time to read them."""
_CLOSE_SECONDS: Final = 4.0
# Somebody pastes a key where a model belongs.
_OUR_KEY: Final = re.compile(rf"{PREFIX}[0-9A-Za-z]+")


class Recorder:
    """Takes exchanges that have ended; a task of its own writes them."""

    def __init__(self) -> None:
        self._waiting: deque[Exchange] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._given_up = 0

    def open(self) -> None:
        self._closing.clear()
        self._task = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        """Write what waits, and stop. A database that is away is not waited for longer than four seconds."""
        self._closing.set()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                if self._task:
                    await self._task
                await self.flush()
        except TimeoutError:
            log.error("%d request records or more were not written: the database did not take them", len(self._waiting))  # noqa: TRY400

    def put(self, exchange: Exchange) -> None:
        """Have ``exchange`` written soon. Of a caller whom nobody knows there is nothing to write."""
        if exchange.caller is None:
            return
        if len(self._waiting) >= _MOST_WITH_ENDS:
            exchange.usage()
        if len(self._waiting) >= _MOST:
            self._waiting.popleft()
            self._given_up += 1
        self._waiting.append(exchange)

    async def _run(self) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), EVERY_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write all that waits now, in as many batches as it takes."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_ONCE))]
            try:
                await db.run_beside(partial(_write, batch), db.RECORDS)
            except Exception as error:  # noqa: BLE001 -- whatever it was, the recorder lives as long as its process.
                self._keep(batch, type(error).__name__)
                return
            except asyncio.CancelledError:
                # It may have been written all the same; then the database ignores the second time.
                self._waiting.extendleft(reversed(batch))
                raise

    def _keep(self, batch: list[Exchange], why: str) -> None:
        self._waiting.extendleft(reversed(batch))
        while len(self._waiting) > _MOST:
            self._waiting.popleft()
            self._given_up += 1
        log.warning(
            "%d request records wait for the database (%s); %d were given up", len(self._waiting), why, self._given_up
        )
        self._given_up = 0


def _write(batch: Sequence[Exchange]) -> None:
    """Raises ``OperationalError`` and ``InterfaceError``, as a database does that is away. One record that can't be written
    costs none of the others.
    """
    try:
        _write_together(batch)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 -- it is about a value, whatever it was.
        if len(batch) == 1:
            log.error("request %s could not be recorded (%s)", batch[0].id, type(error).__name__)  # noqa: TRY400
        else:
            for one in batch:
                _write([one])


# Statements of our own: Django's objects and queries for them cost twice as much as the rows do (measured: 48 µs a record,
# and 22 so).
_COLUMNS: Final = tuple(field.attname for field in RequestRecord._meta.concrete_fields)
_INSERT: Final = (
    f"INSERT INTO {RequestRecord._meta.db_table} ({', '.join(_COLUMNS)})"  # noqa: S608 -- all of it is our own.
    f" VALUES ({', '.join(f'%({column})s' for column in _COLUMNS)}) ON CONFLICT DO NOTHING"
)


def _write_together(batch: Sequence[Exchange]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_INSERT, [_row(one) for one in batch])
        _stamp(cursor, ApiKey, ((one.caller.id, one) for one in batch if one.caller and one.admitted))
        _stamp(cursor, ProviderKey, ((key.id, one) for one in batch for key in one.used))


def _stamp(
    cursor: CursorWrapper, model: type[ApiKey] | type[ProviderKey], used: Iterable[tuple[str, Exchange]]
) -> None:
    """Move ``last_used_at`` forward, never back: another process may have written a later one."""
    latest = dict(sorted(((pk, one.at) for pk, one in used), key=lambda pair: pair[1]))
    statement = (
        f"UPDATE {model._meta.db_table} SET last_used_at = %(at)s"  # noqa: S608 -- the table's name is our own.
        " WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at < %(at)s)"
    )
    if latest:
        # In one order everywhere, so that two processes never wait for each other.
        cursor.executemany(statement, [{"id": pk, "at": _moment(at)} for pk, at in sorted(latest.items())])


def _moment(at: datetime) -> Any:
    """As this database takes it."""
    return connection.ops.adapt_datetimefield_value(at)


def _row(exchange: Exchange) -> Mapping[str, Any]:
    """A value for each column."""
    caller, key, used = exchange.caller, exchange.served_by, exchange.usage()
    assert caller  # noqa: S101 -- put() takes no other.
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
    sayable = said.encode(errors="replace").decode().replace("\0", "")
    return _OUR_KEY.sub(f"{PREFIX}…", sayable)[:_TEXT_LENGTH]


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "provider_key": attempt.candidate.id,
        "status": attempt.status,
        "reason": attempt.reason,
        "milliseconds": attempt.milliseconds,
    }
