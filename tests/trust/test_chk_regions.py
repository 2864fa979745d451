"""CHK-09: of several regions each has a verdict of its own; and where this server's clock is wrong, no key is to blame."""

import threading
from datetime import timedelta
from typing import Final

import pytest
import time_machine
from django.utils import timezone

from organizations.access import Access
from providerkeys.models import BedrockRegion, CredentialCheck, check_run
from providerkeys.providers import bedrock, google_oauth, http
from providerkeys.providers.base import Rule
from tests.fakeproviders import samples
from tests.providerkeys import regions
from tests.providerkeys.offline import Offline
from tests.providerkeys.sample import again, letterbox, typed
from tests.trust.controls import Control, controls

# The rows of one check are asked in threads of their own, which see only what is committed.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

# What can be wrong with a row, by the sample that has it, and the verdict of that row alone.
BAD: Final = {
    "wrong": "invalid",
    "mistyped": "invalid",
    "thenexpired": "invalid",
    "optin": "forbidden",
    "nolist": "limited",
    "throttledsts": "limited",
    "sts500": "unreachable",
    "error503": "unreachable",
}
GOOD: Final = ("us-east-1", "eu-central-1")


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    letterbox(monkeypatch)
    monkeypatch.setattr(http, "send", Offline())


def pressed_with(access: Access, scenario: str) -> CredentialCheck:
    """A bad row between two good ones."""
    key, (one, other) = samples.key("bedrock", scenario), GOOD
    home = samples.destination("bedrock", key)["region"]
    bad = regions.rows("us-west-2" if home in GOOD else home, key=key)
    return regions.pressed(access, *regions.rows(one), *bad, *regions.rows(other))


@pytest.mark.parametrize("scenario", BAD)
def test_chk_09_one_bad_row_does_not_spoil_the_others(scenario: str, alice_access: Access) -> None:
    check = pressed_with(alice_access, scenario)
    check_run.run(check.pk)
    assert list(regions.said(check).values()) == ["valid", BAD[scenario], "valid"]
    assert again(check).state == "done"


def test_chk_09_nor_does_one_that_gets_no_answer(alice_access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Offline()

    def send(request: http.Request, until: float) -> http.Answer:
        if request.endpoint.host == "bedrock.eu-south-1.amazonaws.com":
            raise http.Unreachable("timeout")
        return answers(request, until)

    monkeypatch.setattr(http, "send", send)
    check = pressed_with(alice_access, "optin")
    check_run.run(check.pk)
    assert list(regions.said(check).values()) == ["valid", "unreachable", "valid"]


def test_chk_09_nor_does_one_that_cannot_be_opened(alice_access: Access) -> None:
    key = regions.stored(alice_access, *GOOD, "us-west-2")
    others = regions.ciphertexts(key)
    BedrockRegion.objects.filter(provider_key=key, region=GOOD[1]).update(credentials_version=9)
    check = CredentialCheck.press(alice_access, "bedrock", again(key).stored_rows(), key)
    check_run.run(check.pk)
    assert regions.said(check) == {GOOD[0]: "valid", GOOD[1]: "unreachable", "us-west-2": "valid"}
    assert regions.verdicts(key) == {GOOD[0]: "valid", GOOD[1]: "", "us-west-2": "valid"}
    assert regions.ciphertexts(key) == others


@pytest.mark.parametrize("off", [timedelta(minutes=-10), timedelta(minutes=10)], ids=["slow", "fast"])
@pytest.mark.parametrize("provider", ["bedrock", "google_vertex_ai"])
def test_chk_09_a_wrong_clock_judges_no_key_and_says_so(
    provider: str, off: timedelta, alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, now, turn = Offline(), timezone.now(), threading.Lock()

    def send(request: http.Request, until: float) -> http.Answer:
        # What the provider's clock says meanwhile.
        with turn, time_machine.travel(now):
            return answers(request, until)

    monkeypatch.setattr(http, "send", send)
    key = samples.key(provider, "good")
    with time_machine.travel(now + off):
        check = CredentialCheck.press(
            alice_access, provider, [typed(alice_access, key, samples.destination(provider, key))]
        )
        check_run.run(check.pk)
        (shown,) = again(check).results_now
    assert shown.verdict == "unreachable"
    assert shown.sentence.startswith("This server’s clock is wrong")
    assert shown.sentence.endswith("The key was not judged.")


# Defects.


def asking_about_one_key_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providerkeys.providers.aws_access_key.AccessKey.__hash__", lambda _: 1)
    monkeypatch.setattr("providerkeys.providers.aws_access_key.AccessKey.__eq__", lambda *_: True)


def taking_a_wrong_clock_for_a_wrong_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, rules in ((bedrock, "IDENTITY_RULES"), (bedrock, "CONTROL_RULES"), (google_oauth, "_RULES")):
        kept: tuple[Rule, ...] = tuple(rule for rule in getattr(module, rules) if rule.reason != "clock")
        monkeypatch.setattr(module, rules, kept)


def letting_a_bad_row_speak_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_run, "_reason", lambda *_: "timeout")


CLOCK, SPOILED = test_chk_09_a_wrong_clock_judges_no_key_and_says_so, test_chk_09_one_bad_row_does_not_spoil_the_others


@controls(
    [
        *(Control(SPOILED, asking_about_one_key_for_all, {"scenario": bad}) for bad in ("wrong", "sts500")),
        *(
            Control(CLOCK, taking_a_wrong_clock_for_a_wrong_key, {"provider": provider, "off": timedelta(minutes=10)})
            for provider in ("bedrock", "google_vertex_ai")
        ),
        Control(test_chk_09_nor_does_one_that_gets_no_answer, letting_a_bad_row_speak_for_all),
        Control(test_chk_09_nor_does_one_that_cannot_be_opened, letting_a_bad_row_speak_for_all),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
