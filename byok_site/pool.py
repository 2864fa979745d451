"""What PostgreSQL's pool does when a restart has ended its connections.

psycopg's pool tests a connection when it hands it out, and pauses after each dead one: not at all, then 1 s, then 2 s
(``AttemptWithBackoff`` in psycopg_pool 3.3). Who meets the third would be refused, with the server long back.
"""

from typing import TYPE_CHECKING, Any, cast

from django.db import DEFAULT_DB_ALIAS, connections

if TYPE_CHECKING:
    from django.db.backends.postgresql.base import DatabaseWrapper


def alive(candidate: Any) -> None:
    """The pool's ``check``: raises ``psycopg.Error`` for a dead connection, once the others that died with it are out."""
    from psycopg import Error  # noqa: PLC0415 -- on SQLite nobody needs it.

    pool = cast("DatabaseWrapper", connections[DEFAULT_DB_ALIAS]).pool
    try:
        pool.check_connection(candidate)
    except Error:
        pool.check()
        raise
