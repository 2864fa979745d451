"""The supervisor with real processes: they come back, they stay down when told, and none outlives it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.processes import eventually, is_alive, pid_in, text_of

pytestmark = pytest.mark.long

STUBBORN = "trap '' TERM; while :; do sleep 0.1; done"
WILLING = "exec sleep 600"

type Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(**commands: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.house.small_supervisor", str(tmp_path)]
        command += [f"{name}={shell}" for name, shell in commands.items()]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for process in started:
        process.terminate()
        process.communicate(timeout=15)


@pytest.fixture
def pid(tmp_path: Path) -> Callable[[str], int]:
    """The id of a process that runs now, by its name."""

    def of(name: str) -> int:
        return eventually(lambda: pid_in(tmp_path / "run" / f"{name}.pid"), within=5)

    return of


def test_a_killed_child_is_back(start: Start, pid: Callable[[str], int], tmp_path: Path) -> None:
    start(one=WILLING, two=WILLING)
    first, other = pid("one"), pid("two")

    os.kill(first, signal.SIGKILL)

    second = eventually(lambda: pid_in(tmp_path / "run" / "one.pid") not in {0, first} and pid("one"), within=10)
    assert is_alive(second)
    assert pid("two") == other


def test_a_child_that_keeps_ending_is_given_more_and_more_time(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "log" / "one.log"
    start(one="echo started")

    times: list[float] = []
    for count in (1, 2, 3):
        eventually(partial(has_started, log, count), within=10)
        times.append(time.monotonic())

    assert 0.8 < times[1] - times[0] < 1.9
    assert 1.8 < times[2] - times[1] < 3.9


def has_started(log: Path, times: int) -> bool:
    return text_of(log).count("started") >= times


def test_a_held_child_stays_down_until_it_is_let_go(start: Start, pid: Callable[[str], int], tmp_path: Path) -> None:
    start(one=WILLING, two=WILLING)
    first = pid("one")
    (tmp_path / "run" / "hold").write_text("one\n")
    os.kill(first, signal.SIGKILL)
    os.kill(other := pid("two"), signal.SIGKILL)

    eventually(lambda: pid_in(tmp_path / "run" / "two.pid") not in {0, other}, within=5)
    assert not (tmp_path / "run" / "one.pid").exists()

    (tmp_path / "run" / "hold").unlink()
    assert is_alive(pid("one"))


def test_a_child_sees_only_the_environment_it_is_given(start: Start, tmp_path: Path) -> None:
    start(one="env; exec sleep 600")

    seen = eventually(lambda: text_of(tmp_path / "log" / "one.log"), within=5)

    assert {line.split("=")[0] for line in seen.split()} <= {"GIVEN", "PWD", "SHLVL", "_", "OLDPWD"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_signal_ends_everything(
    start: Start, pid: Callable[[str], int], tmp_path: Path, number: signal.Signals
) -> None:
    supervisor = start(one=WILLING, two=WILLING)
    children = [pid("one"), pid("two")]

    supervisor.send_signal(number)

    assert supervisor.wait(timeout=5) == 0
    assert not any(is_alive(child) for child in children)
    assert list((tmp_path / "run").glob("*.pid")) == []


def test_even_a_child_that_will_not_leave_is_gone_within_ten_seconds(start: Start, pid: Callable[[str], int]) -> None:
    supervisor = start(one=STUBBORN, two=WILLING)
    children = [pid("one"), pid("two")]
    os.kill(children[1], signal.SIGSTOP)

    supervisor.terminate()

    assert supervisor.wait(timeout=10) == 0
    assert not any(is_alive(child) for child in children)


def test_a_second_signal_ends_the_waiting(start: Start, pid: Callable[[str], int]) -> None:
    supervisor = start(one=STUBBORN)
    child = pid("one")
    assert supervisor.stderr

    supervisor.send_signal(signal.SIGINT)
    eventually(lambda: "Stopping" in supervisor.stderr.readline(), within=5)  # type: ignore[union-attr]
    supervisor.send_signal(signal.SIGINT)

    assert supervisor.wait(timeout=3) == 0
    assert not is_alive(child)


def test_nothing_outlives_a_killed_supervisor(start: Start, pid: Callable[[str], int], tmp_path: Path) -> None:
    supervisor = start(one=WILLING, two=WILLING)
    children = [pid("one"), pid("two")]

    supervisor.kill()
    supervisor.wait()

    eventually(lambda: not any(is_alive(child) for child in children), within=5)
    eventually(lambda: not (tmp_path / "scratch").exists(), within=5)


def test_nothing_outlives_a_supervisor_whose_guard_was_killed_before(start: Start, pid: Callable[[str], int]) -> None:
    supervisor = start(one=WILLING)
    child = pid("one")
    guard = eventually(lambda: guard_of(supervisor.pid), within=5)
    os.kill(guard, signal.SIGKILL)
    eventually(lambda: guard_of(supervisor.pid) not in {0, guard}, within=5)

    supervisor.kill()
    supervisor.wait()

    eventually(lambda: not is_alive(child), within=5)


def guard_of(supervisor: int) -> int:
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    for line in listed.splitlines():
        pid, parent, arguments = line.split(None, 2)
        if int(parent) == supervisor and "guard.py" in arguments and is_alive(int(pid)):
            return int(pid)
    return 0


def test_a_data_folder_has_one_supervisor(start: Start, pid: Callable[[str], int]) -> None:
    first = start(one=WILLING)
    child = pid("one")

    second = start(one=WILLING)

    assert second.wait(timeout=5) == 1
    assert second.stderr
    assert f"is already served by process {first.pid}." in second.stderr.read()
    assert pid("one") == child


def test_the_successor_of_a_killed_supervisor_waits_for_the_last_child_to_leave(
    start: Start, pid: Callable[[str], int], tmp_path: Path
) -> None:
    first = start(one="trap 'sleep 1; exit' TERM; while :; do sleep 0.05; done")
    child = pid("one")
    first.kill()
    first.wait()
    assert is_alive(child)

    start(two=WILLING)

    eventually(lambda: pid_in(tmp_path / "run" / "two.pid"), within=8)
    assert not is_alive(child)
