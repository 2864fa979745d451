from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from organizations.admin.actions import action
from organizations.admin.base import AuditedAdmin, Inlined, held, staff_actor, without_popups
from organizations.admin.links import link
from organizations.admin.named import named
from organizations.models import AuditEvent, Membership, Organization, User

if TYPE_CHECKING:
    _TabularInline = admin.TabularInline[Membership, Organization]
    _MembershipForm = forms.ModelForm[Membership]
    _FormSet = forms.BaseInlineFormSet[Membership, Organization, forms.ModelForm[Membership]]
else:
    _TabularInline = admin.TabularInline
    _MembershipForm = forms.ModelForm
    _FormSet = forms.BaseInlineFormSet

_MOST_MEMBERS: Final = 100
_CROWDED: Final = "_is_crowded"


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


class MembershipInline(Inlined, _TabularInline):
    model = Membership
    form = MembershipForm
    formset = MembershipFormSet
    fields = ("user", "role", "created_at")
    readonly_fields = ("created_at",)
    extra = 0

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_foreignkey(db_field, request, **kwargs, **named(db_field))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return without_popups(super().formfield_for_dbfield(db_field, request, **kwargs))

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
    actions = ("suspend", "resume")
    secret_fields = frozenset({"fingerprint_salt"})

    @admin.display(boolean=True, ordering="suspended_at")
    def serving(self, organization: Organization) -> bool:
        return not organization.is_suspended

    def get_inlines(self, request: HttpRequest, obj: Organization | None) -> Any:
        return [] if self._is_crowded(request, obj) else [MembershipInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Organization | None = None) -> tuple[str, ...]:
        return (*self.readonly_fields, *(["members"] if self._is_crowded(request, obj) else []))

    def get_fields(self, request: HttpRequest, obj: Organization | None = None) -> Any:
        return [*super().get_fields(request, obj), *(["members"] if self._is_crowded(request, obj) else [])]

    @admin.display
    def members(self, organization: Organization) -> str:
        return f"More than {_MOST_MEMBERS}: the list of memberships has them, and room for others."

    @staticmethod
    def _is_crowded(request: HttpRequest, obj: Organization | None) -> bool:
        """Whether there are more members than a page has room for. A form that came with members is saved with them."""
        if obj is None or "memberships-TOTAL_FORMS" in request.POST:
            return False
        if not hasattr(obj, _CROWDED):
            setattr(obj, _CROWDED, obj.memberships.order_by()[_MOST_MEMBERS : _MOST_MEMBERS + 1].exists())
        return bool(getattr(obj, _CROWDED))

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
        title = "Suspend this organization?" if queryset.count() == 1 else "Suspend these organizations?"
        if page := self.ask_first(request, queryset, title, text):
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
    names = {"organization_id": Organization, "user_id": User}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_foreignkey(db_field, request, **kwargs, **named(db_field))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "organization")

    @admin.display(description="user", ordering="user__email")
    def of_user(self, membership: Membership) -> str:
        return link(membership.user)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # A membership never moves: see ``MembershipForm``.
        return ("organization", "user", *self.readonly_fields) if obj else tuple(self.readonly_fields)
