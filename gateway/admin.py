"""What staff see of requests: who, what, by which key, how it ended. There is nothing else to see."""

from django.contrib import admin

from gateway.models import RequestRecord
from providerkeys.admin import ReadOnlyAdmin


@admin.register(RequestRecord)
class RequestRecordAdmin(ReadOnlyAdmin):
    list_display = ("id", "at", "organization_id", "api_key_name", "provider", "model", "status", "reason", "total_ms")
    list_filter = ("provider", "api", "at")
    search_fields = ("id", "organization_id", "api_key_id", "provider_key_id", "provider_request_id")
    ordering = ("-at", "id")
    show_full_result_count = False
    fields = (
        *("id", "at", "organization_id", "api_key_id", "api_key_name", "api_key_hint", "api", "provider", "model"),
        *("provider_key_id", "provider_key_name", "provider_key_hint", "provider_key_version", "region"),
        *("status", "reason", "attempts", "provider_request_id", "streamed", "first_byte_ms", "total_ms"),
        *("tokens_in", "tokens_out"),
    )
