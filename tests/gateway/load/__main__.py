"""``python -m tests.gateway.load``: 100,000 mixed requests with faults injected at the providers, against one process.

It prints its figures and fails when something was lost, grew, or took too long. Only loopback is used.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.fakeproviders.client import FakeProviders


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.gateway.load", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--lanes", type=int, default=32, help="callers at once")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="byok-load-") as folder, FakeProviders.start() as fakes:
        _set_up(Path(folder), fakes)
        # Django is set up from here on.
        from tests.gateway.load.run import run  # noqa: PLC0415
        from tests.gateway.processes import processes  # noqa: PLC0415

        with processes(fakes.base_urls) as (process,):
            found = run(process, fakes, chosen.requests, chosen.lanes)
            process.running.terminate()
            left = process.running.wait(15)
    from tests.gateway.load.report import lines  # noqa: PLC0415

    for line in lines(found):
        _say(line)
    complaints = [*found.complaints(), *([f"the process ended with {left}"] if left not in {0, -15} else [])]
    for complaint in complaints:
        _say(f"WRONG: {complaint}")
    sys.exit(bool(complaints))


def _set_up(folder: Path, fakes: FakeProviders) -> None:
    """Django, on a fresh database of its own."""
    for name in ("DATABASE_URL", "SECRET_KEY", "CREDENTIAL_KEYS", "REDIS_URL", "BASE_URL"):
        os.environ.pop(name, None)
    os.environ.update(
        DJANGO_SETTINGS_MODULE="byok_site.settings",
        BYOK_DATA_DIR=str(folder / "data"),
        PROVIDER_BASE_URLS=json.dumps(fakes.base_urls),
        GATEWAY_FIRST_BYTE_TIMEOUT="30",
    )
    import django  # noqa: PLC0415 -- it reads the environment that was prepared above.
    from django.core.management import call_command  # noqa: PLC0415

    django.setup()
    call_command("migrate", verbosity=0)


def _say(*words: str | Sequence[str]) -> None:
    print(*words)  # noqa: T201 -- this is the program's output.


if __name__ == "__main__":
    main()
