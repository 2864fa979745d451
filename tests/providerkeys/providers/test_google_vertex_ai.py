"""What is particular to Google Vertex AI: whom it asks, as whom, how often, and who must never hear of it."""

import json
import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import time_machine
from django.utils import timezone

from providerkeys.providers import google_locations, google_oauth, registry, service_account
from providerkeys.providers.base import Answer, Credential, Request, Unreachable
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders.journal import Received
from tests.fakeproviders.service_accounts import Assertion
from tests.providerkeys.providers.contract import Recorder
from tests.providerkeys.providers.service_account_inputs import ADDRESSES, FIELDS, GOOD, PRIVATE_KEY, changed

SLUG = "google_vertex_ai"
ROOT = Path(__file__).resolve().parents[3]
Ask = Callable[[str, str], str]

# Written from the contract: §3.4.
HOSTS = {
    "global": "aiplatform.googleapis.com",
    "us": "aiplatform.us.rep.googleapis.com",
    "eu": "aiplatform.eu.rep.googleapis.com",
    "us-central1": "us-central1-aiplatform.googleapis.com",
    "europe-west4": "europe-west4-aiplatform.googleapis.com",
    "asia-northeast1": "asia-northeast1-aiplatform.googleapis.com",
}


def asked(providers: CheckedProviders, key: str) -> tuple[list[Received], list[Received]]:
    """The sign-ins with ``key``, and the questions that were asked with what they gave."""
    email = json.loads(key)["client_email"]
    questions = [one for one in providers.requests(name=SLUG) if one.header("authorization")]
    return providers.requests(name="google_oauth", credential=email), questions


def token(_: Request) -> Answer:
    return Answer(200, "application/json", b'{"access_token": "ya29.FAKE", "token_type": "Bearer"}')


def check(secret: str, destination: dict[str, str], answer: Answer | Unreachable) -> tuple[str, list[Request]]:
    """The reason, and what was asked, where every request is answered alike."""
    recorder = Recorder(answer)
    return registry.get(SLUG).check(Credential(secret, destination), recorder), recorder.requests


# Where it asks.


@pytest.mark.parametrize("location", google_locations.ENDPOINTS)
def test_a_location_is_asked_at_its_own_host(location: str) -> None:
    requests: list[Request] = []

    def send(request: Request) -> Answer:
        requests.append(request)
        return token(request) if request.endpoint.name == "google_oauth" else Answer(503)

    registry.get(SLUG).check(Credential(GOOD, {"location": location}), send)
    sign_in, question = requests
    assert (sign_in.endpoint.host, sign_in.path) == ("oauth2.googleapis.com", "/token")
    assert question.endpoint.host == HOSTS.get(location, f"{location}-aiplatform.googleapis.com")
    assert question.path.startswith(f"/v1/projects/fake-example-project/locations/{location}/publishers/google/models/")


def test_a_project_of_a_domain_is_quoted_in_the_path() -> None:
    secret = changed(project_id="example.com:fake-one")
    requests: list[Request] = []

    def send(request: Request) -> Answer:
        requests.append(request)
        return token(request)

    registry.get(SLUG).check(Credential(secret), send)
    assert requests[1].path.startswith("/v1/projects/example.com%3Afake-one/locations/global/")


@pytest.mark.parametrize(
    "location",
    [
        *(
            "evil.com/#",
            "a@evil",
            "..",
            "%2f",
            "europe-west4\n",
            "\neurope-west4",
            "europe\N{NON-BREAKING HYPHEN}west4",
        ),
        *("a" * 70, "evil.example/", "Europe-West4", "europe-west99", "global.evil.example", "", " "),
    ],
)
def test_a_location_outside_the_list_is_never_asked(location: str) -> None:
    assert check(GOOD, {"location": location}, Unreachable("unexpected")) == ("unreadable", [])


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_is_sent_for_a_stored_file_with_another_address(address: str) -> None:
    """As if it had been saved before the rule was there, or past it."""
    assert check(changed(token_uri=address), {}, Unreachable("unexpected")) == ("unreadable", [])


def test_another_universe_can_not_fake_a_success() -> None:
    """google-auth would make a token by itself and call it a success, without asking anybody."""
    assert check(changed(universe_domain="evil.example"), {}, Unreachable("unexpected")) == ("unreadable", [])


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/token", "https://oauth2.googleapis.com/token?", "file:///etc/passwd"]
)
def test_the_transport_carries_nothing_to_another_address(url: str) -> None:
    recorder = Recorder(Answer(200))
    carrier = google_oauth._Carrier(recorder)
    with pytest.raises(Unreachable):
        carrier(url=url, method="POST", body=b"assertion=secret")
    assert recorder.requests == []


def test_addresses_in_the_file_are_never_asked(ask: Ask, providers: CheckedProviders) -> None:
    trap = providers.trap_url
    key = changed(auth_uri=trap, client_x509_cert_url=f"{trap}/x509", auth_provider_x509_cert_url=f"{trap}/certs")
    assert ask(SLUG, service_account.parse(key).document) == "accepted"
    assert {one.name for one in providers.requests()} == {"google_oauth", SLUG}


# How often it asks.


@pytest.mark.parametrize(
    ("scenario", "expected"),
    {
        "good": ("accepted", 1, 1),
        "wrong": ("account_deleted", 1, 0),
        "gone1": ("accepted", 1, 2),
        "gone": ("no_model", 1, 3),
        "models": ("models_not_allowed", 1, 3),
        "iam": ("no_permission", 1, 1),
        "stale": ("accepted", 2, 2),
        "expired": ("token_refused", 2, 2),
        # google-auth by itself would sign in three times, with pauses; the door asks a 503 once more, a 500 never.
        "token500": ("server_error", 1, 0),
        "token503": ("server_error", 2, 0),
        "tokenrate": ("tokens_limited", 1, 0),
    }.items(),
)
def test_it_asks_no_more_than_it_must(
    ask: Ask, providers: CheckedProviders, scenario: str, expected: tuple[str, int, int]
) -> None:
    """``expected``: the reason, how many sign-ins, how many questions."""
    key = samples.key(SLUG, scenario)
    reason = ask(SLUG, key)
    sign_ins, questions = asked(providers, key)
    assert (reason, len(sign_ins), len(questions)) == expected


def test_another_model_is_asked_for_and_another_token_used(ask: Ask, providers: CheckedProviders) -> None:
    ask(SLUG, samples.key(SLUG, "gone"))
    assert len({one.path for one in providers.requests(name=SLUG)}) == 3
    ask(SLUG, samples.key(SLUG, "expired"))
    tokens = [one.credential for one in providers.requests(name=SLUG) if one.credential.endswith("-expired")]
    assert len(set(tokens)) == len(tokens) == 2


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("kind", ["", "other", "loop"])
@pytest.mark.parametrize("stage", ["", "then"])
def test_neither_assertion_nor_token_follows_a_redirect(
    ask: Ask, providers: CheckedProviders, stage: str, code: int, kind: str
) -> None:
    key = samples.key(SLUG, f"{stage}redirect{code}{kind}")
    assert ask(SLUG, key) == "redirect"
    exchanged, counted = asked(providers, key)
    assert (len(exchanged), len(counted)) == ((1, 1) if stage else (1, 0))


# As whom it asks.


def test_the_assertion_is_ours_for_an_hour_for_google_alone() -> None:
    _, [request] = check(GOOD, {}, Answer(503))
    form = parse_qs(request.body.decode())
    assertion = Assertion.read(form["assertion"][0])
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert assertion.is_signed
    assert set(assertion.claims) == {"iss", "aud", "scope", "iat", "exp"}
    assert assertion.claims["iss"] == FIELDS["client_email"]
    assert assertion.claims["aud"] == "https://oauth2.googleapis.com/token"
    assert assertion.claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
    assert assertion.claims["exp"] - assertion.claims["iat"] == 3600


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_wrong_clock_is_the_servers_fault_and_says_so(ask: Ask, minutes: int) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        reason = ask(SLUG, GOOD)
    assert reason == "clock"
    assert "clock" in registry.get(SLUG).reason(reason).sentence


def test_two_accounts_never_share_a_token(ask: Ask, providers: CheckedProviders) -> None:
    ours, theirs = samples.fresh_key(SLUG, "good"), samples.fresh_key(SLUG, "iam")
    assert [ask(SLUG, key) for key in (ours, theirs, ours)] == ["accepted", "no_permission", "accepted"]
    assert len({one.credential for one in providers.requests(name=SLUG)}) == 3


_PROGRAM = """
    import django, sys
    django.setup()
    from providerkeys.providers import http, registry
    from providerkeys.providers.base import Credential
    print(registry.get("google_vertex_ai").check(Credential(sys.stdin.read()), http.send))
"""


@pytest.mark.parametrize(("scenario", "reason"), [("good", "accepted"), ("wrong", "account_deleted")])
def test_nothing_of_the_host_is_used(providers: CheckedProviders, tmp_path: Path, scenario: str, reason: str) -> None:
    """In a process of its own, because Google's libraries read some of this when they are imported."""
    key = samples.key(SLUG, scenario)
    done = _run(_PROGRAM, _hostile_environment(tmp_path, providers), key)
    assert done.stdout.strip() == reason, done.stderr
    sign_ins, questions = asked(providers, key)
    assert len(sign_ins) == 1
    for request in (*sign_ins, *questions):
        assert not {name for name, _ in request.headers} & {"x-goog-user-project", "x-allowed-locations", "cookie"}
    assert {one.name for one in providers.requests()} <= {"google_oauth", SLUG}


_CARELESS = """
    import google.auth
    from google.auth.transport.requests import Request
    credentials, _ = google.auth.default()
    credentials.refresh(Request())
"""


def test_a_careless_program_would_have_been_somebody_else(providers: CheckedProviders, tmp_path: Path) -> None:
    providers.expect_violations("trap_reached")
    assert _run(_CARELESS, _hostile_environment(tmp_path, providers)).returncode != 0


def _run(program: str, environment: dict[str, str], given: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.run(command, cwd=ROOT, env=environment, input=given, capture_output=True, text=True, check=False)


def _hostile_environment(home: Path, providers: CheckedProviders) -> dict[str, str]:
    """The host has an identity of its own, a metadata server, a proxy and a ``.netrc``; each leads to the trap."""
    trap = providers.trap_url
    place = trap.removeprefix("http://")
    own = {"type": "authorized_user", "client_id": "host", "client_secret": "host", "refresh_token": "host"}
    config = home / ".config" / "gcloud"
    config.mkdir(parents=True)
    for file in (home / "adc.json", config / "application_default_credentials.json"):
        file.write_text(json.dumps({**own, "token_uri": trap}))
    (home / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "byok_site.settings",
        "BYOK_DATA_DIR": str(home / "data"),
        "PROVIDER_BASE_URLS": json.dumps(providers.base_urls),
        "GOOGLE_APPLICATION_CREDENTIALS": str(home / "adc.json"),
        "CLOUDSDK_CONFIG": str(config),
        "GOOGLE_CLOUD_PROJECT": "host-project",
        "GOOGLE_CLOUD_QUOTA_PROJECT": "host-project",
        "GOOGLE_CLOUD_UNIVERSE_DOMAIN": "evil.example",
        "GOOGLE_API_USE_CLIENT_CERTIFICATE": "true",
        "GOOGLE_API_USE_MTLS_ENDPOINT": "always",
        "GOOGLE_AUTH_TRUST_BOUNDARY_ENABLED": "true",
        "GCE_METADATA_HOST": place,
        "GCE_METADATA_ROOT": place,
        "GCE_METADATA_IP": place,
        **dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), trap),
    }


# What never gets out.


@pytest.mark.parametrize(
    "scenario", ["good", "echo", "splittoken", "expired", "badstatus", "thenbadstatus", "thenecho500"]
)
def test_neither_key_nor_assertion_nor_token_is_logged(
    ask: Ask, providers: CheckedProviders, caplog: pytest.LogCaptureFixture, scenario: str
) -> None:
    key = samples.key(SLUG, scenario)
    with caplog.at_level(logging.DEBUG):
        reason = ask(SLUG, key)
    said = caplog.text + reason
    assert FIELDS["private_key_id"] not in said
    assert not any(line in said for line in PRIVATE_KEY.splitlines()[1:-1])
    assert "eyJ" not in said
    assert "ya29." not in said


@pytest.mark.parametrize(
    "answer", [Answer(400, "application/json", b'{"error": "invalid_grant", "error_description": "x"}'), Answer(200)]
)
def test_what_google_said_does_not_hang_on_an_exception(answer: Answer) -> None:
    with pytest.raises(google_oauth.NoToken) as raised:
        google_oauth.access_token(service_account.parse(GOOD), Recorder(answer))
    assert raised.value.__context__ is raised.value.__cause__ is None
    assert vars(raised.value) == {"reason": raised.value.reason}


def test_the_network_fails_as_it_does_elsewhere() -> None:
    with pytest.raises(Unreachable, match="dns"):
        google_oauth.access_token(service_account.parse(GOOD), Recorder(Unreachable("dns")))


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({}, "fake-sample7-good@fake-example-project.iam.gserviceaccount.com"),
        (
            {"client_email": "1-compute@developer.gserviceaccount.com"},
            "1-compute@developer.gserviceaccount.com · fake-example-project",
        ),
    ],
)
def test_a_hint_tells_the_account_and_its_project(fields: dict[str, str], hint: str) -> None:
    assert registry.get(SLUG).hint(Credential(changed(**fields))) == hint


def test_a_hint_fits_its_column_whatever_the_names() -> None:
    longest = changed(
        client_email="f" * 64 + "@" + "a" * 63 + ".gserviceaccount.com", project_id="d" * 61 + ":" + "p" * 30
    )
    assert len(registry.get(SLUG).hint(Credential(longest))) <= 200
