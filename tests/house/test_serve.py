"""`manage.py serve` as a whole: what scripts rely on, and that it survives what happens to its processes."""

import http.client
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.processes import eventually, is_alive
from tests.stack import ROOT, Stack, running

pytestmark = pytest.mark.long

KEYS = ("SECRET_KEY", "CREDENTIAL_KEYS")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serve") / "data"


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[Stack]:
    with running(folder) as started:
        yield started


def test_the_first_start_prints_the_way_in_and_then_that_it_is_ready(stack: Stack) -> None:
    assert re.search(r"admin@localhost, password \S{10,}\n", stack.output)
    assert stack.output.count(stack.url) >= 2
    assert stack.output.endswith(f"ready {stack.url}\n")
    assert stack.degraded() == []


def test_the_data_folder_holds_what_it_should_and_only_for_its_owner(stack: Stack) -> None:
    assert stat.S_IMODE(stack.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((stack.folder / "secrets.env").stat().st_mode) == 0o600
    for name in ("db.sqlite3", "broker", "mail", "run/broker.url"):
        assert (stack.folder / name).exists()
    for name in ("supervisor", "web", "worker", "beat", "broker"):
        assert is_alive(stack.pid(name))
        assert (stack.folder / "log" / f"{name}.log").exists()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="/proc is not on this system")
def test_no_key_is_in_the_brokers_environment_or_in_any_command_line(stack: Stack) -> None:
    secrets = [line.partition("=")[2] for line in (stack.folder / "secrets.env").read_text().splitlines()]
    assert len(secrets) == len(KEYS)

    seen = [Path(f"/proc/{stack.pid('broker')}/environ").read_text()]
    seen += [Path(f"/proc/{pid}/cmdline").read_text() for pid in stack.pids().values()]

    assert len(seen) == 6
    assert [secret for secret in secrets if any(secret[:8] in text for text in seen)] == []


def test_the_brokers_socket_is_for_its_owner_alone(stack: Stack) -> None:
    socket = Path((stack.folder / "run" / "broker.url").read_text().strip().removeprefix("redis+socket://"))

    assert socket.is_socket()
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700


def test_answers_do_not_name_their_server_and_logs_do_not_name_their_queries(stack: Stack) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    connection.request("GET", "/login/?next=/canary-in-a-query/")
    answer = connection.getresponse()
    answer.read()
    connection.close()

    assert answer.status == 200
    assert answer.headers["Server"] is None
    for log in (stack.folder / "log").glob("*.log"):
        assert "canary-in-a-query" not in log.read_text()


def test_an_oversized_form_reads_its_413(stack: Stack) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    connection.request("POST", "/login/", body=iter([b"a" * 65536] * 64), encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_manage_needs_only_the_data_folder(stack: Stack) -> None:
    done = stack.manage(
        "add_member",
        "--organization",
        "Second",
        "--email",
        "e@example.com",
        "--role",
        "member",
        given="a sample password\n",
    )

    assert (done.returncode, done.stdout.split()[-1:]) == (0, ["second"]), done.stderr


def test_a_taken_port_is_one_sentence_before_anything_starts(stack: Stack, tmp_path: Path) -> None:
    refused = Stack(tmp_path / "data", PORT=str(stack.port))

    assert refused.process.wait(timeout=30) == 1
    assert refused.output == (
        f"CommandError: Port {stack.port} on 127.0.0.1 cannot be used (Address already in use); choose another with PORT.\n"
    )
    assert not (refused.folder / "db.sqlite3").exists()


@pytest.mark.parametrize("name", ["web", "worker", "beat", "broker"])
def test_a_killed_process_is_back_within_ten_seconds(stack: Stack, name: str) -> None:
    killed = stack.pid(name)

    os.kill(killed, signal.SIGKILL)

    eventually(lambda: stack.pid(name) not in {0, killed}, within=10)
    eventually(lambda: stack.degraded() == [], within=20)


def test_a_lost_broker_only_degrades(stack: Stack) -> None:
    (stack.folder / "run" / "hold").write_text("broker")
    os.kill(stack.pid("broker"), signal.SIGKILL)

    eventually(lambda: stack.degraded() == ["broker"], within=10)
    (stack.folder / "run" / "hold").unlink()
    eventually(lambda: stack.degraded() == [], within=20)


def test_a_stop_leaves_nothing_the_next_start_keeps_the_data_and_nothing_outlives_a_killed_supervisor(
    stack: Stack,
) -> None:
    pids = stack.pids()
    socket_folder = Path(
        (stack.folder / "run" / "broker.url").read_text().strip().removeprefix("redis+socket://")
    ).parent

    stack.process.terminate()

    assert stack.process.wait(timeout=10) == 0
    assert not any(is_alive(pid) for pid in pids.values())
    assert not socket_folder.exists()

    with running(stack.folder) as again:
        assert "password" not in again.output
        pids = again.pids()
        again.process.kill()
        eventually(lambda: not any(is_alive(pid) for pid in pids.values()), within=10)


@pytest.mark.parametrize("command", ["worker", "beat"])
def test_keys_that_cannot_read_the_database_refuse_a_process_in_one_sentence(stack: Stack, command: str) -> None:
    made = stack.manage("shell", "--no-imports", "-c", SEAL)
    assert made.returncode == 0, made.stderr

    done = subprocess.run(
        [sys.executable, "-m", "celery", "--skip-checks", "-A", "byok_site", command],
        cwd=ROOT,
        env={**stack.environment, "CREDENTIAL_KEYS": Fernet.generate_key().decode()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert "byok: CREDENTIAL_KEYS cannot read" in done.stderr
    assert "Traceback" not in done.stderr


# The sentinel is written at the first encryption.
SEAL = "from providerkeys import vault; vault._ensure_sentinel()"
