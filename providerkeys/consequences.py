"""What changes for API keys when provider keys do: pure, by the resolver alone.

A change is two lists of rows of one organization, before and after it. The API keys without a provider key of their own
get one answer between them, so that a thousand of them cost what one does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from providerkeys.resolver import Resolution, Row, Scope, resolve


@dataclass(frozen=True, slots=True)
class Key:
    """A provider key as the resolver needs it."""

    id: str
    name: str
    provider: str
    scope: str
    enabled: bool
    position: int
    readable: bool = True
    assigned_ids: frozenset[str] = frozenset()
    failing: bool = False
    """What its last test said: no reason not to serve, yet whoever is moved to it should know."""
    limited: str = ""
    """What limits it, as its last test said; empty where nothing does."""


class Kind(StrEnum):
    """What a change means for an API key."""

    LOSES = "loses"
    """Somebody served it, and nobody does any more."""
    MOVES = "moves"
    """Somebody else serves it first."""
    GAINS = "gains"
    """Nobody served it, and somebody does."""
    BACKED = "backed"
    """The same key serves it first, and the changed one steps in when that fails."""
    UNBACKED = "unbacked"
    """The same key serves it first, and the changed one doesn't step in any more."""


@dataclass(frozen=True, slots=True)
class Effect[R: Row]:
    """What a change means for one API key, and which provider keys serve it first.

    ``own`` says whether provider keys are assigned to the API key after it: then no organization-wide one steps in.
    ``ahead`` is how many are tried before the changed key, where that one is tried at all; ``alone`` says that who begins to
    serve it has nobody behind.
    """

    kind: Kind
    before: R | None
    after: R | None
    own: bool
    ahead: int = 0
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Group[R: Row]:
    """API keys for which a change means the same, by id, in the order in which they were asked for."""

    effect: Effect[R]
    api_key_ids: list[str]


class Serving[R: Row]:
    """Which of ``rows`` serve whom at ``provider``: the resolver's answers for any number of API keys."""

    def __init__(self, rows: Iterable[R], provider: str) -> None:
        self.rows = [row for row in rows if row.provider == provider]
        self._provider = provider
        self._own: dict[str, list[R]] = {}
        for row in self.rows:
            if row.scope == Scope.API_KEYS:
                for api_key_id in row.assigned_ids:
                    self._own.setdefault(api_key_id, []).append(row)
        self._shared = resolve((row for row in self.rows if row.scope == Scope.ORGANIZATION), "", provider)

    def of(self, api_key_id: str) -> Resolution[R]:
        """Who serves this API key; of those who don't, only the ones of its own tier are judged."""
        own = self._own.get(api_key_id)
        return resolve(own, api_key_id, self._provider) if own else self._shared

    @property
    def has_shared(self) -> bool:
        """Whether an organization-wide key would serve whoever has none of its own."""
        return bool(self._shared)

    def has_own(self, api_key_id: str) -> bool:
        """Whether provider keys are assigned to this API key, enabled or not."""
        return api_key_id in self._own

    def is_alone(self, api_key_id: str, key_id: str) -> bool:
        """Whether the key ``key_id`` serves this API key, and no other one would."""
        return [judged.row.id for judged in self.of(api_key_id).candidates] == [key_id]

    def first(self, api_key_id: str) -> R | None:
        resolution = self.of(api_key_id)
        return resolution.candidates[0].row if resolution else None


def consequences[R: Row](
    before: Serving[R], after: Serving[R], api_key_ids: Iterable[str], changed_id: str
) -> list[Group[R]]:
    """What it means that ``before`` becomes ``after`` by a change of the key ``changed_id``: the graver first."""
    groups: dict[tuple[Kind, str, str, bool, int, bool], Group[R]] = {}
    for api_key_id in api_key_ids:
        effect = _effect(before.of(api_key_id), after.of(api_key_id), changed_id, own=after.has_own(api_key_id))
        if effect:
            alike = (effect.kind, _id(effect.before), _id(effect.after), effect.own, effect.ahead, effect.alone)
            groups.setdefault(alike, Group(effect, [])).api_key_ids.append(api_key_id)
    return sorted(groups.values(), key=_place)


def _effect[R: Row](old: Resolution[R], new: Resolution[R], changed_id: str, *, own: bool) -> Effect[R] | None:
    was, becomes = _rows(old), _rows(new)
    before, after = next(iter(was), None), next(iter(becomes), None)
    if _id(before) != _id(after):
        kind = Kind.LOSES if not after else Kind.MOVES if before else Kind.GAINS
        return Effect(kind, before, after, own, alone=len(becomes) == 1)
    stood, stands = (_place_in(rows, changed_id) for rows in (was, becomes))
    if stands is not None and stood is None:
        return Effect(Kind.BACKED, before, after, own, stands)
    if stood is not None and stands is None:
        return Effect(Kind.UNBACKED, before, after, own, stood)
    return None


def _rows[R: Row](resolution: Resolution[R]) -> Sequence[R]:
    return [judged.row for judged in resolution.candidates]


def _place_in(rows: Sequence[Row], changed_id: str) -> int | None:
    return next((place for place, row in enumerate(rows) if row.id == changed_id), None)


def _id(row: Row | None) -> str:
    return row.id if row else ""


def _place[R: Row](group: Group[R]) -> tuple[int, str, str, str, str, int, bool]:
    before, after = group.effect.before, group.effect.after
    kind = list(Kind).index(group.effect.kind)
    return (
        kind,
        after.name if after else "",
        _id(after),
        before.name if before else "",
        _id(before),
        group.effect.ahead,
        group.effect.alone,
    )
