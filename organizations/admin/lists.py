"""What the head of a list says of it: what narrows it, and what it is sorted by."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib.admin.templatetags.admin_list import result_headers
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst


class Column(NamedTuple):
    """A column to sort by, and the address that does it: the other way round where it is sorted by already."""

    name: str
    address: str
    order: str


class StaffList(ChangeList):
    def apply_select_related(self, qs: QuerySet[Any]) -> QuerySet[Any]:
        its_admin: Any = self.model_admin
        rows: QuerySet[Any] = its_admin.read_along(super().apply_select_related(qs))
        return rows

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.result_count:
            # That there are none is known already.
            self.result_list = self.result_list.none()

    def narrowed_by(self) -> Iterator[str]:
        """Say which filters are set, as in `Provider: OpenAI`. The first choice of each is all."""
        for spec in self.filter_specs:
            _, *choices = spec.choices(self)
            yield from (f"{capfirst(spec.title)}: {one['display']}" for one in choices if one["selected"])

    def columns(self) -> Iterator[Column]:
        """List what its rows can be sorted by, for where the heads of the columns have no room."""
        for number, head in enumerate(result_headers(self)):
            if head["sortable"]:
                order = _order(head)
                chosen = f"-{number}" if order == "ascending" else f"{number}"
                yield Column(capfirst(str(head["text"])), self.get_query_string({ORDER_VAR: chosen}), order)

    def sorted_by(self) -> Column | None:
        return next((one for one in self.columns() if one.order), None)

    def as_usual(self) -> str:
        """Return the address of the same rows in the list's own order; nothing where they are in it."""
        return self.get_query_string({ORDER_VAR: None}) if ORDER_VAR in self.params else ""


def _order(head: dict[str, Any]) -> str:
    """How rows are sorted by this column before any other; empty where they aren't."""
    return ("ascending" if head["ascending"] else "descending") if head["sort_priority"] == 1 else ""
