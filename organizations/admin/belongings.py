"""What a user's page shows beside the user: memberships, groups and rights, read in one query instead of one each."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import CharField, Model, Value
from django.db.models.functions import Cast

from organizations.models import Membership, Organization, User

_COLUMNS: Final = {
    "memberships": ("role", "organization_id", "organization__name"),
    "groups": ("name", Value(""), Value("")),
    "user_permissions": ("name", "content_type__app_label", "content_type__model"),
}


def read_belongings(user: User) -> None:
    """Keep with the user what they belong to and may do, as prefetching does. What is kept is for showing, not for saving."""
    first, *others = (_rows(user, relation) for relation in _COLUMNS)
    found: dict[str, list[Model]] = {relation: [] for relation in _COLUMNS}
    for relation, pk, *columns in first.union(*others, all=True).order_by():
        found[relation].append(_MADE[relation](user, pk, *columns))
    for relation, some in found.items():
        rows = getattr(user, relation).all()
        vars(rows)["_result_cache"] = sorted(some, key=str)
        vars(user).setdefault("_prefetched_objects_cache", {})[relation] = rows


def _rows(user: User, relation: str) -> Any:
    rows = getattr(user, relation).order_by()
    pk = Cast("pk", CharField())
    return rows.values_list(Value(relation), pk, *_COLUMNS[relation])


def _membership(user: User, pk: str, role: str, organization_id: str, name: str) -> Membership:
    return Membership(pk=pk, user=user, role=role, organization=Organization(pk=organization_id, name=name))


def _group(_: User, pk: str, name: str, *__: str) -> Group:
    return Group(pk=int(pk), name=name)


def _permission(_: User, pk: str, name: str, app_label: str, model: str) -> Permission:
    return Permission(pk=int(pk), name=name, content_type=ContentType(app_label=app_label, model=model))


_MADE: Final[Mapping[str, Callable[..., Model]]] = {
    "memberships": _membership,
    "groups": _group,
    "user_permissions": _permission,
}
