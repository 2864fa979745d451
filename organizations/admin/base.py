"""What every admin page of the product does: it leaves an audit event, and it is no oracle for secrets."""

import re
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from organizations.access import client_ip
from organizations.actors import Actor
from organizations.models import AuditEvent, Organization, User

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


def staff_actor(request: HttpRequest) -> Actor:
    return Actor.staff(cast(User, request.user), client_ip(request))


def audit_name(model: type[models.Model]) -> str:
    """Return the first half of an action's name: `api_key` for ApiKey."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", model.__name__).lower()


class AuditedAdmin(_ModelAdmin):
    """Records each change as staff's, in the same transaction.

    `secret_fields` are columns that no filter in the URL may ask about: `?digest__startswith=a` would answer.
    """

    secret_fields: frozenset[str] = frozenset()
    show_full_result_count = False

    def ask_first(
        self, request: HttpRequest, queryset: models.QuerySet[Any], title: str, text: str
    ) -> HttpResponse | None:
        """Return the page that asks before an action takes something away; nothing once that page was answered."""
        if request.POST.get("post"):
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "text": text,
            "opts": self.opts,
            "queryset": queryset,
            "action": request.POST["action"],
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/confirm_action.html", context)

    def record(self, request: HttpRequest, obj: models.Model, verb: str, *, result: str = "ok", **details: Any) -> None:
        action = f"{audit_name(type(obj))}.{verb}"
        AuditEvent.record(self.organization_of(obj), staff_actor(request), action, obj, result=result, **details)

    def organization_of(self, obj: models.Model) -> Organization | None:
        return obj if isinstance(obj, Organization) else getattr(obj, "organization", None)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return self.secret_fields.isdisjoint(lookup.split("__")) and super().lookup_allowed(lookup, value, request)

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
