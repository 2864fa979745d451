"""What every admin page of the product does: it leaves an audit event, and it is no oracle for secrets."""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from organizations.access import client_ip
from organizations.actors import Actor
from organizations.admin.actions import ActingAdmin
from organizations.admin.deletions import Uncountable, going_with
from organizations.admin.links import LinkedAdmin, link
from organizations.admin.lists import StaffList
from organizations.models import AuditEvent, Organization, User
from organizations.text import visible

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _ChoicesField = forms.ModelMultipleChoiceField[Any]
else:
    _ModelAdmin = admin.ModelAdmin
    _ChoicesField = forms.ModelMultipleChoiceField

_EVENTS_SHOWN: Final = 100
# No filter offers them. A regular expression can keep a process busy for ever, or be none, and a year may be no date's.
_UNFIT_LOOKUPS: Final = frozenset({"regex", "iregex", "year", "iso_year", "range"})


def staff_actor(request: HttpRequest) -> Actor:
    return Actor.staff(cast(User, request.user), client_ip(request))


def held[M: models.Model](request: HttpRequest, rows: models.QuerySet[M]) -> models.QuerySet[M]:
    """The rows, locked while a form of theirs is saved.

    It is saved as whole rows: what others write meanwhile would be undone, and what they delete would be back.
    """
    return rows.select_for_update(of=("self",)) if _is_saving(request) else rows


class ChoicesField(_ChoicesField):
    """Choices of which one that no database could know is none of them: SQLite fails at a number of more than 64 bits."""

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except OverflowError:
            longest = max(value, key=len)
            raise ValidationError(self.error_messages["invalid_choice"], "invalid_choice", {"value": longest}) from None


def without_popups(field: Any) -> Any:
    """The field without buttons that open another form in a window of its own. They'd need jQuery, and there is a page for each."""
    if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
        field.widget = field.widget.widget
    return field


def _is_saving(request: HttpRequest) -> bool:
    return request.method == "POST" and transaction.get_connection().in_atomic_block


def audit_name(model: type[models.Model]) -> str:
    """Return the first half of an action's name: `api_key` for ApiKey."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", model.__name__).lower()


class Inlined:
    """Rows on another object's page. The script that adds one is on every page, where Django's own needs jQuery."""

    @property
    def media(self) -> forms.Media:
        return forms.Media()


class AuditedAdmin(ActingAdmin, LinkedAdmin, _ModelAdmin):
    """Records each change as staff's, in the same transaction.

    `secret_fields` are columns that no filter in the URL may ask about: `?digest__startswith=a` would answer.
    """

    secret_fields: frozenset[str] = frozenset()
    show_full_result_count = False
    # Each choice of each filter would count all rows.
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    @property
    def media(self) -> forms.Media:
        """What fields need. Django adds 90 kB that work for nothing here: jQuery, slugs, windows for related objects."""
        return forms.Media(js=["admin/js/core.js"])

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return without_popups(super().formfield_for_dbfield(db_field, request, **kwargs))

    def action_checkbox(self, obj: models.Model) -> SafeString:
        """The box that chooses a row, with room around it that belongs to it."""
        return format_html('<label class="tick">{}</label>', super().action_checkbox(obj))

    @admin.display(description="organization", ordering="organization__name")
    def of_organization(self, obj: Any) -> str:
        return link(obj.organization)

    def record(self, request: HttpRequest, obj: models.Model, verb: str, *, result: str = "ok", **details: Any) -> None:
        action = f"{audit_name(type(obj))}.{verb}"
        AuditEvent.record(self.organization_of(obj), staff_actor(request), action, obj, result=result, **details)

    def organization_of(self, obj: models.Model) -> Organization | None:
        return obj if isinstance(obj, Organization) else getattr(obj, "organization", None)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        asked = lookup.split("__")
        # PostgreSQL refuses text with a NUL. Filters of ours see to that themselves.
        ours = {getattr(one, "parameter_name", "") for one in self.get_list_filter(request)}
        has_nul = lookup not in ours and any("\0" in text for text in request.GET.getlist(lookup))
        fit = self.secret_fields.isdisjoint(asked) and _UNFIT_LOOKUPS.isdisjoint(asked) and not has_nul
        return fit and super().lookup_allowed(lookup, value, request)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        if _is_saving(request):
            with suppress(ValidationError, ValueError):
                held(request, self.model._default_manager.filter(pk=object_id)).values_list("pk").first()
        return super().get_object(request, object_id, from_field)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        obj = context.get("original")
        if obj:
            # A page is called by what it shows; what may be done with it, its buttons say.
            context |= {"title": str(obj), "subtitle": capfirst(str(self.opts.verbose_name))}
            context |= {"lists": self.lists_of(request, obj), "idle_actions": self.idle_actions(obj)}
        return super().render_change_form(request, context, *args, **kwargs)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[StaffList]:
        return StaffList

    def read_along(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Add what each row of a list shows of several others, which no object's own page has to read."""
        return rows

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_search_results(self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str) -> Any:
        # Of a list that is chosen from while one types; a page's own search is judged by its form.
        return super().get_search_results(request, queryset, search_term.replace("\0", "?"))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show the audit events of an object. Django's own log, which nothing is written into, isn't asked."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
            return missing
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        latest = self.events_of(obj).order_by("-at", "-id")[:_EVENTS_SHOWN]
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {obj}",
            "subtitle": None,
            # Labels are written out, as in the audit events' own list.
            "events": [(one, visible(one.actor_label), visible(one.target_label)) for one in latest],
            "shown_at_most": _EVENTS_SHOWN,
            "module_name": capfirst(str(self.opts.verbose_name_plural)),
            "object": obj,
            "opts": self.opts,
            "preserved_filters": self.get_preserved_filters(request),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/object_history.html", context)

    def events_of(self, obj: models.Model) -> models.QuerySet[AuditEvent]:
        """The audit events of this object. By organization first, which is what the trail is indexed by."""
        organization = self.organization_of(obj)
        return AuditEvent.objects.filter(organization_id=organization.pk if organization else "", target_id=str(obj.pk))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        # What is still to be made has nothing to show.
        return fields if obj else [one for one in fields if one not in self.get_readonly_fields(request, obj)]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **{"form_class": ChoicesField, **kwargs})
        if field and field.queryset is not None and field.queryset.model is Permission:
            # Each is called by the name of its model too.
            field.queryset = field.queryset.select_related("content_type")
        return field

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            if not change:
                self.record(request, obj, "created")
            elif form.changed_data:
                self.record(request, obj, "changed", fields=list(form.changed_data))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        with transaction.atomic():
            # Sorts the rows without writing: a deleted one must be recorded while it still has its id.
            formset.save(commit=False)
            for obj in formset.deleted_objects:
                self.record(request, obj, "deleted")
            super().save_formset(request, form, formset, change)
            for obj in formset.new_objects:
                self.record(request, obj, "created")
            for obj, fields in formset.changed_objects:
                self.record(request, obj, "changed", fields=list(fields))

    def get_deleted_objects(self, objs: Sequence[models.Model] | models.QuerySet[Any], request: HttpRequest) -> Any:
        """Say how many of each kind go with the objects, where Django names them all, a query for each kind.

        An admin that denies deletion by what a row holds is asked about the objects themselves, not about what goes with them.
        """
        try:
            below = going_with(objs) if objs else {}
        except Uncountable:
            return super().get_deleted_objects(objs, request)
        names = [format_html("{}: {}", capfirst(str(self.opts.verbose_name)), link(one)) for one in objs]
        admins = {kind: self.admin_site.get_model_admin(kind) for kind in below if self.admin_site.is_registered(kind)}
        needed = {kind._meta.verbose_name for kind, its in admins.items() if not its.has_delete_permission(request)}
        needed |= {self.opts.verbose_name for one in objs if not self.has_delete_permission(request, one)}
        counts = {self.model: len(names), **below} if names else {}
        return names, {kind._meta.verbose_name_plural: number for kind, number in counts.items()}, needed, []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            self.record_deletion(request, obj)
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        with transaction.atomic():
            for obj in queryset:
                self.record_deletion(request, obj)
            super().delete_queryset(request, queryset)

    def record_deletion(self, request: HttpRequest, obj: Any) -> None:
        self.record(request, obj, "deleted")


class ReadOnlyAdmin(AuditedAdmin):
    """Looks, and changes nothing."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
