"""AWS Bedrock's own manners: what is signed for which region, and what is known of a paste before any call."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from providerkeys.providers import aws_access_key, aws_requests, http, registry
from providerkeys.providers.aws_access_key import AccessKey
from providerkeys.providers.base import Credential, Request
from providerkeys.providers.refusals import Refused
from tests.fakeproviders import samples
from tests.fakeproviders.access_keys import halves
from tests.fakeproviders.fixtures import CheckedProviders

Ask = Callable[[str, str], str]

_GOOD = samples.key("bedrock", "good")
_ID, _SECRET = halves(_GOOD)


# Hosts and signatures.


def test_no_request_shows_a_part_of_the_secret() -> None:
    key = AccessKey(_ID, _SECRET)
    for request in (aws_requests.who_am_i(key, "us-east-1"), aws_requests.list_models(key, "us-east-1")):
        sent = " ".join([request.path, request.body.decode(), *request.headers.values()])
        assert not any(_SECRET[start : start + 8] in sent for start in range(len(_SECRET) - 7))
        assert _ID not in repr(request)


@pytest.mark.parametrize("setting", ["eu-west-1", "us-west-2"])
def test_a_global_row_signs_for_the_chosen_region(settings: Settings, ask: Ask, setting: str) -> None:
    settings.BEDROCK_GLOBAL_REGION = setting
    reason = ask("bedrock", samples.key("bedrock", "global"))
    assert reason == f"accepted@{setting}"
    assert registry.get("bedrock").reason(reason).sentence.endswith(f"Tested in {setting}.")


def test_a_global_row_says_where_it_was_not_reached(settings: Settings, providers: CheckedProviders) -> None:
    settings.PROVIDER_BASE_URLS = providers.base_urls
    providers.down("aws_sts")
    reason = registry.get("bedrock").check(Credential(_GOOD, {"region": "global"}), http.send)
    assert reason == "connect@us-east-1"
    assert registry.get("bedrock").verdict(reason) == "unreachable"


@pytest.mark.parametrize("name", ["aws_sts", "bedrock"])
def test_each_service_that_is_down_judges_nothing(ask: Ask, providers: CheckedProviders, name: str) -> None:
    providers.down(name)
    assert registry.get("bedrock").verdict(ask("bedrock", _GOOD)) == "unreachable"


@pytest.mark.parametrize(
    ("scenario", "name", "asked"),
    [("mistyped", "aws_sts", 2), ("thenmismatch", "bedrock", 2), ("wrong", "aws_sts", 1), ("late", "aws_sts", 1)],
)
def test_only_a_mismatch_is_asked_again(
    ask: Ask, providers: CheckedProviders, scenario: str, name: str, asked: int
) -> None:
    key = samples.fresh_key("bedrock", scenario)
    ask("bedrock", key)
    assert len(providers.requests(name=name, credential=halves(key)[0])) == asked


def test_the_stand_in_verifies_the_signature_over_the_host(settings: Settings, providers: CheckedProviders) -> None:
    settings.PROVIDER_BASE_URLS = providers.base_urls
    signed = aws_requests.list_models(AccessKey(_ID, _SECRET), "us-east-1")
    elsewhere = aws_requests.CONTROL["eu-west-1"]
    right = http.send(signed)
    wrong = http.send(Request(elsewhere, signed.path, signed.headers))
    assert (right.status, wrong.status) == (200, 403)


_REASONS = {
    "optin": "region_disabled",
    "regiondisabled": "region_disabled",
    "subscription": "subscription",
    "optinrequired400": "subscription",
    "nolist": "may_not_list",
    "policy": "policy",
    "usecase": "use_case",
    "agreement": "agreement",
    "throttled": "rate_limited",
    "throttledsts": "rate_limited",
    "quota": "quota",
    "mistyped": "secret_mismatch",
    "thenmismatch": "secret_mismatch",
    "wrong": "unknown_id",
    "expired": "expired",
    "late": "clock",
    "early": "clock",
    "thenlate": "clock",
    "requestexpired": "clock",
    "root": "accepted_root",
    "error500": "server_error",
    "notready": "model_busy",
    "odd403": "unexpected",
}


@pytest.mark.parametrize("scenario", _REASONS)
def test_the_next_step_fits_the_answer(ask: Ask, scenario: str) -> None:
    assert ask("bedrock", samples.key("bedrock", scenario)) == _REASONS[scenario]


# What is known of a paste; what the forms say of it: the family INP.


@given(st.text(max_size=200))
def test_any_text_is_taken_or_refused_and_never_quoted(pasted: str) -> None:
    for cleaner in (aws_access_key.clean_id, aws_access_key.clean_secret):
        taken, refusal = _outcome(cleaner, pasted)
        assert taken in pasted
        assert bool(taken) is not bool(refusal)
        assert not _quotes(pasted, refusal)


def _outcome(cleaner: Callable[[str], str], pasted: str) -> tuple[str, str]:
    try:
        return cleaner(pasted), ""
    except Refused as refused:
        return "", str(refused)


def test_halves_show_in_no_repr() -> None:
    shown = repr(AccessKey(_ID, _SECRET))
    assert _ID not in shown
    assert _SECRET not in shown


def test_what_is_stored_is_read_back() -> None:
    assert AccessKey.read(AccessKey(_ID, _SECRET).stored) == AccessKey(_ID, _SECRET)
    assert AccessKey(_ID, _SECRET).stored == _GOOD


def _quotes(pasted: str, text: str) -> bool:
    # Windows of letters and digits: a run of blanks or stars is nobody's secret.
    windows = {pasted[start : start + 8] for start in range(len(pasted) - 7)}
    return any(window in text for window in windows if window.isalnum())
