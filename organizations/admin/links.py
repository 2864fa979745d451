"""How staff get from one object to those that belong to it: each list says which objects its rows name."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.text import capfirst

from organizations.text import visible

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = object

_ID: Final = re.compile(r"[0-9A-Za-z_]{1,40}")


def link(obj: models.Model | None, text: str = "") -> str:
    """A link to an object's own page; a dash where there is none."""
    if obj is None:
        return "-"
    name = f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(name, args=[quote(obj.pk)]), visible(text or str(obj)))


def of(column: str, model: type[models.Model]) -> type[admin.SimpleListFilter]:
    """Make the filter that shows rows naming one object in `column`. It appears when a link has chosen one."""

    class Of(admin.SimpleListFilter):
        title = str(model._meta.verbose_name)
        parameter_name = column

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            pk = self.value()
            if pk is None:
                return []
            found = model._default_manager.filter(pk=pk).first() if _ID.fullmatch(pk) else None
            return [(pk, str(found or pk))]

        def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
            pk = self.value() or ""
            return queryset.filter(**{column: pk}) if _ID.fullmatch(pk) else queryset.none()

    return Of


class LinkedAdmin(_ModelAdmin):
    """`names` maps columns of this model to the models whose objects they name: those objects' pages link to this list."""

    names: Mapping[str, type[models.Model]] = {}

    def get_list_filter(self, request: HttpRequest) -> Any:
        return (*(of(column, model) for column, model in self.names.items()), *super().get_list_filter(request))

    def lists_of(self, request: HttpRequest, obj: Any) -> list[tuple[str, str]]:
        """The lists that show what belongs to this object, as label and address; those that this person may see."""
        found = []
        for model in filter(self.admin_site.is_registered, apps.get_models()):
            its_admin = self.admin_site.get_model_admin(model)
            for column, named in getattr(its_admin, "names", {}).items():
                if isinstance(obj, named) and its_admin.has_view_permission(request):
                    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
                    label = capfirst(str(model._meta.verbose_name_plural))
                    found.append((label, f"{address}?{urlencode({column: obj.pk})}"))
        return found
