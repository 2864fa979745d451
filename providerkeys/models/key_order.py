"""Where provider keys stand: by provider as the registry has them, by tier, and by position.

The first two are one number, ``place``, so that an index holds the order of the list: its pages cost the same however many
keys there are. It is derived, and written with whatever it is derived from; ``arrange`` mends what a new order of the
registry, or a version that knew no places, has left behind.
"""

from collections.abc import Mapping
from itertools import batched
from typing import TYPE_CHECKING, Any, Final, Literal, Self, cast

from django.db import models, transaction
from django.db.models import Case, F, Value, When
from django.db.models.expressions import Combinable

from organizations.access import Access
from organizations.models import AuditEvent, Organization
from providerkeys.providers import registry
from providerkeys.resolver import Scope

if TYPE_CHECKING:
    _SmallIntegerField = models.SmallIntegerField[int, int]
else:
    _SmallIntegerField = models.SmallIntegerField

type Direction = Literal["up", "down"]

_LAST: Final = 16_383
"""The order of providers that have no file any more. Twice as much, and the tier, is all that the column holds."""
LAST_PLACE: Final = 2 * _LAST + 1
_AT_ONCE: Final = 200
"""How many rows one statement gives their positions: well below what SQLite takes of parameters."""


def place_of(provider: str, scope: str) -> int:
    """Where the keys of this provider and tier stand. Organization-wide keys come first."""
    row = registry.find(provider)
    return 2 * (row.order if row else _LAST) + (scope != Scope.ORGANIZATION)


def _stored_place(provider: str | None = None, scope: str | None = None) -> Combinable:
    """The same of stored rows; what is given stands for what they have."""
    known = [When(provider=row.slug, then=2 * row.order) for row in registry.all()]
    tier = Case(When(scope=Scope.ORGANIZATION, then=0), default=1)
    first = Case(*known, default=2 * _LAST) if provider is None else Value(place_of(provider, Scope.ORGANIZATION))
    return first + (tier if scope is None else Value(int(scope != Scope.ORGANIZATION)))


class PlaceField(_SmallIntegerField):
    """A key's place, worked out anew whenever it is saved. What a version without places stores, stands last."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"editable": False, "db_default": LAST_PLACE, **options})

    def pre_save(self, model_instance: models.Model, add: bool) -> int:
        key = cast(OrderedKey, model_instance)
        key.place = place_of(key.provider, key.scope)
        return key.place


class OrderedQuerySet[K: "OrderedKey"](models.QuerySet[K]):
    def in_order(self) -> Self:
        """By provider, tier and position: the order of the list."""
        return self.order_by("place", "provider", "position")

    def update(self, **columns: Any) -> int:
        moved = {name: columns[name] for name in ("provider", "scope") if name in columns}
        return super().update(**({"place": _stored_place(**moved)} if moved else {}), **columns)

    def arrange(self) -> int:
        """Put every key in its place. Return how many stood elsewhere."""
        elsewhere = self.alias(right=_stored_place()).exclude(place=F("right"))
        return elsewhere.update(place=_stored_place())


class OrderedKey(models.Model):
    """A key that stands in a line: the keys of one provider and tier are tried by ``position``."""

    provider = models.CharField(max_length=40, editable=False)
    scope = models.CharField(max_length=20, editable=False)
    position = models.IntegerField(editable=False)
    place = PlaceField()

    class Meta:
        abstract = True

    def rivals_in(self, keys: "models.QuerySet[Self]", scope: str) -> "models.QuerySet[Self]":
        """Those of ``keys``, of its tier ``scope``, that are tried for somebody for whom this one is tried, too."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        """What the audit trail keeps beside the name."""
        raise NotImplementedError

    @transaction.atomic
    def move(self, access: Access, direction: Direction) -> bool:
        """Pass the next key above or below it that is tried where it is tried, too; where there is none, the next in its tier.

        Those in between make room and keep their order, so nothing changes for anybody but those whom the two share.
        Positions stay the same set: unique, and no others are written. False at the end of the tier, or if it is gone.
        """
        lock(access)
        keys = access.all(type(self))
        stands = keys.filter(pk=self.pk).values_list("scope", "position").first()
        if stands is None:
            return False
        scope, ours = stands
        tier = keys.filter(provider=self.provider, scope=scope)
        beside = (
            tier.filter(position__lt=ours).order_by("-position")
            if direction == "up"
            else tier.filter(position__gt=ours).order_by("position")
        )
        passed = (
            self.rivals_in(beside, scope).values_list("position", flat=True).first()
            or beside.values_list("position", flat=True).first()
        )
        if passed is None:
            return False
        span = tier.filter(position__range=sorted((ours, passed))).order_by("position").values_list("pk", "position")
        ids, positions = (list(column) for column in zip(*span, strict=True))
        ids.insert(0 if direction == "up" else len(ids) - 1, ids.pop(ids.index(self.pk)))
        _put(keys, dict(zip(ids, positions, strict=True)))
        theirs = passed
        self.position = theirs
        AuditEvent.record(
            access.organization, access.actor, "provider_key.moved", self, direction=direction, **self.facts()
        )
        return True


def _put(keys: "models.QuerySet[Any]", positions: Mapping[str, int]) -> None:
    """Give each of ``keys`` that is named the position that it is to have: the same ones, in another order."""
    # Through negative positions, which nobody has: two rows can't change a unique column at once.
    for some in batched(positions.items(), _AT_ONCE):
        there = Case(*(When(pk=pk, then=-position) for pk, position in some))
        keys.filter(pk__in=[pk for pk, _ in some]).update(position=there)
    keys.filter(position__lt=0).update(position=-F("position"))


def lock(access: Access) -> Organization:
    """The organization, locked: its keys' order and its limits are decided by one writer at a time."""
    return Organization.objects.select_for_update().get(pk=access.organization.pk)
