"""CHK, the settings: ids in as JSON, nothing out, and publishing that fails fast."""

from collections.abc import Mapping
from typing import Any

import pytest
from celery import current_app
from celery.backends.base import DisabledBackend
from django.utils.module_loading import autodiscover_modules

import providerkeys.tasks  # noqa: F401  Registers the tasks.

SETTINGS: dict[str, Any] = {
    # JSON only.
    "accept_content": ["json"],
    "result_accept_content": None,
    "task_serializer": "json",
    "result_serializer": "json",
    "event_serializer": "json",
    # No results and no stored errors: an exception's text may hold a secret.
    "result_backend": None,
    "task_ignore_result": True,
    "task_store_errors_even_if_ignored": False,
    "result_extended": False,
    # Our logging, our streams.
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    # No events.
    "worker_send_task_events": False,
    "task_send_sent_event": False,
    # No time limits: a threads pool ignores them. No redelivery: leases and the sweep carry the promise.
    "task_time_limit": None,
    "task_soft_time_limit": None,
    "task_acks_late": False,
    "task_reject_on_worker_lost": None,
    # Publishing fails fast; then it is the sweep's.
    "task_publish_retry": False,
    "broker_connection_timeout": 1,
    "broker_transport_options": {"socket_timeout": 1, "socket_connect_timeout": 1, "max_retries": 0},
    # Never in the publisher's own process.
    "task_always_eager": False,
}
TASKS = {"gateway.prune", "organizations.send_password_link", "providerkeys.run_check", "providerkeys.sweep"}
BEAT = {("providerkeys.sweep", 10.0), ("gateway.prune", 3600.0)}
TASK: dict[str, Any] = {
    "ignore_result": True,
    "store_errors_even_if_ignored": False,
    "serializer": "json",
    "time_limit": None,
    "soft_time_limit": None,
    "acks_late": False,
    "send_events": True,  # Celery's default for a task; without the worker's events nothing is sent.
    "max_retries": 3,  # Celery's default; only who is named below is tried again.
}
# A mail server may be away for a quarter of an hour.
OWN: dict[str, dict[str, Any]] = {"organizations.send_password_link": {"max_retries": 5}}


def differing(expected: Mapping[str, Any], found: Mapping[str, Any]) -> set[str]:
    return {name for name, value in expected.items() if found[name] != value}


@pytest.mark.parametrize("name", SETTINGS)
def test_chk_settings(name: str) -> None:
    assert not differing({name: SETTINGS[name]}, current_app.conf)


def test_chk_settings_no_backend_keeps_anything() -> None:
    assert type(current_app.backend) is DisabledBackend


def test_chk_settings_of_every_task_of_ours() -> None:
    # As a worker's start does.
    autodiscover_modules("tasks")
    ours = {name: task for name, task in current_app.tasks.items() if not name.startswith("celery.")}
    assert ours.keys() == TASKS
    for name, task in ours.items():
        assert not differing({**TASK, **OWN.get(name, {})}, {name: getattr(task, name) for name in TASK})


def test_chk_settings_beat_sweeps_every_ten_seconds_and_says_nothing_to_anybody() -> None:
    entries = current_app.conf.beat_schedule.values()
    assert {(entry["task"], entry["schedule"]) for entry in entries} == BEAT
    assert not any(entry.get("args") or entry.get("kwargs") for entry in entries)


@pytest.mark.parametrize("name", SETTINGS)
def test_control_any_other_value_is_noticed(name: str) -> None:
    assert differing(SETTINGS, {**SETTINGS, name: "something else"}) == {name}
