"""What the running product's database holds, read beside it as whoever copies the file would read it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.product import Product


class Database:
    def __init__(self, product: Product) -> None:
        self._file: Path = product.data_dir / "db.sqlite3"

    def one(self, question: str, *given: Any) -> Any:
        """The first column of the first row; ``None`` when there is no row."""
        with closing(self._open()) as connection:
            row = connection.execute(question, given).fetchone()
        return row[0] if row else None

    def key(self, name: str, slug: str) -> dict[str, Any]:
        """The row of the provider key ``name`` of an organization."""
        with closing(self._open()) as connection:
            connection.row_factory = sqlite3.Row
            row = connection.execute(
                "SELECT k.* FROM providerkeys_providerkey k JOIN organizations_organization o ON o.id = k.organization_id"
                " WHERE k.name = ? AND o.slug = ?",
                (name, slug),
            ).fetchone()
        return dict(row)

    def regions(self, name: str, slug: str) -> dict[str, dict[str, Any]]:
        """The rows of the regions of the provider key ``name``, by region, in their order."""
        with closing(self._open()) as connection:
            connection.row_factory = sqlite3.Row
            rows = connection.execute(
                "SELECT * FROM providerkeys_bedrockregion WHERE provider_key_id = ? ORDER BY position",
                (self.key(name, slug)["id"],),
            ).fetchall()
        return {row["region"]: dict(row) for row in rows}

    def check(self, check: str) -> dict[str, Any]:
        """The row of a check."""
        with closing(self._open()) as connection:
            connection.row_factory = sqlite3.Row
            return dict(
                connection.execute("SELECT * FROM providerkeys_credentialcheck WHERE id = ?", (check,)).fetchone()
            )

    def lasted(self, check: str) -> float:
        """Seconds from the press to the end of a check."""
        row = self.check(check)
        begun, ended = (datetime.fromisoformat(row[name]) for name in ("created_at", "finished_at"))
        return (ended - begun).total_seconds()

    def audited(self, action: str, target: str) -> int:
        """How many audit events say that ``action`` was done to ``target``."""
        count: int = self.one(
            "SELECT count(*) FROM organizations_auditevent WHERE action = ? AND target_id = ?", action, target
        )
        return count

    def is_free(self) -> bool:
        """Whether somebody who wants to write now need not wait for long."""
        with closing(sqlite3.connect(self._file, isolation_level=None, timeout=0.2)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            connection.execute("ROLLBACK")
            return True

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else can write for the length of a ``with`` block."""
        with closing(sqlite3.connect(self._file, isolation_level=None, timeout=10)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{self._file.as_uri()}?mode=ro", uri=True, timeout=10)
