"""What is particular to Google Vertex AI: whom it asks, as whom, how often, and who must never hear of it."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
import time_machine
from django.utils import timezone

from providerkeys.providers import google_oauth, registry, service_account
from providerkeys.providers.base import Answer, Credential, Request, Unreachable
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders.journal import Received
from tests.fakeproviders.service_accounts import Assertion
from tests.providerkeys.providers.contract import Recorder
from tests.providerkeys.providers.service_account_inputs import FIELDS, GOOD, PRIVATE_KEY, changed

SLUG = "google_vertex_ai"
Ask = Callable[[str, str], str]


def asked(providers: CheckedProviders, key: str) -> tuple[list[Received], list[Received]]:
    """The sign-ins with ``key``, and the questions that were asked with what they gave."""
    email = json.loads(key)["client_email"]
    questions = [one for one in providers.requests(name=SLUG) if one.header("authorization")]
    return providers.requests(name="google_oauth", credential=email), questions


def check(secret: str, destination: dict[str, str], answer: Answer | Unreachable) -> tuple[str, list[Request]]:
    """The reason, and what was asked, where every request is answered alike."""
    recorder = Recorder(answer)
    return registry.get(SLUG).check(Credential(secret, destination), recorder), recorder.requests


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/token", "https://oauth2.googleapis.com/token?", "file:///etc/passwd"]
)
def test_the_transport_carries_nothing_to_another_address(url: str) -> None:
    recorder = Recorder(Answer(200))
    carrier = google_oauth._Carrier(recorder)
    with pytest.raises(Unreachable):
        carrier(url=url, method="POST", body=b"assertion=secret")
    assert recorder.requests == []


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
