"""What a whole secret looks like: every provider's, ours, whatever stands around it; and nothing that people search for."""

import json
import time
from functools import cache

import pytest

from organizations import tokens
from organizations.ids import new_id
from organizations.models.api_key import PREFIX
from providerkeys.providers import whole_keys
from tests.fakeproviders import samples
from tests.fakeproviders.access_keys import halves


@cache
def fresh_keys(provider: str) -> list[str]:
    """Enough of them that a rare character comes up. A service account's has to be computed, so they are made once."""
    return [samples.fresh_key(provider, "good") for _ in range(20)]


@pytest.mark.parametrize("provider", samples.PROVIDERS)
@pytest.mark.parametrize("around", ["{}", "  {} ", '"{}"', "export THE_KEY={}", "Authorization: Bearer {}"])
def test_every_providers_is_found(provider: str, around: str) -> None:
    for key in fresh_keys(provider):
        assert whole_keys.holds_one(around.format(key))


def test_every_wrong_kind_is_found() -> None:
    missed = [
        what
        for provider in samples.KEYED
        for key, what in samples.wrong_kinds(provider).items()
        if not whole_keys.holds_one(key)
    ]
    assert missed == []


def test_half_an_access_key_is_found() -> None:
    key_id, secret = halves(samples.key("bedrock", "good"))

    assert whole_keys.holds_one(key_id)
    assert whole_keys.holds_one(secret)
    assert whole_keys.holds_one(f"AWS_SECRET_ACCESS_KEY={secret}")


def test_ours_are_found() -> None:
    for _ in range(200):
        assert whole_keys.holds_one(tokens.mint(PREFIX).plaintext)
        assert whole_keys.holds_one(tokens.mint("byokc_").plaintext)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "production",
        "sk-proj",
        "sk-proj-…AbCd",
        "sk-ant-api03-…xQ4A",
        "byok_…7Qd2",
        "AKIA…7Q2M",
        "AbCd",
        "byok@acme-eu-analytics.iam.gserviceaccount.com",
        "us-east-1, eu-central-1",
        "desk-20260114-berlin-office-3",
        "xai-team-of-2026 (Berlin)",
        "an-api-key-with-a-really-long-name-that-cannot-fit-2",
        "Schlüssel für die Abteilung 4711",
        "a" * 100,
        "internationalisierungsbeauftragte",
    ],
)
def test_what_people_search_for_is_none(text: str) -> None:
    assert not whole_keys.holds_one(text)


@pytest.mark.parametrize("kind", ["pk", "key", "org", "chk", "user"])
def test_an_id_of_the_console_is_none(kind: str) -> None:
    assert not any(whole_keys.holds_one(new_id(kind)) for _ in range(500))


@pytest.mark.parametrize("piece", ["sk-", "a", "a1", "a.", "sk-a-", "-----BEGIN ", "1"])
def test_a_long_text_takes_no_longer_than_it_is_long(piece: str) -> None:
    began = time.process_time()

    whole_keys.holds_one(piece * 50_000)

    assert time.process_time() - began < 1


def test_browsers_read_the_expressions_alike() -> None:
    """Nothing in them that JavaScript has not, or takes for something else."""
    for pattern in json.loads(json.dumps(whole_keys.patterns())):
        assert not any(foreign in pattern for foreign in ("(?P", r"\A", r"\Z", "(?#", "(?i", "(?s", "(?m", "(?>", "++"))
