"""Log lines: their shape, and what no LOG_LEVEL brings out."""

import json
import logging
import logging.config
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import IntegrityError

from byok_site.logs import JsonFormatter, TextFormatter, configuration

ROW = "Failing row contains (pk_1, sk-live-CANARY-0123456789)"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave logging as it was found."""
    loggers = [logging.getLogger(), *(logging.getLogger(name) for name in list(logging.root.manager.loggerDict))]
    before = [(logger, logger.level, logger.handlers[:], logger.propagate) for logger in loggers]
    yield
    for logger, level, handlers, propagate in before:
        logger.setLevel(level)
        logger.handlers, logger.propagate = handlers, propagate


def record(message: str, error: BaseException | None = None) -> logging.LogRecord:
    found = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("providerkeys.tasks", logging.ERROR, __file__, 1, message, None, found)


def failure() -> IntegrityError:
    """A violated constraint as Django raises it, with an exception of ours behind it."""
    error = IntegrityError(f'violates "chk"\nDETAIL:  {ROW}')
    error.__cause__ = ValueError("an innocent cause")
    return error


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_the_words_of_a_database_error_are_withheld(formatter: logging.Formatter) -> None:
    error = failure()

    line = formatter.format(record(f"Task raised {error!r}: {error}", error))

    assert "CANARY" not in line
    assert "IntegrityError" in line
    assert "(text withheld)" in line
    assert "an innocent cause" in line


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_the_words_of_other_errors_are_kept(formatter: logging.Formatter) -> None:
    assert "no such file" in formatter.format(record("It failed", OSError("no such file")))


def test_json_is_one_object_a_line() -> None:
    line = JsonFormatter().format(record("two\nlines", ValueError("wrong")))

    found = json.loads(line)
    assert "\n" not in line
    assert (found["level"], found["logger"], found["message"]) == ("ERROR", "providerkeys.tasks", "two\nlines")
    assert datetime.fromisoformat(found["at"]).utcoffset() is not None
    assert found["traceback"].endswith("ValueError: wrong\n")


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
@pytest.mark.parametrize(
    "name", ["urllib3.connectionpool", "requests", "botocore.auth", "boto3", "google.auth.transport", "celery.worker.strategy",
             "celery.app.trace", "kombu", "redis", "psycopg", "django.db.backends", "a.library.nobody.thought.of"],
)  # fmt: skip
def test_libraries_say_nothing_below_a_warning(level: str, name: str) -> None:
    logging.config.dictConfig(configuration(level, "text"))

    assert not logging.getLogger(name).isEnabledFor(logging.INFO)
    assert logging.getLogger(name).isEnabledFor(logging.ERROR)


@pytest.mark.parametrize("name", ["providerkeys.tasks", "organizations.views", "byok_site.probes", "django.request"])
def test_the_level_opens_our_own_rooms(name: str) -> None:
    logging.config.dictConfig(configuration("DEBUG", "text"))
    assert logging.getLogger(name).isEnabledFor(logging.DEBUG)

    logging.config.dictConfig(configuration("ERROR", "text"))
    assert not logging.getLogger(name).isEnabledFor(logging.WARNING)


def test_the_access_log_with_its_query_strings_reaches_no_handler() -> None:
    logging.config.dictConfig(configuration("DEBUG", "text"))

    assert not logging.getLogger("uvicorn.access").hasHandlers()
