"""A rotated API key at the gateway: two secrets for a while, then one, in every process and with no broker anywhere."""

import json
from datetime import timedelta
from typing import Final

import pytest
import requests
import time_machine
from django.utils import timezone

from gateway.models import RequestRecord
from organizations import tokens
from organizations.access import Access
from organizations.models import ApiKey
from organizations.models.api_key import GRACE
from tests.fakeproviders.fixtures import CheckedProviders
from tests.gateway.conftest import Gateway, keep
from tests.gateway.processes import processes
from tests.processes import eventually

NOW: Final = timedelta(0)


@pytest.fixture
def issued(alice_access: Access) -> tuple[ApiKey, str]:
    key, plaintext = ApiKey.issue(alice_access, "production")
    keep(alice_access, api_keys=(key,))
    return key, plaintext


def records() -> list[tuple[int, str, str]]:
    return list(RequestRecord.objects.order_by("at").values_list("status", "reason", "api_key_hint"))


def unmistakable(answer: requests.Response) -> tuple[int, str, list[str]]:
    """All that a caller can tell an answer by; ids of requests and dates aside."""
    body = json.dumps(answer.json()).replace(answer.headers["x-request-id"], "")
    return answer.status_code, body, sorted(name for name in answer.headers if name != "date")


def test_both_secrets_serve_by_the_same_provider_key_until_the_old_ones_end(
    gateway: Gateway, alice_access: Access, issued: tuple[ApiKey, str]
) -> None:
    key, old = issued
    old_hint, new = key.hint, key.rotate_secret(alice_access, 1, GRACE)
    served = [gateway.post(each) for each in (old, new)]
    assert [answer.status_code for answer in served] == [200, 200]
    assert len({answer.headers["x-byok-provider-key"] for answer in served}) == 1

    # Known to the gateway's memory by now: the end holds there too, to the second.
    with time_machine.travel(timezone.now() + GRACE + timedelta(seconds=1), tick=True):
        assert [gateway.post(each).status_code for each in (old, new)] == [401, 200]
        gateway.record()
    assert records() == [
        (200, "", old_hint),
        (200, "", key.hint),
        (401, "api_key_rotated", old_hint),
        (200, "", key.hint),
    ]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_an_old_secret_after_its_end_is_answered_as_an_unknown_one_is(
    gateway: Gateway, alice_access: Access, issued: tuple[ApiKey, str], path: str
) -> None:
    key, old = issued
    key.rotate_secret(alice_access, 1, NOW)
    ended, unknown = gateway.post(old, path), gateway.post(tokens.mint("byok_").plaintext, path)
    assert unmistakable(ended) == unmistakable(unknown)
    assert ended.status_code == 401
    # Nor does it say anything of a key that can't be used.
    key.disable(alice_access)
    gateway.forget()
    assert unmistakable(gateway.post(old, path)) == unmistakable(unknown)


def test_a_second_rotation_ends_the_oldest_secret_at_once(
    gateway: Gateway, alice_access: Access, issued: tuple[ApiKey, str]
) -> None:
    key, oldest = issued
    old = key.rotate_secret(alice_access, 1, GRACE)
    new = key.rotate_secret(alice_access, 2, GRACE)
    assert [gateway.post(each).status_code for each in (oldest, old, new)] == [401, 200, 200]


def test_disabling_stops_both_and_says_so(gateway: Gateway, alice_access: Access, issued: tuple[ApiKey, str]) -> None:
    key, old = issued
    new = key.rotate_secret(alice_access, 1, GRACE)
    key.disable(alice_access)
    assert {gateway.post(each).json()["error"]["code"] for each in (old, new)} == {"api_key_disabled"}


def test_an_expired_key_is_told_so_in_its_callers_dialect(gateway: Gateway, alice_access: Access) -> None:
    _, plaintext = ApiKey.issue(alice_access, "old", timezone.now() + timedelta(minutes=1))
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=True):
        openai, anthropic = gateway.post(plaintext), gateway.post(plaintext, "/v1/messages")
        gateway.record()
    assert (openai.status_code, anthropic.status_code) == (401, 401)
    assert openai.json()["error"]["code"] == "api_key_expired"
    assert anthropic.json()["error"] == {"type": "authentication_error", "message": "This API key has expired."}
    assert {reason for _, reason, _ in records()} == {"api_key_expired"}


@pytest.mark.long
def test_now_holds_within_five_seconds_in_every_process(
    db: None, providers: CheckedProviders, alice_access: Access, issued: tuple[ApiKey, str]
) -> None:
    key, old = issued
    with processes(providers.base_urls, 2) as running:
        assert [one.ask(old)[0] for one in running] == [200, 200]
        new = key.rotate_secret(alice_access, 1, NOW)
        eventually(lambda: [one.ask(old)[0] for one in running] == [401, 401], 5)
        eventually(lambda: [one.ask(new)[0] for one in running] == [200, 200], 5)
