"""The columns of the tables: an input, the forms that it can reach, and its outcome to the letter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

CREATE: Final = "create"
EDIT: Final = "edit"
TEST_NEW: Final = "test of a new key"
TEST_STORED: Final = "test of a stored key"
SAVES: Final = (CREATE, EDIT)
TESTS: Final = (TEST_NEW, TEST_STORED)
NEW: Final = (CREATE, TEST_NEW)
STORED: Final = (EDIT, TEST_STORED)
EVERY_FORM: Final = (*SAVES, *TESTS)


@dataclass(frozen=True)
class Refused:
    """Says this sentence at the field ``at`` (as its element is named), and nothing else happens."""

    says: str
    at: str


@dataclass(frozen=True)
class Cleaned:
    """Is taken as ``to``: that is what is stored, or tested."""

    to: str = field(repr=False)


@dataclass(frozen=True)
class Hinted(Cleaned):
    """Is taken too, and a test says at once that it looks unusual."""

    says: str


@dataclass(frozen=True)
class Input:
    """``name`` says what it is; ``fields`` is what is sent in the place of good fields.

    ``secret``: what of it no answer may show; unsaid, all that is sent in a field for secrets. ``variant``: another
    spelling of what stands above it, which goes to some of the forms, in one of the two ways.
    """

    name: str
    fields: Mapping[str, Any] = field(repr=False)
    outcome: Refused | Cleaned
    provider: str = "openai"
    forms: tuple[str, ...] = EVERY_FORM
    secret: tuple[str, ...] | None = field(default=None, repr=False)
    variant: bool = False

    @property
    def id(self) -> str:
        """The name of the test."""
        return self.name
