"""Pages of a long list by the place of their first or last row: the last page costs what the first one costs.

A place is written into the address as `40-openai-12`. It names no row, so it still works when the row that it was taken from
has been deleted.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from django.db.models import F, Q
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.http import QueryDict

from providerkeys.models import ProviderKey

PAGE_SIZE: Final = 50
_PLACE: Final = re.compile(r"([0-9]{1,5})-([a-z0-9_]{1,40})-(-?[0-9]{1,9})")
_ORDER: Final = ("place", "provider", "position")


@dataclass(frozen=True)
class Place:
    """Where a key stands in the order of the list: provider and tier as one number, the provider itself, the position."""

    number: int
    provider: str
    position: int

    @classmethod
    def of(cls, key: ProviderKey) -> Self:
        return cls(key.place, key.provider, key.position)

    @classmethod
    def read(cls, text: str | None) -> Self | None:
        """Read what ``str`` has written; ``None`` for anything else."""
        found = _PLACE.fullmatch(text or "")
        return cls(int(found[1]), found[2], int(found[3])) if found else None

    def __str__(self) -> str:
        return f"{self.number}-{self.provider}-{self.position}"

    @property
    def following(self) -> Q:
        """The rows below this place. Compared as one, so that an index leads to the first of them."""
        return Q(TupleGreaterThan(self._columns, self._values))

    @property
    def preceding(self) -> Q:
        """The rows above this place."""
        return Q(TupleLessThan(self._columns, self._values))

    @property
    def _columns(self) -> Tuple:
        return Tuple(*map(F, _ORDER))

    @property
    def _values(self) -> tuple[int, str, int]:
        return self.number, self.provider, self.position


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
