"""What pages of the console cost in an organization with 10,000 provider keys, beside the same pages in one with 50.

`./dev bench console`. Both organizations have 1,000 API keys, and live in a database that is thrown away: SQLite, or one
that is made beside the one that TEST_DATABASE_URL names.
"""

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import django
from django.core.management import call_command
from django.db import connection

from bench.processes import environment
from byok_site import secret_keys

_SMALL: Final = 50
_STOPPED: Final = 130


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench console", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="how often each page is asked for")
    parser.add_argument("--provider-keys", type=int, default=10_000, help="of the larger organization; at least 50")
    parser.add_argument("--api-keys", type=int, default=1_000, help="of each organization; at least 500")
    chosen = parser.parse_args()
    # Whoever stops us leaves no database behind either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_STOPPED))
    try:
        _run(chosen.rounds, chosen.provider_keys, chosen.api_keys)
    except KeyboardInterrupt:
        sys.exit(_STOPPED)


def _run(rounds: int, provider_keys: int, api_keys: int) -> None:
    started, load = time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="byok-bench-") as folder:
        _set_up(folder)
        # Models can be imported from here on.
        from bench import console_report, console_seed, pages  # noqa: PLC0415

        with _database(folder) as vendor:
            _progress("storing two organizations")
            sizes = {"large": provider_keys, "small": _SMALL}
            owners = {name: console_seed.organization(name, size, api_keys) for name, size in sizes.items()}
            _progress("asking for their pages")
            measured = pages.measure({name: pages.Visitor.of(access) for name, access in owners.items()}, rounds)
            _say(f"Python {platform.python_version()}, {vendor}; {rounds} interleaved rounds.")
            _say(
                f"{provider_keys:,} provider keys, beside {_SMALL} of another organization; {api_keys:,} API keys in each."
            )
            _say("")
            for line in console_report.lines(measured):
                _say(line)
    _say(f"{time.monotonic() - started:.0f} s; load of the machine {load:.2f} before, {os.getloadavg()[0]:.2f} after")


def _set_up(folder: str) -> None:
    """Django as in production, with nothing of our own environment but the database server, if one is named."""
    database = os.environ.get("TEST_DATABASE_URL", "")
    named = {"DATABASE_URL": database} if database else {}
    seen = environment(BYOK_DATA_DIR=str(Path(folder) / "data"), LOG_LEVEL="ERROR", **secret_keys.generate(), **named)
    os.environ.clear()
    os.environ.update(seen, DJANGO_SETTINGS_MODULE="byok_site.settings")
    django.setup()
    call_command("collectstatic", interactive=False, verbosity=0)


@contextmanager
def _database(folder: str) -> Iterator[str]:
    """A database of this run alone. Yields what kind it is."""
    postgresql = connection.vendor == "postgresql"
    file = str(Path(folder) / "bench.sqlite3")
    connection.settings_dict["TEST"]["NAME"] = f"byok_bench_{os.getpid()}" if postgresql else file
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield connection.display_name
    finally:
        connection.close()
        if postgresql:
            connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's has one.
        connection.creation.destroy_test_db(name, verbosity=0)


def _progress(line: str) -> None:
    sys.stderr.write(f"bench: {line}\n")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
