"""NET-09: a check speaks for the key that it is given, whatever identity, proxy or endpoint the machine has of its own."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import boto3
import google.auth
import pytest
from google.auth import exceptions
from google.auth.transport.requests import Request as GoogleRequest
from pytest_django.fixtures import Settings

from providerkeys.providers import aws_regions, google_oauth, registry, transport
from providerkeys.providers.aws_access_key import AccessKey
from providerkeys.providers.base import Credential, Send
from providerkeys.providers.service_account import ServiceAccount
from tests.fakeproviders import samples
from tests.fakeproviders.access_keys import halves
from tests.fakeproviders.fixtures import CheckedProviders
from tests.providerkeys.providers.service_account_inputs import changed
from tests.trust.controls import Control, controls
from tests.trust.net import ask, ask_with
from tests.trust.net_host import EVIL_REGION, MARKS, hostile_environment
from tests.trust.sources import ROOT

EVERY_PROVIDER = pytest.mark.parametrize("slug", samples.PROVIDERS)
_ID, _SECRET = halves(samples.key("bedrock", "good"))


@pytest.fixture
def hostile(
    providers: CheckedProviders, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> CheckedProviders:
    """The stand-ins, asked from a machine with an identity of its own; its metadata answer at their trap, on loopback."""
    settings.PROVIDER_BASE_URLS = providers.base_urls
    for name in [*os.environ]:
        if name.upper().startswith(("AWS_", "GOOGLE_", "GCE_", "NO_PROXY")):
            monkeypatch.delenv(name)
    for name, value in hostile_environment(tmp_path, providers.trap_url).items():
        monkeypatch.setenv(name, value)
    return providers


def spoke_for_itself(providers: CheckedProviders) -> bool:
    """Whether nothing that arrived shows a trace of the machine, and nobody came where its settings lead."""
    sent = " ".join(
        f"{name}: {value}" for request in providers.requests() for name, value in request.headers if name != "date"
    )
    return providers.complaint() == "" and not [mark for mark in MARKS if mark in sent]


@EVERY_PROVIDER
@pytest.mark.parametrize(("scenario", "verdict"), [("good", "valid"), ("wrong", "invalid")])
def test_net_09_nothing_of_the_machine_is_used(
    slug: str, scenario: str, verdict: str, hostile: CheckedProviders
) -> None:
    """A good key is good by itself; and nobody else's makes a wrong one good."""
    key = samples.key(slug, scenario)
    assert registry.get(slug).verdict(ask(slug, key)) == verdict
    assert spoke_for_itself(hostile)
    assert hostile.requests()


BLANK: Final[dict[str, Any]] = {
    "both blank": {"access_key_id": "", "secret_access_key": ""},
    "no secret": {"access_key_id": _ID, "secret_access_key": ""},
    "no id": {"access_key_id": "", "secret_access_key": _SECRET},
    "blanks": {"access_key_id": " ", "secret_access_key": " "},
    "nulls": {"access_key_id": None, "secret_access_key": None},
    "no fields": {},
    "a list": [],
}


@pytest.mark.parametrize("blank", BLANK)
def test_net_09_blank_keys_never_become_the_machines(blank: str, hostile: CheckedProviders) -> None:
    credential = Credential(json.dumps(BLANK[blank]), {"region": "us-east-1"})
    assert ask_with("bedrock", credential) == "unreadable"
    assert spoke_for_itself(hostile)
    assert hostile.requests() == []


EXECUTED: Final = "executed"
FOREIGN: Final[dict[str, Callable[[Path], str]]] = {
    "a program": lambda folder: changed(
        type="external_account",
        credential_source={"executable": {"command": f"touch {folder / EXECUTED}", "timeout_millis": 5000}},
    ),
    "a file": lambda folder: changed(type="external_account", credential_source={"file": str(folder / "adc.json")}),
    "an address": lambda _: changed(
        type="external_account", credential_source={"url": "http://169.254.169.254/"}, token_url="http://127.0.0.1:9/"
    ),
    "a person": lambda _: changed(type="authorized_user", refresh_token="host-"),
    "another account": lambda _: changed(
        type="impersonated_service_account", service_account_impersonation_url="http://127.0.0.1:9/"
    ),
}


@pytest.mark.parametrize("foreign", FOREIGN)
def test_net_09_a_stored_file_of_another_kind_runs_and_asks_nothing(
    foreign: str, hostile: CheckedProviders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
    assert ask_with("google_vertex_ai", Credential(FOREIGN[foreign](tmp_path))) == "unreadable"
    assert spoke_for_itself(hostile)
    assert hostile.requests() == []
    assert not (tmp_path / EXECUTED).exists()


# What the libraries read when they are imported

PROGRAM: Final = """
    import json, sys
    import django
    django.setup()
    from providerkeys.providers import aws_regions, http, registry
    from providerkeys.providers.base import Credential
    said = {
        slug: registry.get(slug).check(Credential(secret, destination), http.sender())
        for slug, secret, destination in json.load(sys.stdin)
    }
    print(json.dumps({"said": said, "regions": aws_regions.CHOICES}))
"""
PRELUDE = ""


@pytest.mark.long
def test_net_09_nor_is_what_the_machine_says_to_libraries_at_their_start(
    providers: CheckedProviders, tmp_path: Path
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "byok_site.settings",
        "BYOK_DATA_DIR": str(tmp_path / "data"),
        "PROVIDER_BASE_URLS": json.dumps(providers.base_urls),
        **hostile_environment(tmp_path, providers.trap_url),
    }
    keys = {slug: samples.key(slug, "good") for slug in samples.PROVIDERS}
    given = [[slug, key, dict(samples.destination(slug, key))] for slug, key in keys.items()]
    command = [sys.executable, "-c", textwrap.dedent(PRELUDE) + textwrap.dedent(PROGRAM)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, input=json.dumps(given), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told == {"said": dict.fromkeys(keys, "accepted"), "regions": list(aws_regions.CHOICES)}
    assert EVIL_REGION not in told["regions"]
    assert spoke_for_itself(providers)


# Defects


def trusting_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport.client(), "trust_env", True)


def signing_as_the_machine_where_a_half_is_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a client of boto3 does with keys that are blank."""
    honest = AccessKey.read

    def read(stored: str) -> AccessKey | None:
        own = boto3.Session().get_credentials().get_frozen_credentials()
        return honest(stored) or AccessKey(own.access_key, own.secret_key)

    monkeypatch.setattr(AccessKey, "read", read)


def signing_in_as_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def token(_: ServiceAccount, send: Send) -> str:
        credentials: Any = google.auth.default()[0]
        with suppress(OSError, exceptions.GoogleAuthError):
            credentials.refresh(GoogleRequest())
        return str(credentials.token)

    monkeypatch.setattr(google_oauth, "access_token", token)


def believing_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """What google-auth makes of a file when it is asked to load it."""

    def trust(credential: Credential) -> ServiceAccount:
        info = json.loads(credential.secret)
        source = info.get("credential_source", {})
        if "executable" in source:
            subprocess.run(source["executable"]["command"].split(), check=True)
        return ServiceAccount(info["project_id"], info["client_email"], info["private_key_id"], info["private_key"])

    monkeypatch.setattr("providerkeys.providers.google_vertex_ai._account_in", trust)


def reading_the_regions_of_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    prelude = """
        from botocore import loaders
        honest = loaders.Loader.__init__
        loaders.Loader.__init__ = lambda self, **_: honest(self)
    """
    monkeypatch.setitem(globals(), "PRELUDE", prelude)


GOOD: Final = {"scenario": "good", "verdict": "valid"}


@controls(
    [
        *(
            Control(test_net_09_nothing_of_the_machine_is_used, trusting_the_environment, {**GOOD, "slug": slug})
            for slug in samples.PROVIDERS
        ),
        Control(
            test_net_09_nothing_of_the_machine_is_used,
            signing_in_as_the_machine,
            {**GOOD, "slug": "google_vertex_ai"},
        ),
        *(
            Control(
                test_net_09_blank_keys_never_become_the_machines,
                signing_as_the_machine_where_a_half_is_blank,
                {"blank": blank},
            )
            for blank in ("both blank", "no secret")
        ),
        *(
            Control(
                test_net_09_a_stored_file_of_another_kind_runs_and_asks_nothing,
                believing_the_file,
                {"foreign": foreign},
            )
            for foreign in ("a program", "an address")
        ),
        Control(test_net_09_nor_is_what_the_machine_says_to_libraries_at_their_start, reading_the_regions_of_the_home),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
    # Whoever came to the trap was noted there, as must be.
    request.getfixturevalue("providers").reset()
