"""Adding a provider is adding one file: a copy of the tree with one more, what Git says of it, and what the product does."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Final

import pytest

from providerkeys.providers import registry
from tests.providerkeys.providers.one_more import SLUG, SOURCE
from tests.trust.net import Step, play
from tests.trust.sources import ROOT

pytestmark = pytest.mark.long

FILE: Final = f"providerkeys/providers/{SLUG}.py"
_NOT_COPIED: Final = (".git", ".venv", "var", "docs", "__pycache__", ".*_cache", ".hypothesis")

# Somebody who has never heard of the provider: a new organization, whose admin finds it in the form, tests a key and saves it.
VISIT: Final = """
    import sys
    import django
    django.setup()
    from celery import current_app
    from django.conf import settings
    from django.core.management import call_command
    from tests import cast
    from organizations.models import Organization, Role
    from providerkeys.models import CredentialCheck, ProviderKey, check_run
    from providerkeys.providers import registry
    from tests.providerkeys.providers.contract import broken_rules

    provider = registry.get(sys.argv[1])
    assert broken_rules(provider) == [], broken_rules(provider)
    settings.PROVIDER_BASE_URLS, settings.ALLOWED_HOSTS = {provider.slug: sys.argv[2]}, ["*"]
    current_app._get_current_object().send_task = lambda *_, **__: None
    call_command("migrate", verbosity=0)
    alice = cast.client_for(cast.member_of(Organization.objects.create(name="Acme"), "Alice", Role.ADMIN))

    form = alice.get("/orgs/acme/provider-keys/new/", {"provider": provider.slug}).content.decode()
    assert f'<option value="{provider.slug}" selected>{provider.label}</option>' in form
    typed = {"provider": provider.slug, "name": "Mine", "provider_key": "FAKE" * 10, "assign_to_organization": "on"}
    alice.post("/orgs/acme/provider-keys/checks/", typed)
    check = CredentialCheck.objects.get()
    check_run.run(check.pk)
    print(alice.get(f"/orgs/acme/provider-keys/checks/{check.pk}/").content.decode())
    assert alice.post("/orgs/acme/provider-keys/new/", typed).status_code == 302
    key = ProviderKey.objects.get()
    assert (key.provider, key.verdict) == (provider.slug, "valid"), key.verdict
    assert f">{provider.label}</span>" in alice.get("/orgs/acme/provider-keys/").content.decode()
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The tree as it is, under a Git of its own."""
    folder = tmp_path / "tree"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*_NOT_COPIED))
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=Alice", "-c", "user.email=alice@acme.example", "commit", "--quiet", "-m", "Eight")
    return folder


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=folder, env=_environment(folder), capture_output=True, text=True, check=True
    )
    return done.stdout


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder.parent), "GIT_CONFIG_NOSYSTEM": "1"}


def changes(folder: Path) -> str:
    """What ``git diff --stat`` says, of new files too."""
    git(folder, "add", "--all", "--intent-to-add")
    return git(folder, "diff", "--stat")


@pytest.mark.skipif(not shutil.which("git"), reason="Git was not found")
def test_a_ninth_provider_is_one_file_and_is_offered_and_judged(copy: Path) -> None:
    assert changes(copy) == ""
    (copy / FILE).write_text(SOURCE)
    lines = SOURCE.count("\n")
    one_file = [f"{FILE} | {lines} {'+' * lines}", f"1 file changed, {lines} insertions(+)"]
    assert [line.strip() for line in changes(copy).splitlines()] == one_file

    with play(Step(200, b'{"data": []}')) as stand_in:
        command = [sys.executable, "-c", textwrap.dedent(VISIT), SLUG, f"http://127.0.0.1:{stand_in.port}"]
        environment = {**_environment(copy), "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Valid</strong>" in done.stdout
    assert "Third accepted the key." in done.stdout
    assert stand_in.received[0].startswith(b"GET /v1/models HTTP/1.1\r\n")
    assert b"\r\nHost: api.third.example\r\n" in stand_in.received[0]

    assert [line.strip() for line in changes(copy).splitlines()] == one_file


def test_without_its_file_it_is_no_provider() -> None:
    """The twin: nothing else in the tree has ever heard of it."""
    assert registry.find(SLUG) is None
