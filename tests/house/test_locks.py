"""The two locks: where nothing says they came from, and that the runtime's alone is enough to run."""

import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.stack import ROOT

pytestmark = pytest.mark.long

# What web, worker, beat and supervisor import, some of it only when they are at work.
RUNTIME = (
    "byok_site.asgi, byok_site.web, byok_site.wsgi, byok_site.urls, byok_site.management.commands.serve, celery.apps.worker, "
    "celery.apps.beat, celery.concurrency.thread, kombu.transport.redis, uvicorn.loops.uvloop, "
    "uvicorn.protocols.http.httptools_impl, django.db.backends.postgresql.base, psycopg_pool, whitenoise.storage"
)
# Imported only if they happen to be there.
OPTIONAL = {"greenlet", "opentelemetry-api"}
LOCKS = ("requirements.lock", "requirements-dev.lock")


def locked(name: str) -> dict[str, str]:
    """Distribution → version."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index(name: str) -> None:
    text = (ROOT / name).read_text()

    assert not any(word in text for word in ("://", "--index-url", "--extra-index-url", "--find-links"))


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_of_a_lock_has_its_hashes(name: str) -> None:
    requirements = re.split(r"^(?=[a-z0-9])", (ROOT / name).read_text(), flags=re.MULTILINE)[1:]

    assert len(requirements) == len(locked(name)) > 30
    assert [text for text in requirements if "--hash=sha256:" not in text] == []


def test_development_has_everything_of_the_runtime_in_the_same_version() -> None:
    assert locked("requirements.lock").items() <= locked("requirements-dev.lock").items()


def test_the_runtime_lock_is_enough_to_run(tmp_path: Path) -> None:
    script = (
        f"import django; django.setup(); import sys, {RUNTIME}; print(*{{name.split('.')[0] for name in sys.modules}})"
    )
    variables = {
        "PATH": os.environ["PATH"],
        "BYOK_DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "byok_site.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

    known = packages_distributions()
    used = {known[name][0].lower().replace("_", "-").replace(".", "-") for name in done.stdout.split() if name in known}

    assert len(used) > 20
    assert used - set(locked("requirements.lock")) <= OPTIONAL
