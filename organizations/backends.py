"""Who comes with a session: Django's own way, with the memberships read in the same query."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from organizations.access import hand_over
from organizations.models import Membership, User


class MemberBackend(ModelBackend):
    """Every page of the console asks for its visitor and for their memberships: here both are one query."""

    def get_user(self, user_id: Any) -> User | None:
        memberships = list(Membership.of(user_id).select_related("user"))
        if not memberships:
            # Staff, or nobody.
            return super().get_user(user_id)
        user = memberships[0].user
        hand_over(user, memberships)
        return user if self.user_can_authenticate(user) else None
