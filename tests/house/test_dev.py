"""The `./dev` script: which Python it takes, and what it says when it cannot go on."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import ROOT

TOO_OLD = "#!/bin/sh\nexit 1\n"
SHIM = "#!/bin/sh\necho 'pyenv: python3.13: command not found' >&2\nexit 127\n"
# A stand-in that passes for a Python of the right version and leaves a trace in the environment it makes.
GOOD = """#!/bin/sh
case "$*" in
*ensurepip*) exit 0 ;;
"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python && echo "$0" >.venv/made-by ;;
esac
echo "$*" >>"$TRACE"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the script and its locks, and no environment yet."""
    folder = tmp_path / "check out"
    folder.mkdir()
    for name in ("dev", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH folder with the few system tools the script needs, and no Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("cat", "cksum", "cp", "dirname", "mkdir", "rm"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def executable(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


def dev(checkout: Path, path: list[Path], *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": ":".join(map(str, path)),
        "HOME": str(checkout.parent),
        "TRACE": str(checkout / "trace"),
        **variables,
    }
    command = ["/bin/sh", str(checkout / "dev"), *arguments]
    return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)


def made_by(checkout: Path) -> str:
    return (checkout / ".venv" / "made-by").read_text().strip()


def test_a_python_on_the_path_is_tried_before_it_is_taken(checkout: Path, tools: Path, tmp_path: Path) -> None:
    executable(tmp_path / "shims" / "python3.13", SHIM)
    executable(tmp_path / "shims" / "python3", TOO_OLD)
    good = executable(tmp_path / "real" / "python3.12", GOOD)

    done = dev(checkout, [tmp_path / "shims", tmp_path / "real", tools], "manage", "check")

    assert done.returncode == 0, done.stderr
    assert made_by(checkout) == str(good)


def test_without_one_on_the_path_pyenvs_own_are_looked_at(checkout: Path, tools: Path, tmp_path: Path) -> None:
    executable(tmp_path / ".pyenv" / "versions" / "3.11.7" / "bin" / "python3", TOO_OLD)
    good = executable(tmp_path / ".pyenv" / "versions" / "3.13.0" / "bin" / "python3", GOOD)

    assert dev(checkout, [tools], "manage", "check").returncode == 0
    assert made_by(checkout) == str(good)


def test_the_real_python_of_this_suite_is_good_enough(checkout: Path) -> None:
    script = (ROOT / "dev").read_text()
    test = script[script.index("works()") : script.index("find_python()")]

    done = subprocess.run(["/bin/sh", "-c", f'{test}\nworks "$0"', sys._base_executable], check=False)  # type: ignore[attr-defined]

    assert done.returncode == 0


def test_a_lock_is_installed_by_hash_and_only_when_it_changed(checkout: Path, tools: Path, tmp_path: Path) -> None:
    executable(tmp_path / "real" / "python3.13", GOOD)
    for _ in range(2):
        assert dev(checkout, [tmp_path / "real", tools], "manage", "check").returncode == 0
    (checkout / "requirements.lock").write_text("# changed\n")
    assert dev(checkout, [tmp_path / "real", tools], "manage", "check").returncode == 0

    calls = (checkout / "trace").read_text().splitlines()
    installs = [call for call in calls if "pip install" in call]

    assert len(installs) == 2
    assert all("--require-hashes" in call and "requirements.lock" in call for call in installs)
    assert calls.count("manage.py check") == 3


def test_a_data_folder_is_relative_to_where_one_stands(checkout: Path, tools: Path, tmp_path: Path) -> None:
    executable(tmp_path / "real" / "python3.13", GOOD.replace('"$*" >>', '"$* $BYOK_DATA_DIR" >>'))

    dev(checkout, [tmp_path / "real", tools], "manage", "check", BYOK_DATA_DIR="data")

    assert (checkout / "trace").read_text().splitlines()[-1] == "manage.py check //data"


def test_the_demo_empties_no_folder_but_its_own(checkout: Path, tools: Path, tmp_path: Path) -> None:
    executable(tmp_path / "real" / "python3.13", GOOD)
    (tmp_path / "data" / "demo").mkdir(parents=True)
    (tmp_path / "data" / "demo" / "novel.txt").write_text("chapter one")

    refused = dev(checkout, [tmp_path / "real", tools], "demo", BYOK_DATA_DIR=str(tmp_path / "data"))
    assert refused.returncode == 1
    assert "is not a demo's data folder" in refused.stderr
    assert (tmp_path / "data" / "demo" / "novel.txt").exists()

    (tmp_path / "data" / "demo" / "secrets.env").touch()
    assert dev(checkout, [tmp_path / "real", tools], "demo", BYOK_DATA_DIR=str(tmp_path / "data")).returncode == 0
    assert not (tmp_path / "data" / "demo").exists()


@pytest.mark.parametrize(
    ("arguments", "run"),
    [
        ((), "--quick"),
        (("--all",), ""),
        (("--all", "-x"), "-x"),
        (("tests/house", "-k", "lint"), "tests/house -k lint"),
    ],
)
def test_which_tests_are_run(checkout: Path, tools: Path, tmp_path: Path, arguments: tuple[str, ...], run: str) -> None:
    executable(tmp_path / "real" / "python3.13", GOOD)
    for name in ("mktemp", "sort", "sed"):
        (tools / name).symlink_to(str(shutil.which(name)))

    assert dev(checkout, [tmp_path / "real", tools], "test", *arguments).returncode == 0

    assert (checkout / "trace").read_text().splitlines()[-1].split() == [
        *("-m", "pytest", "-n", "auto", "--dist", "loadgroup", *run.split())
    ]


@pytest.mark.parametrize("arguments", [(), ("nothing",), ("help",)])
def test_anything_else_says_what_there_is(checkout: Path, tools: Path, arguments: tuple[str, ...]) -> None:
    done = dev(checkout, [tools], *arguments)

    assert done.returncode == 2
    assert "Usage: ./dev" in done.stderr
    assert ("there is no command `nothing`" in done.stderr) == (arguments == ("nothing",))


def test_the_script_is_executable() -> None:
    assert os.access(ROOT / "dev", os.X_OK)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
