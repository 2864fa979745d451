"""Which provider key serves an API key, and why the others don't: one pure function for the gateway and every page.

It takes loaded rows and returns candidates and reasons; it asks no database. The rules (architecture.md, "Assignment
and resolution"): a provider key that is assigned to the API key, enabled or not, shuts out the organization-wide
ones, so traffic never spills to another account; verdicts never matter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Scope(StrEnum):
    """For whom a provider key serves. Stored explicitly, never inferred from an empty list."""

    ORGANIZATION = "organization"
    API_KEYS = "api_keys"


class Why(StrEnum):
    """The reason for which a provider key serves or doesn't."""

    ASSIGNED = "assigned to this API key"
    ORGANIZATION_WIDE = "organization-wide"
    DISABLED = "disabled"
    UNREADABLE = "unreadable"
    ASSIGNED_TO_OTHERS = "assigned to other API keys"
    UNASSIGNED = "unassigned"
    SHADOWED = "another key is assigned to this API key"


class Row(Protocol):
    """What the resolver needs to know of a provider key."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def position(self) -> int: ...
    @property
    def readable(self) -> bool: ...
    @property
    def assigned_ids(self) -> frozenset[str]:
        """The ids of the API keys that it is assigned to."""


@dataclass(frozen=True, slots=True)
class Judged[R: Row]:
    """A provider key and why it serves or doesn't."""

    row: R
    why: Why


@dataclass(frozen=True, slots=True)
class Resolution[R: Row]:
    """The answer for one API key and one provider: who serves, in order, and why the others don't.

    It is falsy when nobody serves; ``refusal`` is then the reason that a caller is told.
    """

    candidates: tuple[Judged[R], ...]
    others: tuple[Judged[R], ...]

    def __bool__(self) -> bool:
        return bool(self.candidates)

    @property
    def refusal(self) -> Why | None:
        """Why nobody serves: the reason of the tier that was asked, or ``None`` when somebody does or nothing exists.

        ``DISABLED`` means that none of the tier is enabled: beside an enabled key that can't be read, it is that one.
        """
        if self.candidates:
            return None
        reasons = [judged.why for judged in self.others]
        return Why.UNREADABLE if Why.UNREADABLE in reasons else next(iter(reasons), None)


def resolve[R: Row](rows: Iterable[R], api_key_id: str, provider: str) -> Resolution[R]:
    """Judge every provider key of ``provider`` among ``rows``, which are all of one organization."""
    ordered = sorted((row for row in rows if row.provider == provider), key=lambda row: row.position)
    assigned = [row for row in ordered if row.scope == Scope.API_KEYS and api_key_id in row.assigned_ids]
    tier = assigned or [row for row in ordered if row.scope == Scope.ORGANIZATION]
    asked = {row.id for row in tier}
    why = Why.ASSIGNED if assigned else Why.ORGANIZATION_WIDE
    judged = [Judged(row, _why_not(row) or why) for row in tier]
    left = [Judged(row, _why_outside(row)) for row in ordered if row.id not in asked]
    return Resolution(
        tuple(one for one in judged if one.why == why), (*(one for one in judged if one.why != why), *left)
    )


def _why_not(row: Row) -> Why | None:
    if not row.enabled:
        return Why.DISABLED
    return None if row.readable else Why.UNREADABLE


def _why_outside(row: Row) -> Why:
    if row.scope == Scope.ORGANIZATION:
        return Why.SHADOWED
    return Why.ASSIGNED_TO_OTHERS if row.assigned_ids else Why.UNASSIGNED
