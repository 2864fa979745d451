"""Who refuses to start when CREDENTIAL_KEYS cannot read the database, and that right keys refuse nobody."""

from collections.abc import Callable

import pytest
from celery import signals
from django.core.management import CommandError
from django.db import OperationalError

from byok_site import startup
from byok_site.management.commands import serve
from byok_site.supervisor import preparation
from providerkeys import vault

SENTENCE = "CREDENTIAL_KEYS cannot read the credentials in this database."

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def wrong_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise vault.WrongKeys(SENTENCE)

    monkeypatch.setattr(vault, "verify_keys", refuse)


@pytest.fixture
def prepare(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """`serve`'s preparation, short of the database and the static files."""
    monkeypatch.setattr(preparation, "prepare_database", lambda: None)
    monkeypatch.setattr(preparation, "collect_static_files", lambda: None)
    return serve.Command().prepare


@pytest.mark.usefixtures("wrong_keys")
def test_beat_leaves_before_its_first_task() -> None:
    with pytest.raises(SystemExit) as left:
        signals.beat_init.send(sender=None)

    assert str(left.value) == f"byok: {SENTENCE}"


@pytest.mark.usefixtures("wrong_keys")
def test_the_supervisor_starts_nothing(prepare: Callable[[], None]) -> None:
    with pytest.raises(CommandError, match=SENTENCE):
        prepare()


def test_right_keys_refuse_nobody(prepare: Callable[[], None]) -> None:
    signals.beat_init.send(sender=None)
    prepare()


def test_a_database_that_cannot_be_read_is_told_without_the_drivers_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("connection to db.internal as byok failed")

    monkeypatch.setattr(vault, "verify_keys", refuse)

    assert startup.refusal().startswith("The database cannot be read")
    assert "db.internal" not in startup.refusal()
