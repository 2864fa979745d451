"""What staff see of provider keys: everything but secrets, which are absent. Staff test and pause; customers change."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join

from organizations.access import Access, client_ip, staff_access
from organizations.admin import ApiKeyAdmin, AuditedAdmin
from organizations.models import ApiKey, User
from providerkeys.models import BedrockRegion, CheckResult, CredentialCheck, Heartbeat, ProviderKey, TooManyChecks
from providerkeys.views.answers import answers

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
    actions = ("test_again", "disable", "enable")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whether somebody may test and pause keys. Nobody edits one here, whatever their permissions."""
        return request.user.has_perm("providerkeys.change_providerkey")

    @admin.action(description="Test the stored credentials again", permissions=["operate"])
    def test_again(self, request: HttpRequest, queryset: QuerySet[ProviderKey]) -> None:
        for key in queryset.select_related("organization"):
            try:
                CredentialCheck.press(_access(request, key), key.provider, key.stored_rows(), key)
            except TooManyChecks as limit:
                text = f"{key.name} was not tested: {key.organization} tests as much as it may. Wait {limit.wait} s."
                self.message_user(request, text, messages.WARNING)
            else:
                self.message_user(request, f"{key.name} is being tested.")

    @admin.action(description="Disable", permissions=["operate"])
    def disable(self, request: HttpRequest, queryset: QuerySet[ProviderKey]) -> HttpResponse | None:
        text = "Within 5 seconds requests that they would serve are refused, or go to the next key where there is one."
        if page := self.ask_first(request, queryset, "Disable these provider keys?", text):
            return page
        for key in queryset.select_related("organization"):
            key.disable(_access(request, key))
        return None

    @admin.action(description="Enable", permissions=["operate"])
    def enable(self, request: HttpRequest, queryset: QuerySet[ProviderKey]) -> None:
        for key in queryset.select_related("organization"):
            key.enable(_access(request, key))

    @admin.display(description="Assigned to")
    def assigned_to(self, key: ProviderKey) -> str:
        return ", ".join(badge.label for badge in key.assignment_badges)


def _access(request: HttpRequest, key: ProviderKey) -> Access:
    return staff_access(cast(User, request.user), key.organization, client_ip(request))


admin.site.unregister(ApiKey)


@admin.register(ApiKey)
class ServedApiKeyAdmin(ApiKeyAdmin):
    """With what only this room knows: which provider keys serve an API key, and why."""

    fields = (*ApiKeyAdmin.fields, "served_by")  # type: ignore[assignment]  # The types count the fields.
    readonly_fields = (*ApiKeyAdmin.readonly_fields, "served_by")  # type: ignore[assignment]

    @admin.display(description="Served by")
    def served_by(self, api_key: ApiKey) -> str:
        keys = ProviderKey.objects.filter(organization_id=api_key.organization_id).defer("credentials")
        said = answers(keys.prefetch_related("assignments").order_by("position"), api_key.pk)
        lines = (
            (one.provider_label, ", then ".join(key.name for key in one.keys) or "nothing", one.reason) for one in said
        )
        return format_html_join("", "<p><strong>{}</strong>: {}. {}</p>", lines)


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
