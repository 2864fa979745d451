"""How staff get from one object to those that belong to it: each list says which objects its rows name."""

import re
from collections.abc import Iterable, Iterator, Mapping
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
        called = ""

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            pk = self.value()
            return [] if pk is None else [(pk, pk)]

        def choices(self, changelist: Any) -> Iterator[Any]:
            """Call the object as the rows that were found call it; it is asked for where there are none."""
            every, *chosen = super().choices(changelist)
            yield every
            for one in chosen:
                self.called = self.called or _name_in(changelist.result_list, column) or self._name()
                yield {**one, "display": self.called}

        def _name(self) -> str:
            pk = self.value() or ""
            found = model._default_manager.filter(pk=pk).first() if _ID.fullmatch(pk) else None
            return visible(str(found or pk))

        def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
            pk = self.value() or ""
            return queryset.filter(**{column: pk}) if _ID.fullmatch(pk) else queryset.none()

    return Of


def _name_in(rows: Iterable[models.Model], column: str) -> str:
    """What the first row says of the object that its column names: written in it, or read along; nothing else is asked for it."""
    relation = column.removesuffix("_id")
    for row in rows:
        written = (getattr(row, f"{relation}_{kind}", None) for kind in ("name", "label"))
        read_along = row._state.fields_cache.get(relation)  # noqa: SLF001
        return visible(str(next(filter(None, (*written, read_along)), "")))
    return ""


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
