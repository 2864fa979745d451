"""Log lines: their shape, and what no LOG_LEVEL brings out."""

import json
import logging
import logging.config
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import IntegrityError
from django.test import Client
from pytest_django import Settings

from byok_site.logs import JsonFormatter, TextFormatter, configuration
from organizations.models import User
from tests.cast import client_for

CANARY = "sk-live-CANARY-0123456789"
ROW = f"Failing row contains (pk_1, {CANARY})"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave logging as it was found."""
    loggers = [logging.getLogger(), *(logging.getLogger(name) for name in list(logging.root.manager.loggerDict))]
    before = [(logger, logger.level, logger.handlers[:], logger.propagate) for logger in loggers]
    yield
    for logger, level, handlers, propagate in before:
        logger.setLevel(level)
        logger.handlers, logger.propagate = handlers, propagate


@pytest.fixture
def broken(alice: User, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A browser at a view that raises an exception which quotes what it was given."""
    monkeypatch.setattr("providerkeys.views.api_keys.show", lambda *_, **__: int(CANARY))
    client = client_for(alice)
    client.raise_request_exception = False
    return client


def record(message: str, error: BaseException | None = None) -> logging.LogRecord:
    found = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("providerkeys.tasks", logging.ERROR, __file__, 1, message, None, found)


def failure() -> IntegrityError:
    """A violated constraint as Django raises it, with an exception of ours behind it."""
    error = IntegrityError(f'violates "chk"\nDETAIL:  {ROW}')
    error.__cause__ = ValueError("a quoting cause")
    return error


both = pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])


@both
def test_the_words_of_no_exception_are_told(formatter: logging.Formatter) -> None:
    error = failure()

    line = formatter.format(record(f"Task raised {error!r}: {error}", error))

    assert CANARY not in line
    assert "a quoting cause" not in line
    assert "django.db.utils.IntegrityError" in line
    assert "ValueError: (text withheld)" in line


@both
def test_what_an_exception_gathers_notes_or_is_an_argument_of_is_withheld_too(formatter: logging.Formatter) -> None:
    group = ExceptionGroup(f"{CANARY} of a group", [KeyError(f"{CANARY} of a part")])
    group.add_note(CANARY)
    line = formatter.format(record("It failed", group))
    argument = record("")
    argument.msg, argument.args = "It failed: %s", (group,)

    assert CANARY not in line + formatter.format(argument)
    assert "KeyError: (text withheld)" in line


@pytest.mark.django_db
@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize("debug", [True, False])
def test_a_view_that_breaks_leaves_its_place_in_the_log_and_nothing_it_said(
    style: str, debug: bool, broken: Client, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    settings.DEBUG = debug
    logging.config.dictConfig(configuration("INFO", style))

    answer = broken.get("/orgs/acme/api-keys/")

    said = capsys.readouterr().err
    assert answer.status_code == 500
    assert CANARY not in said + answer.content.decode()
    assert "ValueError: (text withheld)" in said
    assert "api_keys.py" in said


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_line_that_cannot_be_written_shows_no_argument(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(configuration("INFO", style))

    logging.getLogger("providerkeys.planted").warning("%d keys", CANARY)

    said = capsys.readouterr().err
    assert CANARY not in said
    assert "a line of providerkeys.planted can't be written: TypeError at " in said


def test_json_is_one_object_a_line() -> None:
    line = JsonFormatter().format(record("two\nlines", ValueError("wrong")))

    found = json.loads(line)
    assert "\n" not in line
    assert (found["level"], found["logger"], found["message"]) == ("ERROR", "providerkeys.tasks", "two\nlines")
    assert datetime.fromisoformat(found["at"]).utcoffset() is not None
    assert found["traceback"].endswith("ValueError: (text withheld)\n")


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
