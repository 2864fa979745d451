from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from organizations.admin import Inlined, ReadOnlyAdmin
from organizations.admin.links import link
from organizations.models import Organization, User
from providerkeys import badges
from providerkeys.admin.words import ProviderFilter, VerdictFilter, drawn, known_values, told
from providerkeys.models import CheckResult, CredentialCheck, ProviderKey
from providerkeys.models.check import State
from providerkeys.providers.verdicts import Verdict

if TYPE_CHECKING:
    _ResultInline = admin.TabularInline[CheckResult, CredentialCheck]
else:
    _ResultInline = admin.TabularInline


class CheckResultInline(Inlined, _ResultInline):
    model = CheckResult
    fields = ("of_result", "record", "judged", "reason", "milliseconds")
    readonly_fields = fields
    can_delete = False
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[CheckResult]:
        results = super().get_queryset(request).select_related("credential_check")
        return results.defer("credential_check__candidate")

    @admin.display(description="credential")
    def of_result(self, result: CheckResult) -> str:
        return link(result, result.label or "credential")

    @admin.display(description="verdict")
    def judged(self, result: CheckResult) -> str:
        return told(result.credential_check.provider, result.verdict, result.reason)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CredentialCheck)
class CredentialCheckAdmin(ReadOnlyAdmin):
    """A check's state is what it is now: past its deadline it is done, though nobody has written that yet."""

    list_display = (
        *("created_at", "of_organization", "of_provider", "of_key", "now", "said", "automatic", "of_user"),
        "id",
    )
    list_display_links = ("created_at", "id")
    list_filter = (ProviderFilter, known_values("state", State), "automatic", "created_at")
    search_fields = (
        *("id", "organization__name", "organization__slug", "provider_key__name", "provider_key__id"),
        "requested_by__email",
    )
    search_help_text = "By id (chk_…), organization, provider key (name or pk_…), or who asked"
    ordering = ("-created_at", "id")
    fields = (
        *("id", "of_organization", "of_provider", "of_key", "of_user", "automatic", "now", "said", "attempt"),
        *("created_at", "sent_at", "deadline", "lease_until", "finished_at"),
    )
    readonly_fields = ("of_organization", "of_provider", "of_key", "of_user", "now", "said")
    inlines = (CheckResultInline,)
    secret_fields = frozenset({"candidate", "fingerprint", "credentials", "password"})
    names = {"organization_id": Organization, "provider_key_id": ProviderKey, "requested_by_id": User}

    def get_queryset(self, request: HttpRequest) -> QuerySet[CredentialCheck]:
        checks = super().get_queryset(request).select_related("organization", "requested_by", "provider_key")
        return checks.prefetch_related("results").defer("candidate", "provider_key__credentials")

    @admin.display(description="provider", ordering="provider")
    def of_provider(self, check: CredentialCheck) -> str:
        return check.provider_label

    @admin.display(description="provider key", ordering="provider_key__name")
    def of_key(self, check: CredentialCheck) -> str:
        return link(check.provider_key)

    @admin.display(description="requested by", ordering="requested_by__email")
    def of_user(self, check: CredentialCheck) -> str:
        return link(check.requested_by)

    @admin.display(description="state", ordering="state")
    def now(self, check: CredentialCheck) -> str:
        return check.state_now

    @admin.display(description="verdicts")
    def said(self, check: CredentialCheck) -> str:
        """Each verdict once, in the order of the rows."""
        verdicts = dict.fromkeys(shown.verdict for shown in check.results_now if shown.verdict)
        return drawn(badges.VERDICT_BADGES[Verdict(one)] for one in verdicts) or "-"


@admin.register(CheckResult)
class CheckResultAdmin(ReadOnlyAdmin):
    """What was said of each credential of a check: where to look for everybody who has the same trouble."""

    list_display = ("at", "of_organization", "of_provider", "label", "judged", "milliseconds", "of_check")
    list_filter = (VerdictFilter, "credential_check__created_at")
    search_fields = ("id", "record", "reason", "label", "credential_check__id", "credential_check__organization__slug")
    search_help_text = "By reason, region, id of the check or of what was tested, or an organization’s slug"
    ordering = ("-credential_check__created_at", "position", "id")
    fields = (
        *("id", "of_check", "of_organization", "of_provider", "label", "record", "version"),
        *("judged", "reason", "milliseconds", "at"),
    )
    readonly_fields = ("of_check", "of_organization", "of_provider", "judged", "at")
    secret_fields = frozenset({"fingerprint", "candidate"})
    names = {"credential_check_id": CredentialCheck}

    def get_queryset(self, request: HttpRequest) -> QuerySet[CheckResult]:
        results = super().get_queryset(request).select_related("credential_check__organization")
        return results.defer("credential_check__candidate")

    @admin.display(description="check", ordering="credential_check")
    def of_check(self, result: CheckResult) -> str:
        return link(result.credential_check)

    @admin.display(description="organization", ordering="credential_check__organization__name")
    def of_organization(self, result: CheckResult) -> str:
        return link(result.credential_check.organization)

    @admin.display(description="provider", ordering="credential_check__provider")
    def of_provider(self, result: CheckResult) -> str:
        return result.credential_check.provider_label

    @admin.display(description="verdict", ordering="verdict")
    def judged(self, result: CheckResult) -> str:
        return told(result.credential_check.provider, result.verdict, result.reason)

    @admin.display(description="asked at", ordering="credential_check__created_at")
    def at(self, result: CheckResult) -> str:
        return f"{result.credential_check.created_at:%Y-%m-%d %H:%M:%S}"
