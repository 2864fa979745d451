from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from organizations.admin.base import AuditedAdmin, staff_actor
from organizations.models import Membership, Organization

if TYPE_CHECKING:
    _TabularInline = admin.TabularInline[Membership, Organization]
else:
    _TabularInline = admin.TabularInline


class MembershipInline(_TabularInline):
    model = Membership
    fields = ("user", "role", "created_at")
    readonly_fields = ("created_at",)
    autocomplete_fields = ("user",)
    extra = 0


@admin.register(Organization)
class OrganizationAdmin(AuditedAdmin):
    list_display = ("name", "slug", "id", "suspended_at", "created_at")
    list_filter = (("suspended_at", admin.EmptyFieldListFilter), "created_at")
    search_fields = ("name", "slug", "id")
    ordering = ("name", "id")
    fields = ("name", "slug", "id", "suspended_at", "created_at")
    readonly_fields = ("slug", "id", "suspended_at", "created_at")
    inlines = (MembershipInline,)
    actions = ("suspend", "resume")
    secret_fields = frozenset({"fingerprint_salt"})

    @admin.action(description="Suspend: the gateway refuses their requests", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Organization]) -> HttpResponse | None:
        text = (
            "The gateway will refuse every request of theirs within 5 seconds. Their console stays open, and says so."
        )
        if page := self.ask_first(request, queryset, "Suspend these organizations?", text):
            return page
        for organization in queryset:
            organization.suspend(staff_actor(request))
        return None

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Organization]) -> None:
        for organization in queryset:
            organization.resume(staff_actor(request))


@admin.register(Membership)
class MembershipAdmin(AuditedAdmin):
    list_display = ("user", "organization", "role", "created_at")
    list_filter = ("role", "created_at")
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "user__name", "organization__name", "organization__slug", "id")
    ordering = ("organization__name", "user__email")
    fields = ("organization", "user", "role", "created_at")
    readonly_fields = ("created_at",)
    autocomplete_fields = ("organization", "user")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # A membership never moves: another user or organization is another membership, and leaves its own event.
        return ("organization", "user", *self.readonly_fields) if obj else tuple(self.readonly_fields)
