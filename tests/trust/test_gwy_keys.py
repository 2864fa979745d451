"""GWY-01…04, 09: API keys can't be guessed or felt out, are stored as a digest, shown once, and cost nothing when mistyped."""

import hashlib
import hmac
import re
import sys
import time
from collections.abc import Callable
from statistics import median
from types import FrameType
from typing import Any, Final

import pytest
from django.db import connection

from gateway import authenticate
from gateway import db as database
from organizations import ids, tokens
from organizations.access import Access
from organizations.models import ApiKey
from tests.providerkeys.conftest import Console, alices, text
from tests.trust.controls import Control, controls
from tests.trust.gwy import ROUTES, Gateway, api_key, ask, code, counting_queries, db

MADE: Final = 2000
FORMAT: Final = re.compile(r"byok_(?P<lookup>[0-9A-Za-z]{12})(?P<secret>[0-9A-Za-z]{32})(?P<checksum>[0-9A-Za-z]{6})")


# GWY-01


def test_gwy_01_a_key_cannot_be_guessed() -> None:
    """190 random bits: as many characters as that takes, each of them from the whole alphabet, none of them twice."""
    made = [FORMAT.fullmatch(tokens.mint("byok_").plaintext) for _ in range(MADE)]
    parts = [found["secret"] for found in made if found]
    assert len(parts) == len(set(parts)) == MADE
    for place in zip(*parts, strict=True):
        assert len(set(place)) == 62
    assert len({found["lookup"] for found in made if found}) == MADE


def test_gwy_01_a_mistyped_key_is_told_from_a_wrong_one() -> None:
    """Each character counts: one that is changed, left out or swapped makes it none."""
    key = tokens.mint("byok_").plaintext
    assert tokens.lookup_of("byok_", key)
    for at in range(5, len(key)):
        other = "a" if key[at] != "a" else "b"
        for mistyped in (key[:at] + other + key[at + 1 :], key[:at] + key[at + 1 :], key[:at] + other + key[at:]):
            assert tokens.lookup_of("byok_", mistyped) is None


# GWY-02


def test_gwy_02_what_is_stored_is_a_digest(db: None, alice_access: Access) -> None:
    key, plaintext = ApiKey.issue(alice_access, "production")
    assert key.digest == hashlib.sha256(plaintext.encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {ApiKey._meta.db_table}")
        stored = str(cursor.fetchall())
    secret = plaintext[17:]
    assert not [part for part in (secret[at : at + 8] for at in range(len(secret) - 7)) if part in stored]


def test_gwy_02_it_is_compared_in_constant_time(
    db: None, alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every comparison goes one way, whether there is something to compare with or not."""
    _, plaintext = ApiKey.issue(alice_access, "production")
    body = plaintext[5:17] + "0" * 32
    wrong = f"byok_{body}{tokens._checksum(body)}"
    compared = list[tuple[int, int]]()
    honest = hmac.compare_digest

    def compare(one: Any, other: Any) -> bool:
        compared.append((len(one), len(other)))
        return honest(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    found = [ApiKey.find(given) for given in (plaintext, wrong, tokens.mint("byok_").plaintext)]
    assert [one is not None for one in found] == [True, False, False]
    assert compared == [(64, 64), (64, 64), (64, 0)]


# GWY-03


def test_gwy_03_it_is_shown_once(db: None, alices: Console) -> None:
    answer = alices.post("api-keys/new/", {"name": "ci", "expiration": ""})
    key = ApiKey.objects.get()
    (plaintext,) = set(FORMAT.finditer(text(answer)))
    assert ApiKey.find(plaintext[0]) == key
    assert "no-store" in answer.headers["Cache-Control"]
    for path in ("api-keys/", "api-keys/new/", f"api-keys/{key.pk}/"):
        page = text(alices.get(path))
        assert plaintext["secret"][:8] not in page
        assert plaintext["secret"][-8:] not in page


# GWY-04


@pytest.mark.parametrize("name", ["Authorization", "x-api-key"])
def test_gwy_04_a_wrong_checksum_costs_no_query(gateway: Gateway, api_key: str, name: str) -> None:
    """At any route; a key that was never made costs one."""
    wrong = api_key[:-1] + ("0" if api_key[-1] != "0" else "1")
    prefix = "Bearer " if name == "Authorization" else ""
    with counting_queries() as sent:
        for _, path in ROUTES:
            assert code(ask(gateway, {name: prefix + wrong}, path))[0] == 401
        assert sent == []
        unknown = tokens.mint("byok_").plaintext
        assert code(ask(gateway, {name: prefix + unknown})) == (401, "invalid_api_key")
        assert len(sent) == 1


# GWY-09

# Of the secret's characters so many are right.
RIGHT: Final = (0, 1, 8, 16, 31)
TURNS: Final = 60


def test_gwy_09_right_first_characters_take_no_other_way(
    db: None, alice_access: Access, record_property: Callable[[str, object], None]
) -> None:
    """Whoever knows a look-up part learns nothing about the secret: what runs is the same, call by call. Times are printed."""
    _, plaintext = ApiKey.issue(alice_access, "production")
    guesses = {right: _guess(plaintext, right) for right in RIGHT}
    assert [ApiKey.find(guess) for guess in guesses.values()] == [None] * len(RIGHT)
    ways = [_way(guess) for guess in guesses.values()]
    assert all(way == ways[0] for way in ways)
    times = {right: list[int]() for right in RIGHT}
    for _ in range(TURNS):
        for right, guess in guesses.items():
            started = time.perf_counter_ns()
            ApiKey.find(guess)
            times[right].append(time.perf_counter_ns() - started)
    told = ", ".join(f"{right} right: {median(times[right]) / 1000:.0f} µs" for right in RIGHT)
    record_property("printed", f"GWY-09, medians of {TURNS}: {told}")


def _guess(plaintext: str, right: int) -> str:
    """A well-formed key with the same look-up part, and so many right characters before the first wrong one."""
    secret = plaintext[17:49]
    wrong = "".join("a" if character != "a" else "b" for character in secret[right:])
    body = plaintext[5:17] + secret[:right] + wrong
    return f"byok_{body}{tokens._checksum(body)}"


def _way(guess: str) -> list[str]:
    """Every function that is called, Python's own ones too, while somebody looks up ``guess``."""
    called = list[str]()

    def note(frame: FrameType, event: str, given: Any) -> None:
        if event in {"call", "c_call"}:
            called.append(given.__name__ if event == "c_call" else frame.f_code.co_qualname)

    sys.setprofile(note)
    try:
        ApiKey.find(guess)
    finally:
        sys.setprofile(None)
    return called


# Defects


def few_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = ids.random_base62
    monkeypatch.setattr(tokens, "random_base62", lambda length: honest(length).lower())


def a_constant_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "random_base62", lambda length: "0" * length)


def a_short_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "SECRET_LENGTH", 16)


def no_checksum(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = tokens._checksum
    monkeypatch.setattr(tokens, "_checksum", lambda body: honest("" * len(body)))


def the_key_as_its_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "digest", lambda plaintext: plaintext)


def comparing_as_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "matches", lambda plaintext, stored: tokens.digest(plaintext) == stored)


def comparing_up_to_the_first_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_same(one: str, other: str) -> bool:
        return one == other

    the_key_as_its_digest(monkeypatch)
    monkeypatch.setattr(tokens, "matches", lambda given, stored: bool(stored) and all(map(is_same, given, stored)))


def a_hint_that_tells_all(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = tokens.mint

    def mint(prefix: str) -> tokens.Token:
        token = honest(prefix)
        return tokens.Token(token.plaintext, token.lookup, token.digest, hint=token.plaintext[-20:])

    monkeypatch.setattr(tokens, "mint", mint)


def asking_the_database_first(monkeypatch: pytest.MonkeyPatch) -> None:
    async def authenticated(headers: list[tuple[bytes, bytes]]) -> Any:
        found = await database.run(lambda: ApiKey.objects.filter(lookup="x").first())
        if found is None:
            raise authenticate._unknown()

    monkeypatch.setattr("gateway.app.authenticate", authenticated)


@controls(
    [
        Control(test_gwy_01_a_key_cannot_be_guessed, few_letters),
        Control(test_gwy_01_a_key_cannot_be_guessed, a_constant_secret),
        Control(test_gwy_01_a_key_cannot_be_guessed, a_short_secret),
        Control(test_gwy_01_a_mistyped_key_is_told_from_a_wrong_one, no_checksum),
        Control(test_gwy_02_what_is_stored_is_a_digest, the_key_as_its_digest),
        Control(test_gwy_02_what_is_stored_is_a_digest, a_hint_that_tells_all),
        Control(test_gwy_02_it_is_compared_in_constant_time, comparing_as_texts),
        Control(test_gwy_03_it_is_shown_once, a_hint_that_tells_all),
        Control(test_gwy_09_right_first_characters_take_no_other_way, comparing_up_to_the_first_difference),
        *(
            Control(test_gwy_04_a_wrong_checksum_costs_no_query, asking_the_database_first, {"name": name})
            for name in ("Authorization", "x-api-key")
        ),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)


__all__ = ["alices", "api_key", "db"]
