"""The process: what it announces, and that it never outlives whoever started it."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fakeproviders import samples
from tests.fakeproviders.client import FakeProviders
from tests.fakeproviders_tests.raw import ask, headers

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "tests.fakeproviders"]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The fakes, as ``./dev demo`` starts them; they announce themselves in ``fakes.json``."""
    process = subprocess.Popen(
        [*COMMAND, "--write", str(tmp_path / "fakes.json")], cwd=REPOSITORY, stdin=subprocess.PIPE
    )
    eventually((tmp_path / "fakes.json").exists)
    yield process
    process.kill()
    process.wait()
    if process.stdin:
        process.stdin.close()


def eventually(true: Callable[[], bool], seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def is_gone(url: str) -> bool:
    try:
        ask(url, {"host": "x"})
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def test_it_announces_its_addresses(started: subprocess.Popen[bytes], tmp_path: Path) -> None:
    said = json.loads((tmp_path / "fakes.json").read_text())
    assert set(said) == {"PROVIDER_BASE_URLS", "control", "trap"}
    fakes = FakeProviders.read(tmp_path / "fakes.json")
    assert ask(fakes.base_urls["openai"], headers("openai", samples.key("openai", "good"))).status == 200
    assert len(fakes.requests()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told(number: int, started: subprocess.Popen[bytes]) -> None:
    started.send_signal(number)
    assert started.wait(5) == 0


def test_it_stops_when_the_pipe_ends(started: subprocess.Popen[bytes]) -> None:
    assert started.stdin is not None
    started.stdin.close()
    assert started.wait(5) == 0


@pytest.mark.parametrize("stdin", ["PIPE", "DEVNULL"])
def test_it_leaves_with_a_killed_parent(stdin: str, tmp_path: Path) -> None:
    file = tmp_path / "fakes.json"
    parent = textwrap.dedent(f"""
        import subprocess, sys, time
        subprocess.Popen({[*COMMAND, "--write", str(file)]!r}, stdin=subprocess.{stdin})
        time.sleep(60)
    """)
    with subprocess.Popen([sys.executable, "-c", parent], cwd=REPOSITORY) as process:
        eventually(file.exists)
        control = FakeProviders.read(file).control_url
        process.kill()
    eventually(lambda: is_gone(control))


def test_a_with_block_leaves_nothing_behind() -> None:
    with FakeProviders.start() as fakes:
        control = fakes.control_url
        assert urlsplit(control).hostname == "127.0.0.1"
    assert is_gone(control)


def test_it_stays_small(started: subprocess.Popen[bytes], tmp_path: Path) -> None:
    fakes = FakeProviders.read(tmp_path / "fakes.json")
    for scenario in ("big", "gzipbomb", "deepjson", "longlist"):
        ask(fakes.base_urls["openai"], headers("openai", samples.key("openai", scenario)))
    assert peak_kib(started.pid) < 80 * 1024


def peak_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():  # Another system than Linux has no such file, and nothing else to ask cheaply.
        return 0
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(fields["VmHWM"].split()[0])


def test_the_environment_is_not_needed() -> None:
    environment = {"PATH": os.environ.get("PATH", "")}
    process = subprocess.Popen(
        [*COMMAND, "--write", "-"], cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "PROVIDER_BASE_URLS" in json.loads(out)
