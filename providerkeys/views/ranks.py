"""In which order keys of one tier are tried, in words: said only where there is more than one to try."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from django.db import models
from django.db.models import Value

from organizations.access import Access
from providerkeys.badges import Rank
from providerkeys.models import KeyAssignment, ProviderKey
from providerkeys.resolver import Scope

# Enough for any organization that orders its keys by hand; beyond it ranks are left out, so that a page stays cheap.
_MOST_RIVALS: Final = 1000

type Line = tuple[str, str]
"""Those who stand in one line: a provider, and the id of the API key that asks for it (empty: any other one)."""


def ranks(access: Access, keys: Sequence[ProviderKey], assigned: Mapping[str, Mapping[str, str]]) -> Mapping[str, Rank]:
    """The ranks of those of ``keys`` that share a line with others, by key id. One query.

    ``assigned`` are the API keys of each: names by id.
    """
    lines = _lines(access, keys, {pk for names in assigned.values() for pk in names})
    found = {key.pk: _rank(key, assigned[key.pk], lines) for key in keys}
    return {pk: rank for pk, rank in found.items() if rank}


def _lines(access: Access, keys: Sequence[ProviderKey], asking: Collection[str]) -> Mapping[Line, list[str]]:
    """Who is tried, in order. A key that can't serve stands in no line."""
    able = {"provider__in": {key.provider for key in keys}, "enabled": True, "unreadable_at": None}
    wide = access.all(ProviderKey).filter(scope=Scope.ORGANIZATION, **able)
    # Looked for from the API keys on: there are few of these, and no more than a handful of keys for each.
    chosen = KeyAssignment.objects.filter(
        api_key__in=asking, **{f"provider_key__{name}": value for name, value in able.items()}
    ).filter(provider_key__scope=Scope.API_KEYS)
    columns = ("position", "pk", "provider")
    rivals = wide.values_list(*columns, Value("", models.CharField())).union(
        chosen.values_list("provider_key__position", "provider_key", "provider_key__provider", "api_key"), all=True
    )[: _MOST_RIVALS + 1]
    found = sorted(rivals) if len(asking) <= _MOST_RIVALS else []
    lines: dict[Line, list[str]] = defaultdict(list)
    for _, pk, provider, api_key in found if len(found) <= _MOST_RIVALS else ():
        lines[provider, api_key].append(pk)
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
