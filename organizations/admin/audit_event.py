from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from organizations.admin.base import ReadOnlyAdmin
from organizations.admin.records import AboutOrganizations
from organizations.models import AuditEvent, Organization, User
from organizations.text import visible

_WORDS: Final = ("actor_kind", "result", "action")
_RECORDED: Final = "_recorded_words"


class RecordedFilter(admin.AllValuesFieldListFilter):
    """By a word that events were recorded with. Those that there are cost a look at all of them: one, whatever the filters."""

    def __init__(self, field: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, request, *args, **kwargs)
        words = {event[field.name] for event in _recorded(request)}
        self.lookup_choices = sorted(words)  # type: ignore[assignment]  # Django only goes through them.


def _recorded(request: HttpRequest) -> Any:
    if not hasattr(request, _RECORDED):
        setattr(request, _RECORDED, AuditEvent.objects.order_by().values(*_WORDS).distinct())
    return getattr(request, _RECORDED)


@admin.register(AuditEvent)
class AuditEventAdmin(AboutOrganizations, ReadOnlyAdmin):
    """Read-only. Labels are written out, so that a name cannot pretend to be another cell or line."""

    list_display = ("at", "in_organization", "actor", "action", "target", "result", "ip")
    list_filter = ("at", *((word, RecordedFilter) for word in _WORDS))
    search_fields = ("id", "organization_id", "actor_id", "actor_label", "action", "target_id", "target_label", "ip")
    search_help_text = "By organization (slug or id), who did it, action, name or id of the target, or IP address"
    ordering = ("-at", "-id")
    fields = (
        *("at", "in_organization", "organization_id", "actor", "actor_id", "actor_kind", "ip"),
        *("action", "target", "target_id", "result", "details"),
    )
    names = {"organization_id": Organization, "actor_id": User}

    @admin.display(ordering="actor_label")
    def actor(self, event: AuditEvent) -> str:
        return visible(event.actor_label)

    @admin.display(ordering="target_label")
    def target(self, event: AuditEvent) -> str:
        return visible(event.target_label)

    def events_of(self, obj: Any) -> QuerySet[AuditEvent]:
        """Nothing happens to an event."""
        return AuditEvent.objects.none()
