"""The provider keys that matter to API keys, as the resolver takes them: few, however many there are.

Keys that the resolver can't tell apart but by position stand in one line: same provider, same tier, able to serve or not.
Of each line only the first ones are loaded, and how many there are (``line_length``). What is cut off changes no answer:
who serves first, and why nobody does, is decided at the head of each line.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from organizations.access import Access
from providerkeys import badges
from providerkeys.badges import Badge
from providerkeys.models import KeyAssignment, ProviderKey
from providerkeys.resolver import Scope

_HEAD: Final = 3
_HEAD_OF_ONE: Final = 6
_OTHERS: Final = frozenset({"another API key"})
_COLUMNS: Final = (
    *("id", "name", "provider", "scope", "enabled", "position"),
    *("unreadable_at", "verdict", "regions_failing", "regions_count"),
)


class Serving(NamedTuple):
    """A provider key as the resolver takes it, with what is told of it. A page may need hundreds of them."""

    id: str
    name: str
    provider: str
    scope: str
    enabled: bool
    position: int
    unreadable_at: datetime | None
    verdict: str
    regions_failing: int
    regions_count: int
    line_length: int
    assigned_ids: frozenset[str] = frozenset()

    @property
    def readable(self) -> bool:
        return self.unreadable_at is None

    @property
    def status_badges(self) -> list[Badge]:
        counts = self.regions_failing, self.regions_count
        return badges.of_state(self.enabled, self.readable, self.verdict, *counts)


def keys_for(access: Access, api_key_ids: Iterable[str]) -> Mapping[str, Sequence[Serving]]:
    """For each of these API keys the provider keys that may serve it. Two queries."""
    ids = list(api_key_ids)
    wide = access.all(ProviderKey).filter(scope=Scope.ORGANIZATION)
    shared = [Serving(*columns) for columns in _heads(wide, _HEAD, ["provider"])]
    assigned = KeyAssignment.objects.filter(api_key__in=ids, provider_key__scope=Scope.API_KEYS)
    found: dict[str, list[Serving]] = defaultdict(list)
    for api_key, *columns in _heads(
        assigned, _HEAD, ["api_key", "provider_key__provider"], "provider_key__", "api_key"
    ):
        found[api_key].append(Serving._make((*columns, frozenset({api_key}))))
    return {pk: [*found[pk], *shared] for pk in ids}


def keys_around(access: Access, api_key_id: str = "") -> list[Serving]:
    """Those that may serve one API key, and those that explain why none does; without an id, an API key to come. One query."""
    assignments = KeyAssignment.objects.filter(provider_key=OuterRef("pk"))
    asked = {"mine": Exists(assignments.filter(api_key=api_key_id)), "assigned": Exists(assignments)}
    keys = access.all(ProviderKey).annotate(**asked)
    heads = _heads(keys, _HEAD_OF_ONE, ["provider", "scope", *asked], "", *asked)
    return [
        Serving._make((*columns, frozenset({api_key_id}) if mine else _OTHERS if assigned else frozenset()))
        for mine, assigned, *columns in heads
    ]


def line_length(keys: Sequence[Any]) -> int:
    """How many keys stand in the line that begins with ``keys``, loaded or not."""
    return max(getattr(keys[0], "line_length", 0), len(keys)) if keys else 0


def _heads(
    rows: QuerySet[Any], length: int, same: Sequence[str], where: str = "", *first: str
) -> QuerySet[Any, tuple[Any, ...]]:
    """The first of each line of those ``rows`` that are the ``same`` in these columns; ``where`` leads to the provider key.

    Of each what ``Serving`` takes, behind the columns that are to come ``first``.
    """
    able = Q(**{f"{where}enabled": True, f"{where}unreadable_at": None})
    rows = rows.annotate(fit=ExpressionWrapper(able, output_field=BooleanField()))
    partition = [F(name) for name in (*same, "fit")]
    lines: QuerySet[Any] = rows.annotate(
        nth=Window(RowNumber(), partition_by=partition, order_by=f"{where}position"),
        line_length=Window(Count("*"), partition_by=partition),
    )
    columns = [f"{where}{name}" for name in _COLUMNS]
    return lines.filter(nth__lte=length).values_list(*first, *columns, "line_length")
