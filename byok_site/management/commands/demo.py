"""`manage.py demo`: the product on example data, against local stand-ins for the providers."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from byok_site import demo
from byok_site.management.commands import serve
from byok_site.supervisor import preparation, programs
from byok_site.supervisor.child import Program
from byok_site.supervisor.loop import Supervisor


class Command(serve.Command):
    help = "Like serve, on example data and local fake providers. Needs the tests/ folder, and a data folder to throw away."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DATA_DIR.name != "demo":
            raise CommandError(
                "The demo fills its database with examples: run `./dev demo`, which gives it a folder of its own."
            )
        # The first start makes this organization and its admin, as it does for everybody.
        os.environ |= {
            "BYOK_ORGANIZATION": demo.ORGANIZATION,
            "BYOK_ADMIN_EMAIL": demo.ADMIN,
            "BYOK_ADMIN_PASSWORD": demo.PASSWORD,
        }
        super().handle(*args, **options)

    def prepare_database(self) -> None:
        # Who can log in, and how, is told once: by the introduction.
        preparation.prepare_database(said=io.StringIO())

    def surroundings(self, supervisor: Supervisor) -> Mapping[str, str]:
        """Run the fakes and point the processes at them."""
        addresses = settings.DATA_DIR / "run" / "fakeproviders.json"
        command = (sys.executable, "-m", "tests.fakeproviders", "--write", str(addresses))
        supervisor.add(Program("fakeproviders", command, {}, settings.ROOT))
        return {"PROVIDER_BASE_URLS": json.dumps(_await_json(addresses)["PROVIDER_BASE_URLS"])}

    def say_ready(self, surroundings: Mapping[str, str]) -> None:
        command = [sys.executable, "manage.py", "demo_seed"]
        subprocess.run(command, cwd=settings.ROOT, env=programs.environment(surroundings), check=False)  # noqa: S603
        super().say_ready(surroundings)


def _await_json(file: Path, seconds: float = 10.0) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while not file.exists():
        if time.monotonic() > deadline:
            raise CommandError(
                f"The fake providers did not start; see {settings.DATA_DIR / 'log' / 'fakeproviders.log'}"
            )
        time.sleep(0.05)
    return dict(json.loads(file.read_text(encoding="utf-8")))
