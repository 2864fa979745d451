from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from organizations.admin import ApiKeyAdmin
from organizations.admin.links import link
from organizations.models import ApiKey
from providerkeys.models import KeyAssignment, ProviderKey
from providerkeys.views.answers import answers

_NAMED: Final = 50

admin.site.unregister(ApiKey)


@admin.register(ApiKey)
class ServedApiKeyAdmin(ApiKeyAdmin):
    """With what only this room knows: which provider keys serve an API key, and why."""

    fields = (*ApiKeyAdmin.fields, "served_by")  # type: ignore[assignment]  # The types count the fields.
    readonly_fields = (*ApiKeyAdmin.readonly_fields, "served_by")  # type: ignore[assignment]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # Assignments go with their API key, for customers as for staff; nobody deletes one by itself.
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, needed - {KeyAssignment._meta.verbose_name}, protected

    @admin.display(description="Served by")
    def served_by(self, api_key: ApiKey) -> str:
        keys = ProviderKey.objects.filter(organization_id=api_key.organization_id).defer("credentials")
        said = answers(keys.prefetch_related("assignments").order_by("position"), api_key.pk)
        lines = ((one.provider_label, _in_order(one.keys), one.reason) for one in said)
        return format_html_join("", "<p><strong>{}</strong>: {}. {}</p>", lines)


def _in_order(keys: list[ProviderKey]) -> str:
    named = format_html_join(", then ", "{}", ((link(key),) for key in keys[:_NAMED])) or "nothing"
    return named if len(keys) <= _NAMED else format_html("{}, then {} more", named, len(keys) - _NAMED)
