"""A violation fails the test that caused it, at its end; one that was announced does not, and must happen."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakeproviders.fixtures import complaint
from tests.fakeproviders.journal import Violation

pytestmark = pytest.mark.long
REPOSITORY = Path(__file__).resolve().parents[2]
TESTS = """
import requests

def send(providers, host):
    requests.get(providers.base_urls["openai"] + "/v1/models", timeout=5, headers={
        "Host": host, "Accept": "application/json", "Authorization": "Bearer fake-key-good"})

def test_decent(providers):
    send(providers, "api.openai.com")

def test_rude(providers):
    send(providers, "evil.example")

def test_rude_on_purpose(providers):
    providers.expect_violations("wrong_host")
    send(providers, "evil.example")

def test_purpose_missed(providers):
    providers.expect_violations("wrong_host")
    send(providers, "api.openai.com")

def test_decent_after_all_that(providers):
    assert providers.violations() == []
"""


def test_the_plugin_fails_the_right_tests(tmp_path: Path) -> None:
    file = tmp_path / "test_sample.py"
    file.write_text(TESTS)
    plugins = ["-p", "no:valkey", "-p", "no:django", "-p", "no:cacheprovider", "-p", "tests.fakeproviders.fixtures"]
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-c", str(tmp_path / "none.ini"), *plugins, str(file)]
    (tmp_path / "none.ini").write_text("[pytest]\n")
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    summary = [line for line in done.stdout.splitlines() if line.startswith(("PASSED", "FAILED", "ERROR"))]
    assert "5 passed, 2 errors" in done.stdout, done.stdout + done.stderr
    assert [line.partition("::")[2].split(" ")[0] for line in summary if line.startswith("ERROR")] == [
        "test_rude",
        "test_purpose_missed",
    ]
    assert "wrong_host at openai: evil.example" in done.stdout
    assert "expected and not seen: wrong_host" in done.stdout


def test_equal_violations_are_told_once() -> None:
    violations = [Violation("cookie", "openai", "came back", request) for request in (1, 2, 3)]
    assert complaint(violations, set()).count("cookie at openai: came back (3 x)") == 1
    assert complaint(violations, {"cookie"}) == ""
    assert complaint([], set()) == ""
