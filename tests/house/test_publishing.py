"""What a press costs when the broker is gone or frozen: an error within about a second, never a hanging page."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from byok_site.supervisor import broker

# One second of time-out, and what a loaded machine adds to it.
AT_MOST = 2.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A running embedded broker: its URL and its process."""
    (tmp_path / "broker").mkdir()
    with broker.socket_folder(tmp_path) as sockets:
        program = broker.program(sockets, tmp_path)
        process = subprocess.Popen(program.command, env=program.environment, stdout=subprocess.DEVNULL)
        broker.await_answer(sockets)
        yield f"redis+socket://{broker.socket_of(sockets)}", process
        process.kill()
        process.wait()


def publisher(url: str) -> Celery:
    app = Celery("publisher", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.broker_url = url
    return app


def seconds_to_refuse(app: Celery) -> float:
    started = time.monotonic()
    with pytest.raises(OperationalError):
        app.send_task("providerkeys.run_check", args=["chk_example"])
    return time.monotonic() - started


def test_a_running_broker_takes_the_message(server: tuple[str, subprocess.Popen[bytes]]) -> None:
    app = publisher(server[0])

    app.send_task("providerkeys.run_check", args=["chk_example"])

    with app.connection_for_read() as connection:
        assert connection.default_channel.client.llen("celery") == 1


def test_a_broker_that_never_was_refuses_at_once(tmp_path: Path) -> None:
    assert seconds_to_refuse(publisher(f"redis+socket://{tmp_path}/nothing.sock")) < AT_MOST


def test_a_broker_that_went_away_refuses_at_once(server: tuple[str, subprocess.Popen[bytes]]) -> None:
    url, process = server
    app = publisher(url)
    app.send_task("providerkeys.run_check", args=["chk_example"])

    process.kill()
    process.wait()

    assert seconds_to_refuse(app) < AT_MOST


@pytest.mark.parametrize("connected_before", [True, False])
def test_a_frozen_broker_is_given_one_second(
    server: tuple[str, subprocess.Popen[bytes]], connected_before: bool
) -> None:
    url, process = server
    app = publisher(url)
    if connected_before:
        app.send_task("providerkeys.run_check", args=["chk_example"])

    os.kill(process.pid, signal.SIGSTOP)
    try:
        assert seconds_to_refuse(app) < AT_MOST
    finally:
        os.kill(process.pid, signal.SIGCONT)
