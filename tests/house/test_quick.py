"""The quick run: two cases of each test, none that takes long, and it says that it wasn't everything."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long
TESTS = """
import pytest

@pytest.mark.parametrize("number", range(9))
@pytest.mark.parametrize("letter", "ab")
def test_of_many(letter, number):
    pass

class TestOf:
    def test_one(self):
        pass

@pytest.mark.long
def test_long():
    pass

@pytest.mark.browser
def test_browser():
    pass

@pytest.mark.xdist_group("product-of-its-own")
def test_product():
    pass

@pytest.mark.quick
@pytest.mark.browser
def test_walk():
    pass
"""
SAID = "This was the quick run; ./dev test --all runs every test, as continuous integration does."


def run(folder: Path, *options: str) -> str:
    (folder / "test_sample.py").write_text(TESTS)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            f"--rootdir={folder}",
            "-c",
            "/dev/null",
            "-p",
            "no:django",
            "-p",
            "tests.quick",
            "--verbose",
            *options,
            str(folder),
        ],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def passed(output: str) -> list[str]:
    return re.findall(r"::(test_\S+) PASSED", output)


def test_it_has_the_first_and_the_last_case_of_each_test_and_none_that_takes_long(tmp_path: Path) -> None:
    output = run(tmp_path, "--quick")

    assert passed(output) == ["test_of_many[a-0]", "test_of_many[b-8]", "test_one", "test_walk"]
    assert "4 passed, 19 deselected" in output
    assert SAID in output


def test_without_it_everything_runs(tmp_path: Path) -> None:
    output = run(tmp_path)

    assert len(passed(output)) == 23
    assert SAID not in output
