"""A handful of requests through everything that the bench starts, as `./dev bench` does it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import eventually
from tests.stack import ROOT

COMMAND = (sys.executable, "-m", "bench", "--smoke")

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the bench reads what processes cost from Linux"),
    pytest.mark.long,
]


def processes_of(folder: Path) -> list[str]:
    """The command lines of processes that work in ``folder``."""
    found = []
    for one in Path("/proc").iterdir():
        try:
            if one.name.isdigit() and str(folder).encode() in (one / "environ").read_bytes():
                found.append((one / "cmdline").read_text())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def test_a_run_prints_the_table_and_the_goals_and_leaves_nothing_behind(tmp_path: Path) -> None:
    ran = subprocess.run(
        COMMAND,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"^\| CPU, s per 1,000 requests \| – \|.*\d", ran.stdout, re.MULTILINE)
    assert "G4  errors in a storm of 64 misses at c=64" in ran.stdout
    assert "FAILED" not in ran.stdout
    assert "byok_" not in ran.stdout + ran.stderr
    assert not list(tmp_path.iterdir())
    assert not processes_of(tmp_path)


def test_ctrl_c_stops_everything_that_was_started(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(COMMAND, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as bench:
        # The bench itself, the fake provider, and one that makes the data folder.
        eventually(lambda: len(processes_of(tmp_path)) > 2, 30)
        bench.send_signal(signal.SIGINT)
        bench.wait(20)
    assert bench.returncode == 130
    assert not processes_of(tmp_path)
    assert not list(tmp_path.iterdir())
