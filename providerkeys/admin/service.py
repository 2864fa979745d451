"""What the service says of itself."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from organizations.admin import ReadOnlyAdmin
from providerkeys.models import Heartbeat, Sentinel
from providerkeys.models.heartbeat import FRESH


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "fresh")
    fields = ("at", "fresh")
    readonly_fields = ("fresh",)

    @admin.display(boolean=True, description="broker, beat and worker do their work")
    def fresh(self, heartbeat: Heartbeat) -> bool:
        return heartbeat.at > timezone.now() - FRESH


@admin.register(Sentinel)
class SentinelAdmin(ReadOnlyAdmin):
    """That there is one, and since when: what it holds is a secret like any other."""

    list_display = ("__str__", "created_at")
    fields = ("created_at",)
    secret_fields = frozenset({"proof"})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sentinel]:
        return super().get_queryset(request).defer("proof")
