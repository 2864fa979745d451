from typing import TYPE_CHECKING, Any, Final, cast

from django.contrib import admin, messages
from django.db.models import Count, QuerySet, Window
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join

from organizations.access import Access, client_ip, staff_access
from organizations.admin import Inlined, ReadOnlyAdmin
from organizations.admin.actions import action
from organizations.admin.links import link
from organizations.models import ApiKey, Organization, User
from providerkeys import badges
from providerkeys.admin.words import ProviderFilter, VerdictFilter, drawn, known_values, told
from providerkeys.models import BedrockRegion, CredentialCheck, KeyAssignment, ProviderKey, TooManyChecks
from providerkeys.providers import aws_regions
from providerkeys.resolver import Scope

if TYPE_CHECKING:
    _RegionInline = admin.TabularInline[BedrockRegion, ProviderKey]
else:
    _RegionInline = admin.TabularInline

_SHOWN: Final = 100
"""How many API keys a provider key's page names. The list of assignments, to which it links, has them all."""


class BedrockRegionInline(Inlined, _RegionInline):
    model = BedrockRegion
    fields = ("position", "of_region", "hint", "judged", "verdict_at", "last_check_at", "unreadable_at")
    readonly_fields = fields
    can_delete = False
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[BedrockRegion]:
        return super().get_queryset(request).defer("credentials").select_related("provider_key")

    @admin.display(description="region")
    def of_region(self, region: BedrockRegion) -> str:
        return link(region)

    @admin.display(description="verdict")
    def judged(self, region: BedrockRegion) -> str:
        return told(region.provider, region.verdict, region.reason)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ProviderKey)
class ProviderKeyAdmin(ReadOnlyAdmin):
    list_display = ("name", "hint", "of_provider", "of_organization", "serves", "status", "last_check_at", "created_at")
    list_filter = (
        ProviderFilter,
        VerdictFilter,
        known_values("scope", Scope),
        "enabled",
        ("unreadable_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("name", "hint", "id", "organization__name", "organization__slug", "created_by__email")
    search_help_text = "By name, hint, id (pk_…), organization, or its maker’s address"
    ordering = ("-created_at", "id")
    fields = (
        *("of_organization", "of_provider", "name", "hint", "id", "destination"),
        *("status", "serves", "assigned_to", "position"),
        *("judged", "verdict_at", "checked", "last_check_region", "last_check_at"),
        *("unreadable_at", "last_used_at", "created_at", "created_by", "updated_at", "version"),
    )
    readonly_fields = ("of_organization", "of_provider", "status", "serves", "assigned_to", "judged", "checked")
    secret_fields = frozenset({"credentials", "fingerprint"})
    names = {"organization_id": Organization}
    actions = ("test_again", "disable", "enable")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderKey]:
        return super().get_queryset(request).defer("credentials").select_related("organization", "created_by")

    def get_inlines(self, request: HttpRequest, obj: ProviderKey | None) -> Any:
        return [BedrockRegionInline] if obj and obj.regions_count else []

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whether somebody may test and pause keys. Nobody edits one here, whatever their permissions."""
        return request.user.has_perm("providerkeys.change_providerkey")

    def idle_actions(self, obj: ProviderKey) -> frozenset[str]:
        return frozenset({"enable" if obj.enabled else "disable"})

    @action("Test credentials", "the stored ones", "operate")
    def test_again(self, request: HttpRequest, queryset: QuerySet[ProviderKey]) -> None:
        for key in queryset:
            try:
                CredentialCheck.press(_access(request, key), key.provider, key.stored_rows(), key)
            except TooManyChecks as limit:
                text = f"{key.name} was not tested: {key.organization} tests as much as it may. Wait {limit.wait} s."
                self.message_user(request, text, messages.WARNING)
            else:
                self.message_user(request, f"{key.name} is being tested. Reload this page for what it says.")

    @action("Disable", "they serve nothing", "operate")
    def disable(self, request: HttpRequest, queryset: QuerySet[ProviderKey]) -> HttpResponse | None:
        text = "Within 5 seconds requests that they would serve are refused, or go to the next key where there is one."
        if page := self.ask_first(request, queryset, "Disable these provider keys?", text):
            return page
        self.say(request, "Disabled", [key for key in queryset if key.disable(_access(request, key))])
        return None

    @action("Enable", permission="operate")
    def enable(self, request: HttpRequest, queryset: QuerySet[ProviderKey]) -> None:
        self.say(request, "Enabled", [key for key in queryset if key.enable(_access(request, key))])

    @admin.display(description="provider", ordering="provider")
    def of_provider(self, key: ProviderKey) -> str:
        return key.provider_label

    @admin.display(ordering="verdict")
    def status(self, key: ProviderKey) -> str:
        return drawn(key.status_badges)

    @admin.display(ordering="scope")
    def serves(self, key: ProviderKey) -> str:
        return "Organization" if key.scope == Scope.ORGANIZATION else "API keys"

    @admin.display(description="Assigned to")
    def assigned_to(self, key: ProviderKey) -> str:
        some = KeyAssignment.objects.filter(provider_key=key).select_related("api_key").order_by("api_key__name", "pk")
        shown: list[Any] = list(some.annotate(of=Window(Count("pk")))[:_SHOWN])
        if not shown:
            return badges.of_assignment(key.scope, [])[0].label
        served = format_html_join(", ", "{}", ((link(one.api_key),) for one in shown))
        return served if shown[0].of == len(shown) else format_html("{} and {} more", served, shown[0].of - len(shown))

    @admin.display(description="verdict")
    def judged(self, key: ProviderKey) -> str:
        return told(key.provider, key.verdict, key.reason)

    @admin.display(description="last check")
    def checked(self, key: ProviderKey) -> str:
        return told(key.provider, key.last_check_verdict, key.last_check_reason)


@admin.register(BedrockRegion)
class BedrockRegionAdmin(ReadOnlyAdmin):
    list_display = ("region", "hint", "of_key", "of_organization", "judged", "last_check_at", "unreadable_at")
    list_filter = (
        VerdictFilter,
        known_values("region", aws_regions.CHOICES),
        ("unreadable_at", admin.EmptyFieldListFilter),
    )
    search_fields = (
        "region",
        "hint",
        "id",
        "provider_key__name",
        "provider_key__id",
        "provider_key__organization__slug",
    )
    search_help_text = "By region, hint, id, or the provider key’s name or id, or an organization’s slug"
    ordering = ("region", "id")
    fields = (
        *("of_key", "of_organization", "region", "position", "hint", "id", "judged", "verdict_at"),
        *("last_check_verdict", "last_check_reason", "last_check_at", "unreadable_at"),
    )
    readonly_fields = ("of_key", "of_organization", "judged")
    secret_fields = frozenset({"credentials", "fingerprint", "access_key_id_fingerprint"})
    names = {"provider_key_id": ProviderKey}

    def get_queryset(self, request: HttpRequest) -> QuerySet[BedrockRegion]:
        keys = super().get_queryset(request).select_related("provider_key__organization")
        return keys.defer("credentials", "provider_key__credentials")

    @admin.display(description="provider key", ordering="provider_key__name")
    def of_key(self, region: BedrockRegion) -> str:
        return link(region.provider_key)

    @admin.display(description="organization", ordering="provider_key__organization__name")
    def of_organization(self, region: BedrockRegion) -> str:
        return link(region.provider_key.organization)

    @admin.display(description="verdict", ordering="verdict")
    def judged(self, region: BedrockRegion) -> str:
        return told(region.provider, region.verdict, region.reason)


class ProviderOfKeyFilter(ProviderFilter):
    column = "provider_key__provider"


@admin.register(KeyAssignment)
class KeyAssignmentAdmin(ReadOnlyAdmin):
    """Which provider key serves which API key, where one is assigned. Customers assign."""

    list_display = ("of_organization", "of_provider", "of_key", "of_api_key", "id")
    list_display_links = ("id",)
    list_filter = (ProviderOfKeyFilter,)
    search_fields = (
        *("id", "provider_key__name", "provider_key__id", "api_key__name", "api_key__id"),
        *("provider_key__organization__name", "provider_key__organization__slug"),
    )
    search_help_text = "By the provider key’s or API key’s name or id, or by organization"
    ordering = ("-id",)
    fields = ("id", "of_key", "of_api_key", "of_organization")
    readonly_fields = ("of_key", "of_api_key", "of_organization")
    secret_fields = frozenset({"credentials", "fingerprint", "digest", "lookup", "former_digest", "former_lookup"})
    names = {"provider_key_id": ProviderKey, "api_key_id": ApiKey}

    def get_queryset(self, request: HttpRequest) -> QuerySet[KeyAssignment]:
        assigned = super().get_queryset(request).select_related("provider_key__organization", "api_key")
        return assigned.defer("provider_key__credentials")

    @admin.display(description="provider", ordering="provider_key__provider")
    def of_provider(self, assignment: KeyAssignment) -> str:
        return assignment.provider_key.provider_label

    @admin.display(description="provider key", ordering="provider_key__name")
    def of_key(self, assignment: KeyAssignment) -> str:
        return link(assignment.provider_key)

    @admin.display(description="API key", ordering="api_key__name")
    def of_api_key(self, assignment: KeyAssignment) -> str:
        return link(assignment.api_key)

    @admin.display(description="organization", ordering="provider_key__organization__name")
    def of_organization(self, assignment: KeyAssignment) -> str:
        return link(assignment.provider_key.organization)


def _access(request: HttpRequest, key: ProviderKey) -> Access:
    return staff_access(cast(User, request.user), key.organization, client_ip(request))
