from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import models

from organizations.ids import PublicIdField
from organizations.models import ApiKey


class ForeignAssignment(ValueError):
    """Provider key and API key belong to two organizations: such an assignment never exists."""


class AssignmentQuerySet(models.QuerySet["KeyAssignment"]):
    """Compares both sides of every assignment that it writes, in one query."""

    def bulk_create(self, objs: Iterable["KeyAssignment"], *args: Any, **kwargs: Any) -> list["KeyAssignment"]:
        assignments = list(objs)
        _refuse_foreign((one.provider_key_id, one.api_key_id) for one in assignments)
        return super().bulk_create(assignments, *args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        # An assignment is made or removed; there is nothing about one to change.
        raise TypeError("Assignments are not updated: delete one and create another.")

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        raise TypeError("Assignments are not updated: delete one and create another.")


class KeyAssignment(models.Model):
    """A provider key serves an API key. Both belong to one organization, always."""

    id = PublicIdField(prefix="asg")
    provider_key = models.ForeignKey("providerkeys.ProviderKey", on_delete=models.CASCADE, related_name="assignments")
    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="assignments")

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        # Without this, a related manager's ``add`` would move assignments through a plain manager, around the rule.
        base_manager_name = "objects"
        constraints = (models.UniqueConstraint(fields=["provider_key", "api_key"], name="assignment_is_unique"),)

    def __str__(self) -> str:
        return f"{self.provider_key_id} serves {self.api_key_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        _refuse_foreign([(self.provider_key_id, self.api_key_id)])
        super().save(*args, **kwargs)


def _refuse_foreign(pairs: Iterable[tuple[str, str]]) -> None:
    wanted = set(pairs)
    provider_keys = apps.get_model("providerkeys", "ProviderKey").objects.filter(pk__in={one for one, _ in wanted})
    api_keys = ApiKey.objects.filter(pk__in={other for _, other in wanted})
    home = dict(provider_keys.values_list("pk", "organization_id").union(api_keys.values_list("pk", "organization_id")))
    if any(home.get(one) is None or home.get(one) != home.get(other) for one, other in wanted):
        raise ForeignAssignment("A provider key can only be assigned to API keys of its own organization.")
