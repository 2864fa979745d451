from typing import TYPE_CHECKING, Any, NoReturn

from django.db import models, transaction
from django.utils import timezone

from organizations.actors import Actor
from organizations.ids import PublicIdField
from organizations.text import visible

if TYPE_CHECKING:
    from organizations.models.organization import Organization


class AppendOnlyError(TypeError):
    """Somebody tried to change or delete what already happened."""


class AppendOnlyQuerySet(models.QuerySet["AuditEvent"]):
    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnlyError("Audit events are written once, by AuditEvent.record, and never changed.")

    update = delete = bulk_create = bulk_update = _refuse
    aupdate = adelete = abulk_create = abulk_update = _refuse


class AuditEvent(models.Model):
    """What was done, by whom, to what. Ids and labels are text without foreign keys: an event outlives all it names.

    Labels are kept as they were, line breaks and all; whoever renders one outside HTML passes it through `visible`.
    """

    id = PublicIdField(prefix="evt")
    organization_id = models.CharField(max_length=40, blank=True)
    actor_id = models.CharField(max_length=40, blank=True)
    actor_label = models.TextField(blank=True)
    actor_kind = models.CharField(max_length=20)
    ip = models.CharField("IP address", max_length=64, blank=True)
    action = models.CharField(max_length=100)
    target_id = models.CharField(max_length=100, blank=True)
    target_label = models.TextField(blank=True)
    details = models.JSONField(default=dict, blank=True)
    result = models.CharField(max_length=40, default="ok")
    at = models.DateTimeField(default=timezone.now)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        # Without this, related code would go through a plain manager, around the rule.
        base_manager_name = "objects"
        default_permissions = ("view",)
        indexes = [models.Index(fields=["organization_id", "at"], name="audit_event_by_organization")]

    def __str__(self) -> str:
        return visible(f"{self.at:%Y-%m-%d %H:%M:%S} UTC {self.actor_label}: {self.action} {self.target_label}")

    def save(self, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("An audit event cannot be changed.")
        # Given the id of an existing event, a plain save would overwrite it.
        super().save(**{**kwargs, "force_insert": True})

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnlyError("An audit event cannot be deleted.")

    @classmethod
    def record(
        cls,
        organization: "Organization | None",
        actor: Actor,
        action: str,
        target: models.Model,
        *,
        result: str = "ok",
        **details: Any,
    ) -> "AuditEvent":
        """Write the event of a change, inside that change's transaction: both happen or neither does.

        `details` are JSON values and never secrets. Raises TransactionManagementError outside of a transaction.
        """
        if not transaction.get_connection().in_atomic_block:
            raise transaction.TransactionManagementError("An audit event belongs into the transaction of its change.")
        return cls.objects.create(
            organization_id=organization.pk if organization else "",
            actor_id=actor.id,
            actor_label=actor.label,
            actor_kind=actor.kind,
            ip=actor.ip[:64],
            action=action,
            target_id=str(target.pk),
            target_label=str(target),
            details=details,
            result=result,
        )
