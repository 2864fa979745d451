from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from organizations.admin.actions import action
from organizations.admin.base import AuditedAdmin, held, staff_actor
from organizations.admin.links import link
from organizations.models import AuditEvent, Membership, Organization, User

if TYPE_CHECKING:
    _TabularInline = admin.TabularInline[Membership, Organization]
    _MembershipForm = forms.ModelForm[Membership]
    _FormSet = forms.BaseInlineFormSet[Membership, Organization, forms.ModelForm[Membership]]
else:
    _TabularInline = admin.TabularInline
    _MembershipForm = forms.ModelForm
    _FormSet = forms.BaseInlineFormSet


class Shown(forms.Widget):
    """Says who it is, with a link to them, and sends nothing."""

    def __init__(self, user: User) -> None:
        super().__init__()
        self.user = user

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        return link(self.user)


class MembershipForm(_MembershipForm):
    """A membership never moves: its user is chosen once. Another user is another membership, and leaves its own event."""

    class Meta:
        model = Membership
        fields = ("user", "role")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.user_id and "user" in self.fields:
            self.fields["user"].disabled = True
            self.fields["user"].widget = Shown(self.instance.user)
        # A table has no labels beside its fields.
        for name, field in self.fields.items():
            field.widget.attrs["aria-label"] = name.capitalize()


class MembershipFormSet(_FormSet):
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].widget.attrs["aria-label"] = "Delete"


class MembershipInline(_TabularInline):
    model = Membership
    form = MembershipForm
    formset = MembershipFormSet
    fields = ("user", "role", "created_at")
    readonly_fields = ("created_at",)
    autocomplete_fields = ("user",)
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        members = held(request, super().get_queryset(request)).select_related("user", "organization")
        return members.order_by("user__email")


@admin.register(Organization)
class OrganizationAdmin(AuditedAdmin):
    list_display = ("name", "slug", "id", "serving", "suspended_at", "created_at")
    list_filter = (("suspended_at", admin.EmptyFieldListFilter), "created_at")
    search_fields = ("name", "slug", "id", "memberships__user__email")
    search_help_text = "By name, slug, id, or a member’s address"
    ordering = ("name", "id")
    fields = ("name", "slug", "id", "suspended_at", "created_at")
    readonly_fields = ("slug", "id", "suspended_at", "created_at")
    inlines = (MembershipInline,)
    actions = ("suspend", "resume")
    secret_fields = frozenset({"fingerprint_salt"})

    @admin.display(boolean=True, ordering="suspended_at")
    def serving(self, organization: Organization) -> bool:
        return not organization.is_suspended

    def events_of(self, obj: models.Model) -> QuerySet[AuditEvent]:
        """Everything that was done in the organization."""
        return AuditEvent.objects.filter(organization_id=obj.pk)

    def idle_actions(self, obj: Organization) -> frozenset[str]:
        return frozenset({"suspend" if obj.is_suspended else "resume"})

    @action("Suspend", "their requests are refused")
    def suspend(self, request: HttpRequest, queryset: QuerySet[Organization]) -> HttpResponse | None:
        text = (
            "The gateway will refuse every request of theirs within 5 seconds. Their console stays open, and says so."
        )
        if page := self.ask_first(request, queryset, "Suspend these organizations?", text):
            return page
        to_change = list(queryset.filter(suspended_at=None))
        for organization in to_change:
            organization.suspend(staff_actor(request))
        self.say(request, "Suspended", to_change)
        return None

    @action("Resume", "they are served again")
    def resume(self, request: HttpRequest, queryset: QuerySet[Organization]) -> None:
        to_change = list(queryset.exclude(suspended_at=None))
        for organization in to_change:
            organization.resume(staff_actor(request))
        self.say(request, "Resumed", to_change)


@admin.register(Membership)
class MembershipAdmin(AuditedAdmin):
    list_display = ("of_user", "of_organization", "role", "created_at")
    list_display_links = ("role",)
    list_filter = ("role", "created_at")
    search_fields = ("user__email", "user__name", "organization__name", "organization__slug", "id")
    search_help_text = "By a person’s name or address, an organization’s name or slug, or id"
    ordering = ("organization__name", "user__email")
    fields = ("organization", "user", "role", "created_at")
    readonly_fields = ("created_at",)
    autocomplete_fields = ("organization", "user")
    names = {"organization_id": Organization, "user_id": User}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "organization")

    @admin.display(description="user", ordering="user__email")
    def of_user(self, membership: Membership) -> str:
        return link(membership.user)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # A membership never moves: see ``MembershipForm``.
        return ("organization", "user", *self.readonly_fields) if obj else tuple(self.readonly_fields)
