"""Who comes with a session: Django's own way, with the memberships read in the same query."""

from typing import Any, Final

from django.contrib.auth.backends import ModelBackend
from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, Model

from organizations.access import hand_over
from organizations.models import Membership, Organization, User

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


def _membership(row: User) -> Membership:
    membership = _read(Membership, _MEMBER, row)
    membership.organization = _read(Organization, _ORGANIZATION, row)
    return membership


def _read[M: Model](model: type[M], prefix: str, row: User) -> M:
    names = [one.attname for one in _fields(model)]
    return model.from_db(DEFAULT_DB_ALIAS, names, [getattr(row, prefix + name) for name in names])


def _fields(model: type[Model]) -> Any:
    return model._meta.concrete_fields
