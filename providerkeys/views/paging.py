"""Pages of a long list by the place of their first or last row: the last page costs what the first one costs.

A place is written into the address as `openai-organization-12`. It names no row, so it still works when the row that it
was taken from has been deleted.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from django.db.models import Q
from django.http import QueryDict

from providerkeys.models import ProviderKey
from providerkeys.providers import registry
from providerkeys.resolver import Scope

PAGE_SIZE: Final = 50
_PLACE: Final = re.compile(r"([a-z0-9_]{1,40})-(organization|api_keys)-(-?[0-9]{1,9})")


@dataclass(frozen=True)
class Place:
    """Where a key stands in the order of the list: provider, tier, position."""

    provider: str
    scope: Scope
    position: int

    @classmethod
    def of(cls, key: ProviderKey) -> Self:
        return cls(key.provider, Scope(key.scope), key.position)

    @classmethod
    def read(cls, text: str | None) -> Self | None:
        """Read what ``str`` has written; ``None`` for anything else."""
        found = _PLACE.fullmatch(text or "")
        return cls(found[1], Scope(found[2]), int(found[3])) if found else None

    def __str__(self) -> str:
        return f"{self.provider}-{self.scope}-{self.position}"

    @property
    def following(self) -> Q:
        """The rows below this place."""
        tiers_below = Q(scope=Scope.API_KEYS) if self.scope == Scope.ORGANIZATION else Q(pk__in=())
        same_tier = Q(scope=self.scope, position__gt=self.position)
        return self._other_providers(below=True) | (Q(provider=self.provider) & (tiers_below | same_tier))

    @property
    def preceding(self) -> Q:
        """The rows above this place."""
        tiers_above = Q(scope=Scope.ORGANIZATION) if self.scope == Scope.API_KEYS else Q(pk__in=())
        same_tier = Q(scope=self.scope, position__lt=self.position)
        return self._other_providers(below=False) | (Q(provider=self.provider) & (tiers_above | same_tier))

    def _other_providers(self, *, below: bool) -> Q:
        """Providers stand in the order of the registry; those without a file any more come last, by name."""
        known = [provider.slug for provider in registry.all()]
        if self.provider in known:
            at = known.index(self.provider)
            return ~Q(provider__in=known[: at + 1]) if below else Q(provider__in=known[:at])
        if below:
            return ~Q(provider__in=known) & Q(provider__gt=self.provider)
        return Q(provider__in=known) | Q(provider__lt=self.provider)


@dataclass(frozen=True)
class Cut:
    """Which page is asked for: from the top, the rows ``after`` a place, or those ``before`` one."""

    after: Place | None
    before: Place | None

    @classmethod
    def asked_in(cls, query: QueryDict) -> Self:
        return cls(Place.read(query.get("after")), Place.read(query.get("before")))

    @property
    def from_the_top(self) -> bool:
        return not (self.after or self.before)

    @property
    def parameters(self) -> dict[str, str]:
        """How an address says it."""
        return {"after": str(self.after)} if self.after else {"before": str(self.before)} if self.before else {}

    @property
    def condition(self) -> Q:
        if self.after:
            return self.after.following
        return self.before.preceding if self.before else Q()

    @property
    def backwards(self) -> bool:
        """Whether the rows next to the place are the last ones of the page."""
        return self.before is not None and self.after is None
