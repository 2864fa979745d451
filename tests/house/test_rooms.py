"""The rooms import one way: the contracts of pyproject.toml hold, and would not if somebody looked the other way."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import ROOT

ROOMS = ("byok_site", "gateway", "providerkeys", "organizations")
LINT = str(Path(sys.executable).with_name("lint-imports"))


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder)}
    command = [LINT, "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The rooms and their contracts, to be spoiled."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_rooms_point_one_way(copy: Path) -> None:
    done = lint(copy)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("organizations/ids.py", "from providerkeys import resolver"),
        ("providerkeys/providers/base.py", "from byok_site import celery"),
        ("providerkeys/resolver.py", "from providerkeys import models"),
        ("providerkeys/vault.py", "from providerkeys import resolver"),
        ("providerkeys/models/check.py", "from providerkeys import tasks"),
        ("providerkeys/models/check.py", "from gateway import db"),
        ("gateway/db.py", "from byok_site import health"),
    ],
)
def test_an_import_the_other_way_is_found(copy: Path, module: str, line: str) -> None:
    with (copy / module).open("a") as file:
        file.write(f"\n{line}\n")

    done = lint(copy)

    assert done.returncode == 1
    assert "BROKEN" in done.stdout
