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


def _lines(access: Access, keys: Sequence[ProviderKey], asking: Collection[str]) -> Mapping[Line, Mapping[str, str]]:
    """Who is tried, in order: names by id. A key that can't serve stands in no line."""
    able = {"provider__in": {key.provider for key in keys}, "enabled": True, "unreadable_at": None}
    wide = access.all(ProviderKey).filter(scope=Scope.ORGANIZATION, **able)
    # Looked for from the API keys on: there are few of these, and no more than a handful of keys for each.
    chosen = KeyAssignment.objects.filter(
        api_key__in=asking, **{f"provider_key__{name}": value for name, value in able.items()}
    ).filter(provider_key__scope=Scope.API_KEYS)
    columns = ("position", "pk", "provider", "name")
    rivals = wide.values_list(*columns, Value("", models.CharField())).union(
        chosen.values_list(*(f"provider_key__{name}" for name in columns), "api_key"), all=True
    )[: _MOST_RIVALS + 1]
    found = sorted(rivals) if len(asking) <= _MOST_RIVALS else []
    lines: dict[Line, dict[str, str]] = defaultdict(dict)
    for _, pk, provider, name, api_key in found if len(found) <= _MOST_RIVALS else ():
        lines[provider, api_key][pk] = name
    return lines


def _rank(key: ProviderKey, api_keys: Mapping[str, str], lines: Mapping[Line, Mapping[str, str]]) -> Rank | None:
    if key.scope == Scope.ORGANIZATION:
        ahead = _ahead(key, lines.get((key.provider, ""), {}))
        whom = f"API keys with no {key.provider_label} key of their own"
        return None if ahead is None else Rank(len(ahead) + 1, _sentence(ahead), whom)
    lines_of = {name: _ahead(key, lines.get((key.provider, pk), {})) for pk, name in api_keys.items()}
    shared = {name: ahead for name, ahead in lines_of.items() if ahead is not None}
    if not shared:
        return None
    best = min(shared.values(), key=len)
    there = [name for name, ahead in shared.items() if ahead == best]
    if len(there) == len(lines_of):
        return Rank(len(best) + 1, _sentence(best), _some(there))
    return Rank(len(best) + 1, _sentence(best, there))


def _ahead(key: ProviderKey, line: Mapping[str, str]) -> list[str] | None:
    """The names of those before the key in a line of several; ``None`` where it stands alone or not at all."""
    if len(line) < 2 or key.pk not in line:
        return None
    return list(line.values())[: list(line).index(key.pk)]


def _sentence(ahead: Sequence[str], only_for: Sequence[str] = ()) -> str:
    whom = f" for {_some(only_for)}" if only_for else ""
    if not ahead:
        return f"tried first{whom}"
    first, more = ahead[0], len(ahead) - 1
    if not more:
        return f"only when {first} fails{whom}"
    others = ahead[1] if more == 1 else f"{more} others"
    return f"only when {first} and {others} fail{whom}"


def _some(names: Iterable[str]) -> str:
    first, *more = names
    return f"{first} and {len(more)} more" if more else first
