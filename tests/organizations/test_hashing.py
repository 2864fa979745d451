"""Wrong passwords by the hundred slow nobody's pages."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from axes.models import AccessLog
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password, identify_hasher, make_password
from django.test import Client
from pytest_django import Settings

from organizations import hashing
from organizations.hashing import AT_ONCE, WAITING, BoundedPBKDF2PasswordHasher, TooManyPasswords
from organizations.models import User
from tests.cast import PASSWORD
from tests.processes import eventually


class Crowd:
    """Stands where the hash is made: counts who is there at once, and lets nobody go before it is told to."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self.open = threading.Event()
        self._lock = threading.Lock()

    def encode(self, *_: object) -> str:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        assert self.open.wait(10)
        with self._lock:
            self.inside -= 1
        return "hashed"


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Crowd:
    found = Crowd()
    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", found.encode)
    return found


def hashes(crowd: Crowd, many: int, refused: int) -> list[type[BaseException]]:
    """Have ``many`` made at once, and let those in who are, once ``refused`` were sent away. The refusals."""
    hasher = BoundedPBKDF2PasswordHasher()
    with ThreadPoolExecutor(many) as threads:
        made = [threads.submit(hasher.encode, "a", "b") for _ in range(many)]
        try:
            eventually(lambda: sum(one.done() for one in made) == refused, 5)
        finally:
            crowd.open.set()
        return [type(error) for one in made if (error := one.exception(10))]


def test_only_some_at_once_and_a_few_more_wait(crowd: Crowd) -> None:
    assert hashes(crowd, AT_ONCE + WAITING + 10, refused=10) == [TooManyPasswords] * 10
    assert crowd.most == AT_ONCE


def test_who_waits_too_long_is_sent_away(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "WAIT_SECONDS", 0.05)
    assert hashes(crowd, AT_ONCE + 1, refused=1) == [TooManyPasswords]


@pytest.mark.long
def test_it_is_djangos_own_hash(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["organizations.hashing.BoundedPBKDF2PasswordHasher"]
    encoded = make_password("a sample")
    assert identify_hasher(encoded).algorithm == "pbkdf2_sha256"
    assert check_password("a sample", encoded)
    assert not check_password("another", encoded)


def test_a_login_in_the_crowd_is_told_to_come_back(
    client: Client, alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PASSWORD_HASHERS = [
        "organizations.hashing.BoundedPBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    monkeypatch.setattr(hashing, "_room", threading.BoundedSemaphore(1))
    hashing._room.acquire()
    client.raise_request_exception = False
    answer = client.post("/login/", {"username": "nobody@acme.example", "password": "wrong"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")


def test_a_login_leaves_nothing_that_nobody_prunes(client: Client, alice: User) -> None:
    client.post("/login/", {"username": alice.email, "password": PASSWORD})
    assert not AccessLog.objects.exists()
