"""What stands for all tests of a module, so that it is made once: whatever a test does to it is undone at the test's end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction


@contextmanager
def standing(blocker: Any) -> Iterator[None]:
    """For a module's fixture that writes: a transaction in which each test's own one is a savepoint; undone at its end."""
    with blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
