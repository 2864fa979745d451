"""CHK-01: what travels through the broker, decoded: at most a check's id."""

import json
from ast import literal_eval
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from celery import current_app
from celery.beat import Scheduler
from django.db import transaction
from kombu.message import Message
from pytest_django import DjangoCaptureOnCommitCallbacks

from byok_site.celery import sweep_at_once
from organizations.access import Access
from providerkeys.models import CredentialCheck
from providerkeys.tasks import sweep
from tests.providerkeys.sample import AFTER_THE_LEASE, FORMER, again, draft, later, pressed, saved, stored
from tests.trust.controls import Control, controls

pytestmark = [pytest.mark.django_db, pytest.mark.database]

WINDOW = 8
CELERYS_OWN_HEADERS = {
    *("lang", "task", "id", "root_id", "origin", "expires", "ignore_result"),
    *("argsrepr", "kwargsrepr", "celery_beat_task"),
}
"""Which task, which message, whose process: nothing of them comes from a row."""


class Broker:
    """The messages that were published, taken off its one queue."""

    def __init__(self, connection: Any) -> None:
        self._queue = connection.SimpleQueue(current_app.conf.task_default_queue)

    def messages(self) -> Iterator[Message]:
        while True:
            try:
                message = self._queue.get_nowait()
            except self._queue.Empty:
                return
            message.ack()
            yield message


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """A broker in memory: Celery serializes as for any other, and what it would send can be read."""
    monkeypatch.setenv("CELERY_BROKER_URL", "memory://")
    monkeypatch.setattr(current_app.amqp, "_producer_pool", None)
    with current_app.connection_for_write() as connection:
        yield Broker(connection)
        list(Broker(connection).messages())


def press_unsaved(access: Access) -> CredentialCheck | None:
    return pressed(access)


def press_stored(access: Access) -> CredentialCheck | None:
    return pressed(access, stored(access))


def save(access: Access) -> CredentialCheck | None:
    return saved(access)[1]


def edit(access: Access) -> CredentialCheck | None:
    key = stored(access)
    with transaction.atomic():
        key.change(access, draft(FORMER), 1)
        return CredentialCheck.follow_save(access, again(key))


def beat(_: Access) -> None:
    # As it does when it starts: a task that it knows is told that nobody wants its result.
    current_app.loader.import_default_modules()
    scheduler = Scheduler(app=current_app)
    for entry in scheduler.schedule.values():
        scheduler.apply_async(entry, advance=False)


def worker_ready(_: Access) -> None:
    sweep_at_once()


WAYS: list[Callable[[Access], CredentialCheck | None]] = [press_unsaved, press_stored, save, edit, beat, worker_ready]


@pytest.mark.parametrize("way", WAYS)
def test_chk_01_a_message_holds_at_most_a_checks_id(
    way: Callable[[Access], CredentialCheck | None],
    alice_access: Access,
    broker: Broker,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        check = way(alice_access)
    messages = list(broker.messages())
    assert len(messages) == (len(current_app.conf.beat_schedule) if way is beat else 1)
    for message in messages:
        assert_holds_only(message, [check.pk] if check else [], alice_access)


def test_chk_01_so_do_messages_that_the_sweep_sends_again(alice_access: Access, broker: Broker) -> None:
    checks = [pressed(alice_access), pressed(alice_access, stored(alice_access))]
    sweep()
    checks[0].take()
    with time_machine.travel(later(AFTER_THE_LEASE)):
        sweep()
    messages = list(broker.messages())
    assert [message.payload[0] for message in messages] == [[check.pk] for check in checks] * 2
    for message in messages:
        assert_holds_only(message, message.payload[0], alice_access)


def assert_holds_only(message: Message, ids: list[str], access: Access) -> None:
    """Arguments and headers hold ``ids`` and nothing else that any row holds."""
    arguments, keywords, embedded = message.payload
    assert (arguments, keywords) == (ids, {})
    assert not any(embedded.values())
    said = {name: value for name, value in message.headers.items() if value and value != [None, None]}
    assert said.keys() <= CELERYS_OWN_HEADERS
    assert (list(literal_eval(said["argsrepr"])), literal_eval(said["kwargsrepr"])) == (ids, {})
    assert message.headers["ignore_result"] is True
    assert message.content_type == "application/json"
    assert_tells_nothing([message.payload, message.headers, message.properties, message.delivery_info], access)


def assert_tells_nothing(whole: Any, access: Access) -> None:
    text = json.dumps(whole, default=str)
    windows = {FORMER[start : start + WINDOW] for start in range(len("sk-proj-"), len(FORMER) - WINDOW + 1)}
    assert not [window for window in windows if window in text]
    names = [
        access.organization.pk,
        access.organization.name,
        access.user.pk,
        access.user.email,
        "Production",
        "openai",
    ]
    assert not [name for name in names if name in text]


def the_secret_as_an_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    _send_with(monkeypatch, lambda check: {"args": [check.pk, FORMER]})


def half_a_secret_in_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    _send_with(monkeypatch, lambda check: {"args": [check.pk], "headers": {"note": FORMER[-20:]}})


def the_providers_name_as_a_keyword(monkeypatch: pytest.MonkeyPatch) -> None:
    _send_with(monkeypatch, lambda check: {"args": [check.pk], "kwargs": {"provider": check.provider}})


def the_organization_in_the_description(monkeypatch: pytest.MonkeyPatch) -> None:
    _send_with(monkeypatch, lambda check: {"args": [check.pk], "shadow": str(check.organization)})


def a_result_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    _send_with(monkeypatch, lambda check: {"args": [check.pk], "ignore_result": False})


def _send_with(monkeypatch: pytest.MonkeyPatch, options: Callable[[CredentialCheck], dict[str, Any]]) -> None:
    def send(check: CredentialCheck) -> None:
        current_app.send_task("providerkeys.run_check", **{"ignore_result": True, **options(check)})

    monkeypatch.setattr(CredentialCheck, "send", send)


PLANTS = [
    the_secret_as_an_argument,
    half_a_secret_in_a_header,
    the_providers_name_as_a_keyword,
    the_organization_in_the_description,
    a_result_wanted,
]


@controls(
    [
        *(Control(test_chk_01_a_message_holds_at_most_a_checks_id, plant, {"way": press_unsaved}) for plant in PLANTS),
        Control(test_chk_01_so_do_messages_that_the_sweep_sends_again, the_secret_as_an_argument),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
