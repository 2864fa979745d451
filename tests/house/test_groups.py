"""A parallel run keeps the tests of a group together."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

TESTS = """
import pytest

@pytest.mark.xdist_group("first")
@pytest.mark.parametrize("number", range(8))
def test_first(number):
    pass

@pytest.mark.parametrize("number", [pytest.param(number, marks=pytest.mark.xdist_group("second")) for number in range(8)])
def test_second(number):
    pass

@pytest.mark.xdist_group("product-of-a-test")
def test_third():
    pass
"""


def test_each_group_has_one_worker_and_those_that_start_products_come_first(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(TESTS)
    options = ["-p", "no:django", "-p", "tests.groups", "-n", "2", "--dist", "loadgroup", "--verbose"]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", f"--rootdir={tmp_path}", "-c", "/dev/null", *options, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    passed = re.findall(r"\[(gw\d)\].*test_(first|second|third)", done.stdout)
    assert sorted(group for _, group in set(passed)) == ["first", "second", "third"], done.stdout
    begun_with = dict(reversed(passed))
    assert "third" in begun_with.values(), done.stdout
