"""`manage.py demo`: the product on example data, against local stand-ins for the providers."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import get_commands
from django.core.management.base import CommandError

from byok_site.management.commands import serve
from byok_site.supervisor import programs
from byok_site.supervisor.child import Program
from byok_site.supervisor.loop import Supervisor

SEED = "demo_seed"


class Command(serve.Command):
    help = "Like serve, on example data and local fake providers. Needs the tests/ folder, and a data folder to throw away."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DATA_DIR.name != "demo":
            raise CommandError(
                "The demo fills its database with examples: run `./dev demo`, which gives it a folder of its own."
            )
        super().handle(*args, **options)

    def surroundings(self, supervisor: Supervisor) -> Mapping[str, str]:
        """Run the fakes and point the processes at them."""
        addresses = settings.DATA_DIR / "run" / "fakeproviders.json"
        command = (sys.executable, "-m", "tests.fakeproviders", "--write", str(addresses))
        supervisor.add(Program("fakeproviders", command, {}, settings.ROOT))
        return {"PROVIDER_BASE_URLS": json.dumps(_await_json(addresses)["PROVIDER_BASE_URLS"])}

    def say_ready(self, surroundings: Mapping[str, str]) -> None:
        if SEED in get_commands():
            command = [sys.executable, "manage.py", SEED]
            subprocess.run(command, cwd=settings.ROOT, env=programs.environment(surroundings), check=False)  # noqa: S603
        for line in sample_lines():
            self.stdout.write(line)
        super().say_ready(surroundings)


def sample_lines() -> Iterator[str]:
    """A credential for each provider and verdict, as a table."""
    from tests.fakeproviders import samples  # noqa: PLC0415  Only the demo needs the suite.

    yield "Credentials to try:"
    for provider in samples.PROVIDERS:
        told: set[str] = set()
        for sample in (*samples.documented(provider), *samples.hostile(provider)):
            if sample.verdict not in told and not sample.slow:
                told.add(sample.verdict)
                yield f"  {provider:<10} {sample.verdict:<12} {sample.key}"


def _await_json(file: Path, seconds: float = 10.0) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while not file.exists():
        if time.monotonic() > deadline:
            raise CommandError(
                f"The fake providers did not start; see {settings.DATA_DIR / 'log' / 'fakeproviders.log'}"
            )
        time.sleep(0.05)
    return dict(json.loads(file.read_text(encoding="utf-8")))
