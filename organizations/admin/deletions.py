"""What goes with objects that are deleted: how many rows of each kind, in one query, whether they are three or thousands."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db import models
from django.db.models.deletion import CASCADE, PROTECT, RESTRICT, get_candidate_relations_to_delete

type Model = type[models.Model]


class Uncountable(Exception):
    """Rows may keep an object from being deleted, or take others of their own kind with them."""


def going_with(objs: Sequence[models.Model] | models.QuerySet[Any]) -> dict[Model, int]:
    """Count, by kind, the rows that would be deleted with these objects, which are all of one kind.

    Raises ``Uncountable`` where only a look at row after row can tell.
    """
    model = type(objs[0])
    chosen = objs.order_by().values("pk") if isinstance(objs, models.QuerySet) else [one.pk for one in objs]
    conditions: dict[Model, list[models.Q]] = defaultdict(list)
    for kind, way in _ways(model, (model,)):
        conditions[kind].append(models.Q((f"{way}__in", chosen)))
    if not conditions:
        return {}
    counts = [_count(kind, reduce(or_, some)) for kind, some in conditions.items()]
    found = model._default_manager.filter(pk__in=chosen).values_list(*counts).first()
    return {kind: count for kind, count in zip(conditions, found or (), strict=False) if count}


def _ways(model: Model, above: tuple[Model, ...], way: str = "") -> Iterator[tuple[Model, str]]:
    """Name the kinds of rows that go with one of ``model``, each with the look-up that leads back to the first of ``above``."""
    relations: Any = get_candidate_relations_to_delete(model._meta)
    for relation in relations:
        kind, field, on_delete = relation.related_model, relation.field, relation.field.remote_field.on_delete
        if on_delete in {PROTECT, RESTRICT} or (on_delete is CASCADE and kind in above):
            raise Uncountable
        if on_delete is CASCADE:
            longer = f"{field.name}__{way}" if way else field.name
            yield kind, longer
            yield from _ways(kind, (*above, kind), longer)


def _count(kind: Model, condition: models.Q) -> models.Subquery:
    rows = kind._default_manager.filter(condition).order_by()
    # An aggregate would be grouped by row.
    number = models.Func(models.F("pk"), function="COUNT", output_field=models.IntegerField())
    return models.Subquery(rows.annotate(number=number).values("number"))
