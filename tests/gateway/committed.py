"""A database that other threads see: what a test writes is committed, and gone at its end.

pytest-django's ``transactional_db`` does the same in ten times the time: it flushes every table by itself and then makes
content types and permissions anew.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.db import connection, transaction

COMMITTED: Final = "committed"
"""The value of this module's ``db``, by which it is told from pytest-django's."""

_STAYS: Final = frozenset({"django_migrations", "django_content_type", "auth_permission"})


@pytest.fixture
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """In the place of pytest-django's fixture of this name: the cast of ``tests.cast`` comes by it."""
    with django_db_blocker.unblock():
        yield COMMITTED
        empty()
        connection.close()


def empty() -> None:
    """Delete every row that a test can have made, at one go."""
    tables = [name for name in connection.introspection.django_table_names(only_existing=True) if name not in _STAYS]
    with transaction.atomic(), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
