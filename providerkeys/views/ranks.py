"""In which order keys of one tier are tried, in words: said only where there is more than one to try."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from django.db.models import Q

from organizations.access import Access
from providerkeys.badges import Rank
from providerkeys.models import KeyAssignment, ProviderKey
from providerkeys.resolver import Scope

# Enough for any organization that orders its keys by hand; beyond it a rank is left out, so that a page stays cheap.
_MOST_RIVALS: Final = 1000

type Line = tuple[str, str]
"""Those who stand in one line: a provider, and the id of the API key that asks for it (empty: any other one)."""


def ranks(access: Access, keys: Sequence[ProviderKey]) -> dict[str, Rank]:
    """The ranks of those of ``keys`` that share a line with others, by key id. One query."""
    lines = _lines(access, keys)
    named = {key.pk: {one.api_key_id: one.api_key.name for one in key.assignments.all()} for key in keys}
    found = {key.pk: _rank(key, named[key.pk], lines) for key in keys}
    return {pk: rank for pk, rank in found.items() if rank}


def _lines(access: Access, keys: Sequence[ProviderKey]) -> Mapping[Line, list[str]]:
    """Who is tried, in order. A key that can't serve stands in no line."""
    asking = KeyAssignment.objects.filter(provider_key__in=[key.pk for key in keys]).values("api_key")
    rivals = (
        access.all(ProviderKey)
        .filter(provider__in={key.provider for key in keys}, enabled=True, unreadable_at=None)
        .filter(Q(scope=Scope.ORGANIZATION) | Q(scope=Scope.API_KEYS, assignments__api_key__in=asking))
        .order_by("position")
        .values_list("pk", "provider", "assignments__api_key")
    )
    lines: dict[Line, list[str]] = defaultdict(list)
    for pk, provider, api_key in rivals[:_MOST_RIVALS]:
        lines[provider, api_key or ""].append(pk)
    return lines


def _rank(key: ProviderKey, api_keys: Mapping[str, str], lines: Mapping[Line, list[str]]) -> Rank | None:
    if key.scope == Scope.ORGANIZATION:
        place = _place(key, lines.get((key.provider, ""), []))
        return Rank(place, _sentence(place)) if place else None
    places = {name: _place(key, lines.get((key.provider, pk), [])) for pk, name in api_keys.items()}
    best = min(filter(None, places.values()), default=0)
    if not best:
        return None
    there = [name for name, place in places.items() if place == best]
    return Rank(best, _sentence(best, [] if len(there) == len(places) else there))


def _place(key: ProviderKey, line: Sequence[str]) -> int:
    """The key's place in a line of several; 0 where it stands alone or not at all."""
    return line.index(key.pk) + 1 if len(line) > 1 and key.pk in line else 0


def _sentence(place: int, only_for: Sequence[str] = ()) -> str:
    whom = f" for {_some(only_for)}" if only_for else ""
    if place == 1:
        return f"first{whom}" if whom else "tried first"
    before = [str(number) for number in range(1, place)]
    others = before[0] if place == 2 else " and ".join(before) if place == 3 else f"1–{place - 1}"
    return f"only when {others} {'fails' if place == 2 else 'fail'}{whom}"


def _some(names: Iterable[str]) -> str:
    first, *more = names
    return f"{first} and {len(more)} more" if more else first
