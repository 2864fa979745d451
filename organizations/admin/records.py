"""Lists of rows that name an organization by its id alone, because they outlive it."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest

from organizations.admin.links import link
from organizations.models import Organization

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = object


class AboutOrganizations(_ModelAdmin):
    """Shows the organization by its present name, in the query of the list, and finds its rows by its slug."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        its_name = Organization.objects.filter(pk=OuterRef("organization_id")).values("name")
        rows: QuerySet[Any] = super().get_queryset(request)
        named: QuerySet[Any] = rows.annotate(organization_name=Subquery(its_name))
        return named

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        own = Organization.objects.filter(Q(slug=search_term) | Q(name__iexact=search_term)).values("pk")
        return (found | queryset.filter(organization_id__in=own) if search_term else found), may_repeat

    @admin.display(description="organization", ordering="organization_name")
    def in_organization(self, obj: Any) -> str:
        if obj.organization_name is None:
            return obj.organization_id or "-"
        return link(Organization(pk=obj.organization_id, name=obj.organization_name))
