"""The console's bench: what it prints of made-up costs, and a run of it that leaves nothing behind."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, MultiFernet

from bench.console_report import goals, lines
from bench.pages import PAGES, Costs, Measured, Page, entries
from tests.stack import ROOT

pytestmark = pytest.mark.long

LIST = Page("list", "provider_key_list")
SEARCHED = Page("list, searched", "provider_key_list", "q=a", full=False)


def costs(milliseconds: float, queries: int = 6, decryptions: int = 0) -> Costs:
    """A hundred times as long, but for six of them that something disturbed."""
    seconds = [milliseconds / 1e3] * 94 + [milliseconds / 1e3 + 1] * 6
    return Costs(seconds, seconds, queries, decryptions, rows=50, size=390_000, sent=19_000)


def calm(milliseconds: float, **more: int) -> Costs:
    seconds = [milliseconds / 1e3] * 100
    return Costs(seconds, seconds, **{"queries": 6, "rows": 50, "size": 390_000, "sent": 19_000, **more})


def measured(large: Costs, small: Costs) -> Measured:
    return {LIST: {"large": large, "small": small}, SEARCHED: {"large": calm(40), "small": calm(1)}}


def verdicts(found: Measured) -> list[bool | None]:
    return [goal.met for goal in goals(found)]


def test_a_line_for_each_page_and_a_ratio_only_where_both_are_full() -> None:
    told = list(lines(measured(calm(11), calm(10))))

    assert "| list | 11.0 | 11.0 | 11.0 | 10.0 | 1.10 | 6 | 0 | 50 | 390 | 19 |" in told
    assert "| list, searched | 40.0 | 40.0 | 40.0 | – | – | 6 | 0 | 50 | 390 | 19 |" in told


def test_good_figures_meet_every_goal() -> None:
    assert verdicts(measured(calm(11), calm(10))) == [True] * 4


@pytest.mark.parametrize(
    ("large", "missed"),
    [(calm(15.1), 0), (costs(11), 0), (calm(11, queries=7), 1), (calm(11, decryptions=1), 2), (calm(12.1), 3)],
    ids=("slow", "slow now and then", "a query too many", "a decryption", "slower than with few keys"),
)
def test_a_figure_beyond_its_bound_misses_its_goal(large: Costs, missed: int) -> None:
    small = calm(15) if missed == 0 else calm(10)

    assert verdicts(measured(large, small)).index(False) == missed


def test_each_secret_that_is_opened_counts_once() -> None:
    cipher = MultiFernet([Fernet(Fernet.generate_key())])
    token = cipher.encrypt(b"secret")

    with entries("/fernet.py") as opened:
        assert opened() == 0
        assert [cipher.decrypt(token), cipher.decrypt(token)] == [b"secret"] * 2
    assert opened() == 2


def test_a_run_prints_the_table_and_the_goals_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.console", "--rounds=1", "--provider-keys=60", "--api-keys=500"]
    environment = {name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"}
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    for page in PAGES:
        assert re.search(rf"^\| {page.title} \| \d", ran.stdout, re.MULTILINE), page.title
    assert re.search(r"^G6  list: queries +≤ 6 +5  met$", ran.stdout, re.MULTILINE)
    assert re.search(r"^G6  API keys: decryptions +≤ 0 +0  met$", ran.stdout, re.MULTILINE)
    assert not re.search(r"byok_|sk-|gAAAA", ran.stdout + ran.stderr)
    assert not list(tmp_path.iterdir())
