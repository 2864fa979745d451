"""What staff see of requests: who, what, by which key, how it ended. There is nothing else to see."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from gateway.models import RequestRecord
from organizations.admin import ReadOnlyAdmin
from organizations.admin.records import AboutOrganizations
from organizations.models import ApiKey, Organization
from providerkeys.admin.words import ProviderFilter
from providerkeys.models import ProviderKey
from providerkeys.providers import registry

_OUTCOMES: Final = {
    "served": ("Served", Q(status__lt=400)),
    "refused": ("Refused or wrong (4xx)", Q(status__gte=400, status__lt=500)),
    "failed": ("Failed (5xx)", Q(status__gte=500)),
}


class OutcomeFilter(admin.SimpleListFilter):
    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _) in _OUTCOMES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(_OUTCOMES[self.value() or ""][1]) if self.value() in _OUTCOMES else queryset


@admin.register(RequestRecord)
class RequestRecordAdmin(AboutOrganizations, ReadOnlyAdmin):
    list_display = (
        *("at", "in_organization", "api_key_name", "model", "ended", "reason"),
        *("of_provider", "provider_key_name", "total_ms", "id"),
    )
    list_display_links = ("at", "id")
    list_filter = (OutcomeFilter, ProviderFilter, "streamed", "at")
    search_fields = (
        *("id", "organization_id", "api_key_id", "api_key_name", "provider_key_id", "provider_key_name"),
        *("provider_request_id", "model", "reason"),
    )
    search_help_text = "By organization (slug or id), id of the request (ours or the provider’s), key, model or reason"
    ordering = ("-at", "id")
    fields = (
        *("id", "at", "in_organization", "organization_id", "api_key_id", "api_key_name", "api_key_hint"),
        *("api", "of_provider", "model", "region"),
        *("provider_key_id", "provider_key_name", "provider_key_hint", "provider_key_version"),
        *("ended", "reason", "attempts", "provider_request_id", "streamed", "first_byte_ms", "total_ms"),
        *("tokens_in", "tokens_out"),
    )
    names = {"organization_id": Organization, "api_key_id": ApiKey, "provider_key_id": ProviderKey}

    @admin.display(description="provider", ordering="provider")
    def of_provider(self, record: RequestRecord) -> str:
        return registry.label(record.provider) or "-"

    @admin.display(description="status", ordering="status")
    def ended(self, record: RequestRecord) -> str:
        tone = "green" if record.status < 400 else "amber" if record.status < 500 else "red"
        return format_html('<span class="badge tone-{}">{}</span>', tone, record.status)
