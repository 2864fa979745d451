"""The provider keys that matter to API keys, as the resolver takes them: few, however many there are.

Keys that the resolver can't tell apart but by position stand in one line: same provider, same tier, able to serve or not.
Of each line only the first ones are loaded, and how many there are (``line_length``). What is cut off changes no answer:
who serves first, and why nobody does, is decided at the head of each line.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from organizations.access import Access
from providerkeys.models import KeyAssignment, ProviderKey
from providerkeys.resolver import Scope
from providerkeys.views.listing import keys_of

_HEAD: Final = 3
_HEAD_OF_ONE: Final = 6
_OTHERS: Final = frozenset({"another API key"})


def keys_for(access: Access, api_key_ids: Iterable[str]) -> Mapping[str, Sequence[ProviderKey]]:
    """For each of these API keys the provider keys that may serve it. Two queries."""
    ids = list(api_key_ids)
    wide = keys_of(access).filter(scope=Scope.ORGANIZATION)
    shared = [_held(key, ()) for key in _heads(wide, _HEAD, ["provider"])]
    assigned = KeyAssignment.objects.filter(api_key__in=ids, provider_key__scope=Scope.API_KEYS)
    loading = assigned.select_related("provider_key").defer("provider_key__credentials")
    found: dict[str, list[ProviderKey]] = defaultdict(list)
    for one in _heads(loading, _HEAD, ["api_key", "provider_key__provider"], where="provider_key__"):
        key = one.provider_key
        key.line_length = one.line_length
        found[one.api_key_id].append(_held(key, {one.api_key_id}))
    return {pk: [*found[pk], *shared] for pk in ids}


def keys_around(access: Access, api_key_id: str = "") -> list[ProviderKey]:
    """Those that may serve one API key, and those that explain why none does; without an id, an API key to come. One query."""
    assignments = KeyAssignment.objects.filter(provider_key=OuterRef("pk"))
    keys = keys_of(access).annotate(mine=Exists(assignments.filter(api_key=api_key_id)), assigned=Exists(assignments))
    heads = _heads(keys, _HEAD_OF_ONE, ["provider", "scope", "mine", "assigned"])
    return [_held(key, {api_key_id} if key.mine else _OTHERS if key.assigned else ()) for key in heads]


def line_length(keys: Sequence[ProviderKey]) -> int:
    """How many keys stand in the line that begins with ``keys``, loaded or not."""
    return max(getattr(keys[0], "line_length", 0), len(keys)) if keys else 0


def _held(key: ProviderKey, assigned_ids: Iterable[str]) -> ProviderKey:
    """``key``, knowing its assignments: it is not to ask for them one by one."""
    key.assigned_ids = frozenset(assigned_ids)
    return key


def _heads(rows: QuerySet[Any], length: int, same: Sequence[str], where: str = "") -> QuerySet[Any]:
    """The first of each line of those ``rows`` that are the ``same`` in these columns; ``where`` leads to the provider key."""
    able = Q(**{f"{where}enabled": True, f"{where}unreadable_at": None})
    rows = rows.annotate(fit=ExpressionWrapper(able, output_field=BooleanField()))
    partition = [F(name) for name in (*same, "fit")]
    lines: QuerySet[Any] = rows.annotate(
        nth=Window(RowNumber(), partition_by=partition, order_by=f"{where}position"),
        line_length=Window(Count("pk"), partition_by=partition),
    )
    return lines.filter(nth__lte=length)
