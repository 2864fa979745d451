"""Passwords are hashed a few at a time: whoever sends wrong ones by the hundred slows nobody's pages.

A hash is half a second of processor time by design (Django's iterations), and each request has a thread of its own.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Final, override

from django.contrib.auth.hashers import PBKDF2PasswordHasher

AT_ONCE: Final = max((os.cpu_count() or 1) // 2, 1)
WAITING: Final = 20
WAIT_SECONDS: Final = 10.0

_turn = BoundedSemaphore(AT_ONCE)
_room = BoundedSemaphore(AT_ONCE + WAITING)


class TooManyPasswords(Exception):
    """More passwords wait to be hashed than can be within a few seconds. It passes by itself."""


class BoundedPBKDF2PasswordHasher(PBKDF2PasswordHasher):
    """Django's hasher, for at most half of the processors at once. Raises ``TooManyPasswords``."""

    @override
    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with _in_turn():
            return super().encode(password, salt, iterations)


@contextmanager
def _in_turn() -> Iterator[None]:
    if not _room.acquire(blocking=False):
        raise TooManyPasswords
    try:
        if not _turn.acquire(timeout=WAIT_SECONDS):
            raise TooManyPasswords
        try:
            yield
        finally:
            _turn.release()
    finally:
        _room.release()
