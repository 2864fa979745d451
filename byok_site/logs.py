"""Logging: one handler to standard error, as text or as JSON lines, that keeps quiet about what rows and requests hold."""

import json
import logging
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, override

# LOG_LEVEL opens these rooms only. The libraries' lower levels print headers, URLs, key ids, SQL parameters and task
# arguments (measured: botocore, urllib3, celery), so every other logger says no less than WARNING at any LOG_LEVEL.
OURS = ("byok_site", "django", "gateway", "organizations", "providerkeys", "uvicorn")
TALKATIVE_AT_DEBUG = ("django.db.backends", "django.template")
# PostgreSQL prints the whole row into the text of a violated constraint.
ROW_TELLERS = ("django.db", "psycopg", "psycopg_pool", "sqlite3")
WITHHELD = "(text withheld)"

type ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configuration(level: str, style: str) -> dict[str, Any]:
    """Django's LOGGING for a level name and a style (`text` | `json`)."""
    floor = max(level, "WARNING", key=logging.getLevelNamesMapping().__getitem__)
    formatter = "byok_site.logs.JsonFormatter" if style == "json" else "byok_site.logs.TextFormatter"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
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


class TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} {message}", style="{")

    @override
    def format(self, record: logging.LogRecord) -> str:
        return withhold(super().format(record), record.exc_info)

    @override
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return _at(record)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `at` (ISO 8601, UTC), `level`, `logger`, `message`, and `traceback` after an exception."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        line = {"at": _at(record), "level": record.levelname, "logger": record.name}
        line["message"] = withhold(record.getMessage(), record.exc_info)
        if record.exc_info and record.exc_info[0]:
            line["traceback"] = withhold("".join(traceback.format_exception(record.exc_info[1])), record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def withhold(text: str, exc_info: ExcInfo | None) -> str:
    """`text` without the words of any database error among the exceptions it tells of."""
    for error in _chain(exc_info[1] if exc_info else None):
        if type(error).__module__.startswith(ROW_TELLERS):
            # A traceback holds the words as they are, a task's failure line holds their repr.
            for words in {str(error), repr(str(error)), *map(str, error.args), *map(repr, error.args)}:
                if words:
                    text = text.replace(words, WITHHELD)
    return text


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if current is None or current in found:
            continue
        found.append(current)
        waiting += [current.__cause__, current.__context__, *getattr(current, "exceptions", ())]
    return found
