from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from organizations.admin.base import AuditedAdmin
from organizations.models import AuditEvent
from organizations.text import visible


@admin.register(AuditEvent)
class AuditEventAdmin(AuditedAdmin):
    """Read-only. Labels are written out, so that a name cannot pretend to be another cell or line."""

    list_display = ("at", "organization_id", "actor", "actor_kind", "ip", "action", "target", "result")
    list_filter = ("at", "actor_kind", "result", "action")
    search_fields = ("organization_id", "actor_id", "actor_label", "action", "target_id", "target_label", "ip")
    ordering = ("-at", "-id")
    list_per_page = 50
    fields = (*list_display, "actor_id", "target_id", "details")

    @admin.display(ordering="actor_label")
    def actor(self, event: AuditEvent) -> str:
        return visible(event.actor_label)

    @admin.display(ordering="target_label")
    def target(self, event: AuditEvent) -> str:
        return visible(event.target_label)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
