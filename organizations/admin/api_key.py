from typing import cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from organizations.access import client_ip, staff_access
from organizations.admin.base import AuditedAdmin
from organizations.models import ApiKey, User


@admin.register(ApiKey)
class ApiKeyAdmin(AuditedAdmin):
    """Keys are issued in the console alone, to the people who will use them."""

    list_display = ("name", "hint", "organization", "enabled", "expires_at", "last_used_at", "created_at")
    list_filter = ("enabled", "expires_at", "last_used_at", "created_at")
    list_select_related = ("organization",)
    search_fields = ("name", "hint", "id", "organization__name", "organization__slug")
    ordering = ("-created_at", "id")
    fields = (
        "organization",
        "name",
        "hint",
        "id",
        "enabled",
        "expires_at",
        "last_used_at",
        "created_at",
        "created_by",
    )
    readonly_fields = (
        "organization",
        "hint",
        "id",
        "enabled",
        "last_used_at",
        "created_at",
        "created_by",
    )
    actions = ("disable", "enable")
    secret_fields = frozenset({"lookup", "digest", "former_lookup", "former_digest"})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description="Disable", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        text = "The gateway will refuse requests with them within 5 seconds."
        if page := self.ask_first(request, queryset, "Disable these API keys?", text):
            return page
        for key in queryset.select_related("organization"):
            key.disable(staff_access(cast(User, request.user), key.organization, client_ip(request)))
        return None

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset.select_related("organization"):
            key.enable(staff_access(cast(User, request.user), key.organization, client_ip(request)))
