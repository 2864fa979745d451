"""What staff see of provider keys: everything but secrets, which are absent. Customers make the changes."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from organizations.admin import AuditedAdmin
from providerkeys.models import BedrockRegion, CheckResult, CredentialCheck, Heartbeat, ProviderKey

if TYPE_CHECKING:
    _ResultInline = admin.TabularInline[CheckResult, CredentialCheck]
    _RegionInline = admin.TabularInline[BedrockRegion, ProviderKey]
else:
    _ResultInline = _RegionInline = admin.TabularInline


class ReadOnlyAdmin(AuditedAdmin):
    """Looks, and changes nothing."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class BedrockRegionInline(_RegionInline):
    model = BedrockRegion
    fields = ("position", "region", "hint", "verdict", "reason", "verdict_at", "last_check_at", "unreadable_at")
    readonly_fields = fields
    can_delete = False
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[BedrockRegion]:
        return super().get_queryset(request).defer("credentials")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ProviderKey)
class ProviderKeyAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "provider",
        "hint",
        "organization",
        "scope",
        "enabled",
        "verdict",
        "last_check_at",
        "created_at",
    )
    list_filter = ("provider", "scope", "enabled", "verdict", "created_at")
    list_select_related = ("organization",)
    search_fields = ("name", "hint", "id", "organization__name", "organization__slug")
    ordering = ("-created_at", "id")
    fields = (
        *("organization", "provider", "name", "hint", "id", "scope", "assigned_to", "position", "enabled"),
        *("verdict", "reason", "verdict_at", "last_check_verdict", "last_check_reason", "last_check_at"),
        *("unreadable_at", "last_used_at", "created_at", "created_by", "updated_at", "version"),
    )
    readonly_fields = ("assigned_to",)
    inlines = (BedrockRegionInline,)
    secret_fields = frozenset({"credentials", "fingerprint"})

    @admin.display(description="Assigned to")
    def assigned_to(self, key: ProviderKey) -> str:
        return ", ".join(badge.label for badge in key.assignment_badges)


class CheckResultInline(_ResultInline):
    model = CheckResult
    fields = ("label", "record", "verdict", "reason", "milliseconds")
    readonly_fields = fields
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CredentialCheck)
class CredentialCheckAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "provider",
        "organization",
        "state",
        "attempt",
        "automatic",
        "requested_by",
        "created_at",
        "finished_at",
    )
    list_filter = ("provider", "state", "automatic", "created_at")
    list_select_related = ("organization", "requested_by")
    search_fields = ("id", "organization__name", "organization__slug", "provider_key__name")
    ordering = ("-created_at", "id")
    fields = (
        *("id", "organization", "provider", "provider_key", "requested_by", "automatic", "state", "attempt"),
        *("created_at", "sent_at", "deadline", "lease_until", "finished_at"),
    )
    inlines = (CheckResultInline,)
    secret_fields = frozenset({"candidate", "fingerprint"})


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "at")
    fields = ("at",)
