"""The small dialogs in which something is asked about one key; each is a page as well."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse

from providerkeys.views.htmx import show


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """How one question looks: its title before the key's name, its button, and the template of what stands inside."""

    title: str
    press: str
    body: str
    to: str = ""
    """The state that the press asks for, where one address takes several."""
    takes_away: bool = True
    asks: bool = True
    """Whether nothing but the press is wanted: then *Cancel* is what Enter does."""

    @property
    def template(self) -> str:
        return f"providerkeys/sheets/{self.body}.html"

    def show(
        self, request: HttpRequest, context: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK
    ) -> HttpResponse:
        return show(request, "providerkeys/sheet.html", "sheet", {**context, "sheet": self}, status)
