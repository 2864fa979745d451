from typing import Any, Final

from axes import admin as _theirs  # noqa: F401  It registers first what is taken back here.
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from organizations.admin.base import ReadOnlyAdmin

# Nothing is ever written into the two others.
for model in (AccessAttempt, AccessFailureLog, AccessLog):
    admin.site.unregister(model)
apps.get_app_config("axes").verbose_name = "Logins"

_SHOWN: Final = ("username", "ip_address", "failures_since_start", "locks", "attempt_time", "path_info", "user_agent")


@admin.register(AccessAttempt)
class FailedLoginAdmin(ReadOnlyAdmin):
    """Who failed to log in, and the links that were mailed. What was typed is not shown; logins are unlocked on a user."""

    list_display = _SHOWN
    list_filter = ("attempt_time",)
    search_fields = ("username", "ip_address", "user_agent")
    search_help_text = "By address, IP address or browser"
    ordering = ("-attempt_time", "id")
    fields = _SHOWN
    secret_fields = frozenset({"get_data", "post_data"})

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessAttempt]:
        return super().get_queryset(request).defer("get_data", "post_data")

    @admin.display(boolean=True, description="locked")
    def locks(self, attempt: Any) -> bool:
        lately = attempt.attempt_time > timezone.now() - settings.AXES_COOLOFF_TIME
        return bool(lately and attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT)
