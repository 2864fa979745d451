"""The rows of the API keys list: three queries, whatever the number of API keys and of provider keys.

A page begins behind the name and the id of the row above it, so the last page costs what the first one costs, and a row
that was deleted meanwhile is missed by nobody.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet, Subquery
from django.http import QueryDict

from organizations.access import Access
from organizations.models import ApiKey
from organizations.text import NAME_LENGTH
from providerkeys import badges
from providerkeys.badges import Badge
from providerkeys.views.answers import Answer, answers
from providerkeys.views.api_key_serving import Serving, keys_for
from providerkeys.views.paging import PAGE_SIZE

_PLACE: Final = re.compile(rf"(key_[0-9A-Za-z]{{1,36}})-(.{{1,{NAME_LENGTH}}})")
_TOLD: Final = 4
_LONGEST_SEARCH: Final = 100
_EXPIRED: Final = Badge("Expired", "amber", "hourglass")
_EXPIRES_SOON: Final = Badge("Expires soon", "amber", "hourglass")
_ROTATING: Final = Badge("Rotating", "outline", "refresh-cw")


@dataclass(frozen=True)
class ApiKeyRow:
    """An API key and what each provider's keys are to it. Everything else is the API key's own."""

    api_key: ApiKey
    answers: Sequence[Answer[Serving]] = ()

    @classmethod
    def of(cls, api_key: ApiKey, keys: Sequence[Serving]) -> Self:
        return cls(api_key, answers(keys, api_key.pk))

    @cached_property
    def told_answers(self) -> list[Answer[Serving]]:
        """Those of providers that the organization has keys of."""
        return [answer for answer in self.answers if answer.keys or answer.refused]

    @property
    def untold(self) -> int:
        """How many of these a row leaves out."""
        return max(0, len(self.told_answers) - _TOLD)

    @property
    def status_badges(self) -> list[Badge]:
        """Whether it can be used, and what else is worth knowing."""
        if not self.api_key.enabled:
            return [badges.DISABLED]
        if self.api_key.is_expired():
            return [_EXPIRED]
        first = _EXPIRES_SOON if self.api_key.expires_soon() else badges.ACTIVE
        return [first, _ROTATING] if self.api_key.is_rotating() else [first]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.api_key, name)


@dataclass(frozen=True)
class Place:
    """Where an API key stands in the order of the list."""

    name: str
    pk: str

    @classmethod
    def read(cls, text: str | None) -> Self | None:
        """Read what ``str`` has written; ``None`` for anything else."""
        # PostgreSQL refuses text with a NUL; no name has one.
        found = _PLACE.fullmatch((text or "").replace("\0", " "))
        return cls(found[2], found[1]) if found else None

    def __str__(self) -> str:
        return f"{self.pk}-{self.name}"

    @property
    def following(self) -> Q:
        return Q(name__gt=self.name) | Q(name=self.name, pk__gt=self.pk)

    @property
    def preceding(self) -> Q:
        return Q(name__lt=self.name) | Q(name=self.name, pk__lt=self.pk)


@dataclass(frozen=True)
class ApiKeyPage:
    """One page of the list. ``count`` is of all keys that match; the addresses are empty where no page is."""

    rows: list[ApiKeyRow]
    count: int
    search: str
    previous_url: str = ""
    next_url: str = ""

    @classmethod
    def asked_in(cls, access: Access, query: QueryDict) -> Self:
        """Load the page that an address asks for."""
        search = query.get("q", "").strip()[:_LONGEST_SEARCH]
        matching = access.all(ApiKey).filter(_matches(search))
        after = Place.read(query.get("after"))
        before = None if after else Place.read(query.get("before"))
        found = _cut(matching, after, before)
        more = len(found) > PAGE_SIZE
        page = found[:PAGE_SIZE]
        if before:
            page.reverse()
        above, below = (more, True) if before else (after is not None, more)
        keys = keys_for(access, [one.pk for one in page]) if page else {}
        return cls(
            rows=[ApiKeyRow.of(one, keys[one.pk]) for one in page],
            count=getattr(page[0], "total", 0) if page else 0,
            search=search,
            previous_url=_url(search, before=page[0]) if above and page else "",
            next_url=_url(search, after=page[-1]) if below and page else "",
        )


def _cut(matching: QuerySet[ApiKey], after: Place | None, before: Place | None) -> list[ApiKey]:
    """A page's rows and one more; those before a place from the nearest one on."""
    total = matching.values("organization").annotate(total=Count("pk")).values("total")
    place = after.following if after else before.preceding if before else Q()
    order = ("-name", "-pk") if before else ("name", "pk")
    rows = matching.filter(place).select_related("created_by").annotate(total=Subquery(total)).order_by(*order)
    return list(rows[: PAGE_SIZE + 1])


def _matches(search: str) -> Q:
    # PostgreSQL refuses text with a NUL; no name has one.
    text = search.replace("\0", " ")
    if not text:
        return Q()
    return Q(name__icontains=text) | Q(hint__icontains=text) | Q(former_hint__icontains=text) | Q(pk=text)


def _url(search: str, **place: ApiKey) -> str:
    places = {name: str(Place(key.name, key.pk)) for name, key in place.items()}
    return "?" + urlencode({**({"q": search} if search else {}), **places})
