"""What commands print: those that dump, those that describe, our own."""

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tests.product import ROOT
from tests.trust.walk.scene import Scene

DUMP: Final = ("dumpdata",)
ALL: Final = (
    DUMP,
    ("sqlmigrate", "providerkeys", "0001"),
    ("inspectdb",),
    ("add_member", "--organization", "Acme", "--email", "erin@acme.example", "--role", "member"),
)


def collect(scene: Scene, commands: Sequence[tuple[str, ...]]) -> None:
    """Run them on the product's data, both processors at once, with a password on the standard input of each."""
    with ThreadPoolExecutor(2) as beside:
        scene.outputs.update(beside.map(lambda command: _run(scene, command), commands))


def _run(scene: Scene, command: tuple[str, ...]) -> tuple[str, bytes]:
    text = scene.secrets.password(f"on the standard input of {command[0]}").value
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=scene.product.environment,
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    return " ".join(command), b"\n".join((str(done.returncode).encode(), done.stdout, done.stderr))
