"""Who comes with a session, and what staff may do: Django's own way, in one query each."""

from typing import Any, Final

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, Model, QuerySet

from organizations.access import hand_over
from organizations.models import Membership, Organization, User

_RIGHTS: Final = "_perm_cache"
_MEMBER: Final = "membership_"
_ORGANIZATION: Final = "organization_"
_BY_NAME: Final = ("memberships__organization__name", "memberships__organization_id")


class MemberBackend(ModelBackend):
    """Every page of the console asks for its visitor and for their memberships: here both are one query."""

    def get_user(self, user_id: Any) -> User | None:
        theirs = {_MEMBER + one.attname: F(f"memberships__{one.attname}") for one in _fields(Membership)}
        its = {
            _ORGANIZATION + one.attname: F(f"memberships__organization__{one.attname}") for one in _fields(Organization)
        }
        # One row for each membership, and one where there is none: staff have none.
        rows = list(User.objects.filter(pk=user_id).annotate(**theirs, **its).order_by(*_BY_NAME))
        if not rows or not self.user_can_authenticate(rows[0]):
            return None
        hand_over(rows[0], [_membership(row) for row in rows if getattr(row, f"{_MEMBER}id")])
        return rows[0]

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Read somebody's own rights and those of their groups in one query, where Django asks twice."""
        asked = obj is None and user_obj.is_active and not (user_obj.is_anonymous or user_obj.is_superuser)
        if asked and not hasattr(user_obj, _RIGHTS):
            rights = _names(user=user_obj).union(_names(group__user=user_obj)).order_by()
            setattr(user_obj, _RIGHTS, {f"{app_label}.{codename}" for app_label, codename in rights})
        return super().get_all_permissions(user_obj, obj)


def _names(**whose: Any) -> QuerySet[Permission, tuple[str, str]]:
    rights = Permission.objects.filter(**whose).order_by()
    return rights.values_list("content_type__app_label", "codename")


def _membership(row: User) -> Membership:
    membership = _read(Membership, _MEMBER, row)
    membership.organization = _read(Organization, _ORGANIZATION, row)
    return membership


def _read[M: Model](model: type[M], prefix: str, row: User) -> M:
    names = [one.attname for one in _fields(model)]
    return model.from_db(DEFAULT_DB_ALIAS, names, [getattr(row, prefix + name) for name in names])


def _fields(model: type[Model]) -> Any:
    return model._meta.concrete_fields
