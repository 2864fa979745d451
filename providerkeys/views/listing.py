"""The rows of the BYOK list: three queries, whatever the number of keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self, cast
from urllib.parse import urlencode

from django.db.models import Count, Exists, F, OuterRef, Subquery
from django.http import Http404, QueryDict
from django.utils import timezone

from organizations.access import Access
from providerkeys import badges
from providerkeys.badges import AssignmentBadge, Rank
from providerkeys.models import CredentialCheck, KeyAssignment, ProviderKey
from providerkeys.models.provider_key import ProviderKeyQuerySet
from providerkeys.views.filters import Filters
from providerkeys.views.paging import PAGE_SIZE, Cut, Place
from providerkeys.views.ranks import ranks
from providerkeys.views.row_texts import texts_of
from providerkeys.views.shown import OpenCheck

# Columns that no row shows; some of them cost more to read than to fetch.
_NOT_SHOWN: Final = (
    "credentials",
    "destination",
    "fingerprint",
    "credentials_version",
    "reason",
    "verdict_at",
    "updated_at",
)


@dataclass(frozen=True)
class KeyRow:
    """A provider key, its rank, and the check of it that has not ended. Everything else is the key's own."""

    key: ProviderKey
    api_keys: Mapping[str, str]
    """The API keys that it is assigned to: names by id, in the order of the names."""
    rank: Rank | None
    open_check: OpenCheck | None

    @cached_property
    def assignment_badges(self) -> list[AssignmentBadge]:
        return badges.of_assignment(self.key.scope, self.api_keys.values())

    @property
    def texts(self) -> Mapping[str, str | bool]:
        """What its template writes."""
        return texts_of(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.key, name)


@dataclass(frozen=True)
class KeyPage:
    """One page of the list. ``count`` is of all keys that match; the addresses are empty where no page is."""

    rows: list[KeyRow]
    count: int
    filters: Filters
    previous_url: str = ""
    next_url: str = ""
    address: str = ""
    """What stands behind the list's own address for this very page."""

    @classmethod
    def asked_in(cls, access: Access, query: QueryDict) -> Self:
        """Load the page that an address asks for."""
        cut, filters = Cut.asked_in(query), Filters.asked_in(query)
        total = filters.narrow(access, keys_of(access)).values("organization").annotate(total=Count("*"))
        order = filters.narrow(access, _shown(access)).filter(cut.condition).in_order()
        found = (order.reverse() if cut.backwards else order).annotate(total=Subquery(total.values("total")))
        keys = list(found[: PAGE_SIZE + 1])
        if cut.backwards:
            keys.reverse()
        more = len(keys) > PAGE_SIZE
        page = keys[-PAGE_SIZE:] if cut.backwards else keys[:PAGE_SIZE]
        above = more if cut.backwards else not cut.from_the_top
        below = cut.backwards or more
        return cls(
            rows=_rows(access, page),
            count=getattr(keys[0], "total", 0) if keys else 0,
            filters=filters,
            address=_address({**filters.parameters, **cut.parameters}),
            previous_url=_url(filters, before=page[0]) if above and page else "",
            next_url=_url(filters, after=page[-1]) if below and page else "",
        )


def row_of(access: Access, pk: str) -> KeyRow:
    """Load one row of the list. Raises Http404 when its key is gone."""
    rows = _rows(access, list(_shown(access).filter(pk=pk)))
    if not rows:
        raise Http404
    return rows[0]


def keys_of(access: Access) -> ProviderKeyQuerySet:
    """The organization's provider keys, without their ciphertext: no page needs it."""
    return cast(ProviderKeyQuerySet, access.all(ProviderKey).defer("credentials"))


def _shown(access: Access) -> ProviderKeyQuerySet:
    of_the_stored = CredentialCheck.objects.of_the_stored(timezone.now()).filter(provider_key=OuterRef("pk"))
    tier = access.all(ProviderKey).filter(place=OuterRef("place"), provider=OuterRef("provider"))
    return (
        keys_of(access)
        .defer(*_NOT_SHOWN)
        .annotate(
            created_by_name=F("created_by__name"),
            open_check_id=Subquery(of_the_stored.values("pk")[:1]),
            may_move_up=Exists(tier.filter(position__lt=OuterRef("position"))),
            may_move_down=Exists(tier.filter(position__gt=OuterRef("position"))),
        )
    )


def _rows(access: Access, keys: Sequence[ProviderKey]) -> list[KeyRow]:
    if not keys:
        return []
    assigned = _assigned(keys)
    ranked = ranks(access, keys, assigned)
    open_checks = (OpenCheck.of(access, getattr(key, "open_check_id", None)) for key in keys)
    return [
        KeyRow(key, assigned[key.pk], ranked.get(key.pk), check) for key, check in zip(keys, open_checks, strict=True)
    ]


def _assigned(keys: Sequence[ProviderKey]) -> Mapping[str, Mapping[str, str]]:
    """The names of the API keys that each of these keys is assigned to, by their ids."""
    found: dict[str, dict[str, str]] = {key.pk: {} for key in keys}
    assignments = KeyAssignment.objects.filter(provider_key__in=list(found)).order_by("api_key__name", "api_key_id")
    for key, api_key, name in assignments.values_list("provider_key_id", "api_key_id", "api_key__name"):
        found[key][api_key] = name
    return found


def _url(filters: Filters, **place: ProviderKey) -> str:
    return _address({**filters.parameters, **{name: str(Place.of(key)) for name, key in place.items()}})


def _address(parameters: Mapping[str, str]) -> str:
    return "?" + urlencode(parameters) if parameters else ""
