from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from organizations.access import Access, client_ip, staff_access
from organizations.admin.actions import action
from organizations.admin.base import AuditedAdmin
from organizations.models import ApiKey, Organization, User


@admin.register(ApiKey)
class ApiKeyAdmin(AuditedAdmin):
    """Keys are issued in the console alone, to the people who will use them."""

    list_display = ("name", "hint", "of_organization", "enabled", "expires_at", "last_used_at", "created_at")
    list_filter = ("enabled", "expires_at", "last_used_at", "created_at")
    search_fields = ("name", "hint", "id", "organization__name", "organization__slug", "created_by__email")
    search_help_text = "By name, the key’s last characters, id, organization, or its maker’s address"
    names = {"organization_id": Organization}
    ordering = ("-created_at", "id")
    fields = (
        "organization",
        "name",
        "hint",
        "id",
        "enabled",
        "expires_at",
        "former_hint",
        "former_ends_at",
        "last_used_at",
        "created_at",
        "created_by",
    )
    readonly_fields = (
        "organization",
        "hint",
        "id",
        "enabled",
        "former_hint",
        "former_ends_at",
        "last_used_at",
        "created_at",
        "created_by",
    )
    actions = ("disable", "enable")
    secret_fields = frozenset({"lookup", "digest", "former_lookup", "former_digest"})

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        return super().get_queryset(request).select_related("organization", "created_by")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Save it as the console does, so that whoever edits it there is told of it."""
        obj.change(_access(request, obj), obj.version, obj.name, obj.expires_at)

    def idle_actions(self, obj: ApiKey) -> frozenset[str]:
        return frozenset({"enable" if obj.enabled else "disable"})

    @action("Disable", "the gateway refuses them")
    def disable(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        text = "The gateway will refuse requests with them within 5 seconds."
        if page := self.ask_first(request, queryset, "Disable these API keys?", text):
            return page
        self.say(request, "Disabled", [key for key in queryset if key.disable(_access(request, key))])
        return None

    @action("Enable")
    def enable(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        self.say(request, "Enabled", [key for key in queryset if key.enable(_access(request, key))])


def _access(request: HttpRequest, key: ApiKey) -> Access:
    return staff_access(cast(User, request.user), key.organization, client_ip(request))
