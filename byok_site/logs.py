"""Logging: one handler to standard error, as text or as JSON lines, that keeps quiet about what rows and requests hold.

No exception's words get into a line. PostgreSQL prints the whole row into the text of a violated constraint, `int` what it
was to read, `KeyError` what was looked up: each may be what somebody typed. Told are types, files and lines.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, override

# LOG_LEVEL opens these rooms only. The libraries' lower levels print headers, URLs, key ids, SQL parameters and task
# arguments (measured: botocore, urllib3, celery), so every other logger says no less than WARNING at any LOG_LEVEL.
OURS = ("byok_site", "django", "gateway", "organizations", "providerkeys", "uvicorn")
TALKATIVE_AT_DEBUG = ("django.db.backends", "django.template")
WITHHELD: Final = "(text withheld)"
request_id: Final[ContextVar[str]] = ContextVar("request_id", default="")
"""The id of the request of the console that is being answered; empty outside of one."""
REQUEST_ID: Final = "byok.request_id"
"""Where a request of Django's keeps it."""
# Shorter words could be a part of any line, and hold no part of a secret that is worth anything.
_SHORTEST: Final = 4


def configuration(level: str, style: str) -> dict[str, Any]:
    """Django's LOGGING for a level name and a style (`text` | `json`)."""
    floor = max(level, "WARNING", key=logging.getLevelNamesMapping().__getitem__)
    formatter = "byok_site.logs.JsonFormatter" if style == "json" else "byok_site.logs.TextFormatter"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {"stderr": {"class": "byok_site.logs.StandardError", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": floor},
        "loggers": {
            **{name: {"level": level} for name in OURS},
            **{name: {"level": floor} for name in TALKATIVE_AT_DEBUG},
            # Django's own defaults would mail error pages to ADMINS and print to the console a second time.
            "django": {"handlers": [], "level": level, "propagate": True},
            # Its lines hold query strings. uvicorn writes them whenever this logger reaches a handler.
            "uvicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
            "django.server": {"handlers": [], "level": floor, "propagate": True},
        },
    }


class StandardError(logging.StreamHandler[Any]):
    """Tells of a line that can't be written by where it comes from. Python's own words would hold all its arguments."""

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        error, where = type(sys.exception()).__name__, f"{record.pathname}:{record.lineno}"
        sys.stderr.write(
            f"{_at(record)} ERROR {__name__} a line of {record.name} can't be written: {error} at {where}\n"
        )


class TextFormatter(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        error = error_of(record)
        request = request_of(record)
        line = f"{_at(record)} {record.levelname} {record.name} {message(record)}{f' ({request})' if request else ''}"
        return f"{line}\n{told(error).rstrip()}" if error else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `at` (ISO 8601, UTC), `level`, `logger`, `message`; `request` in one of the console, and
    `traceback` after an exception.
    """

    @override
    def format(self, record: logging.LogRecord) -> str:
        line = {"at": _at(record), "level": record.levelname, "logger": record.name, "message": message(record)}
        request = request_of(record)
        if request:
            line["request"] = request
        error = error_of(record)
        if error:
            line["traceback"] = told(error)
        return json.dumps(line, ensure_ascii=False)


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def request_of(record: logging.LogRecord) -> str:
    """The id of the request that the line is about: Django tells of a refusal when the request's own context is gone."""
    return request_id.get() or getattr(getattr(record, "request", None), "META", {}).get(REQUEST_ID, "")


def error_of(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def message(record: logging.LogRecord) -> str:
    """The record's message without the words of any exception that it is given or tells of."""
    given = record.args
    if isinstance(given, Mapping):
        given = {name: _quiet(value) for name, value in given.items()}
    elif given:
        given = tuple(map(_quiet, given))
    text = str(record.msg) % given if given else str(_quiet(record.msg))
    # A task's failure line and asyncio's hold an exception's words, or their repr, as text.
    for words in sorted(
        {words for error in _chain(error_of(record)) for words in _words(error)}, key=len, reverse=True
    ):
        text = text.replace(words, WITHHELD)
    return text


def told(error: BaseException) -> str:
    """The traceback of an exception, and of what led to it, as Python prints it, with no word of what they say."""
    return "\n".join(
        f"{''.join(traceback.format_tb(one.__traceback__))}{named(one)}: {WITHHELD}\n"
        for one in reversed(list(_chain(error)))
    )


def named(error: BaseException) -> str:
    """The name of its type, with the module where it isn't Python's own."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _quiet(value: object) -> object:
    return f"{named(value)} {WITHHELD}" if isinstance(value, BaseException) else value


def _words(error: BaseException) -> Iterator[str]:
    said = (str(error), repr(str(error)), repr(error), *map(str, error.args), *map(repr, error.args))
    return (words for words in said if len(words) >= _SHORTEST)


def _chain(error: BaseException | None) -> list[BaseException]:
    """The exception, what led to it, and what it gathers."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if current is None or current in found:
            continue
        found.append(current)
        waiting += [current.__cause__, current.__context__, *getattr(current, "exceptions", ())]
    return found
