"""States, providers and verdicts in the console's words: a support engineer and a customer talk of the same things."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst

from providerkeys import badges
from providerkeys.providers import registry
from providerkeys.providers.verdicts import Verdict


def drawn(shown: Iterable[badges.Badge]) -> str:
    """The badges of a state, as the console draws them."""
    return format_html_join(" ", '<span class="badge tone-{}">{}</span>', ((one.tone, one.word) for one in shown))


def told(provider: str, verdict: str, reason: str) -> str:
    """A verdict with the sentence and the next step that the provider's file has for its reason."""
    if not verdict:
        return "-"
    said = badges.tell(provider, verdict, reason)
    step = capfirst(f"{said.step.before}{said.step.link_text}{said.step.after}") if said.step else ""
    badge = drawn([badges.Badge(said.word, said.tone, said.icon)])
    return format_html("{} {} {}", badge, said.sentence, step)


class ProviderFilter(admin.SimpleListFilter):
    """By provider, called by its label; it asks the registry and not every row."""

    title = "provider"
    parameter_name = "provider"
    column = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(one.slug, one.label) for one in registry.all()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        provider = self.value()
        if not provider:
            return queryset
        return queryset.filter(**{self.column: provider}) if registry.find(provider) else queryset.none()


class VerdictFilter(admin.SimpleListFilter):
    title = "verdict"
    parameter_name = "verdict"
    _UNTESTED = "untested"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((one.value, badges.VERDICT_BADGES[one].word) for one in Verdict), (self._UNTESTED, "Untested")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        verdict = self.value()
        if verdict and verdict not in {self._UNTESTED, *Verdict}:
            return queryset.none()
        return queryset.filter(verdict="" if verdict == self._UNTESTED else verdict) if verdict else queryset


def known_values(column: str, values: Iterable[str]) -> type[admin.SimpleListFilter]:
    """Make the filter by a column whose values are known here, so that it need not look for them at every row."""
    known = [str(one) for one in values]

    class Known(admin.SimpleListFilter):
        title = column
        parameter_name = column

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(one, one) for one in known]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            chosen = self.value()
            if not chosen:
                return queryset
            return queryset.filter(**{column: chosen}) if chosen in known else queryset.none()

    return Known
