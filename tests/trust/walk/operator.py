"""Somebody at the server's prompt: runs management commands, one after the other, in one process that starts but once.

``python -m tests.trust.walk.operator`` reads a line of JSON for each command and answers with one.
"""

import io
import json
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from tests.product import ROOT

_STOP_SECONDS: Final = 5.0


class Output(NamedTuple):
    """How a command ended (0: well), and all that it printed."""

    code: int
    text: bytes


@dataclass(frozen=True)
class Operator:
    """The process. Its imports take a second, meanwhile something else may happen."""

    process: subprocess.Popen[str]

    @classmethod
    @contextmanager
    def arrive(cls, environment: Mapping[str, str]) -> Iterator[Self]:
        """Work with the product's own ``environment``, for the length of a ``with`` block at most."""
        command = [sys.executable, "-m", __name__]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        operator = cls(process)
        try:
            yield operator
        finally:
            operator.leave()

    def run(self, *command: str, given: str = "") -> Output:
        """What ``manage.py`` with these arguments prints, with ``given`` on its standard input."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([command, given]) + "\n")
        self.process.stdin.flush()
        code, text = json.loads(self.process.stdout.readline())
        return Output(code, text.encode("utf-8", "surrogateescape"))

    def leave(self) -> None:
        """End the process: what its environment tells is nobody's business any more."""
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
        if self.process.stdout:
            self.process.stdout.close()


def _work() -> None:
    from django.core.management import execute_from_command_line  # noqa: PLC0415  Here alone Django is needed.

    answers = sys.stdout
    for line in sys.stdin:
        command, given = json.loads(line)
        said, code = io.StringIO(), 0
        sys.stdin, kept = io.StringIO(given), sys.stdin
        with redirect_stdout(said), redirect_stderr(said):
            try:
                execute_from_command_line(["manage.py", *command])
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
            except Exception:  # noqa: BLE001  An operator sees the traceback and goes on.
                traceback.print_exc()
                code = 1
        sys.stdin = kept
        answers.write(json.dumps([code, said.getvalue()]) + "\n")
        answers.flush()


if __name__ == "__main__":
    _work()
