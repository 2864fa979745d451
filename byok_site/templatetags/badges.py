"""Badges of a list's rows: a mark of a closed set is drawn once per process, a name is written into one."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from byok_site.templatetags.console import draw

register = template.Library()

_LOOKS: Final = {
    "organization": ("purple", "building-2"),
    "api-key": ("blue", "key-round"),
    "unassigned": ("amber", "unlink"),
}


@register.filter
def states(badges: Iterable[Any]) -> SafeString:
    """What a key's state is, each with its icon and its word."""
    return _states(tuple((badge.tone, badge.icon, badge.word) for badge in badges))


# The words are few; of several regions there are as many as failing ones have numbers.
@lru_cache(maxsize=512)
def _states(badges: Iterable[tuple[str, str, str]]) -> SafeString:
    drawn = ((tone, draw(icon), word) for tone, icon, word in badges)
    return format_html_join(" ", '<span class="badge tone-{}">{}<span>{}</span></span>', drawn)


@register.filter
def assignees(badges: Sequence[Any], at_most: int) -> SafeString:
    """For whom a key serves, each as a badge of its kind. Names are never kept: they are one organization's."""
    if badges and badges[0].kind != "api-key":
        return _standing(badges[0].kind, badges[0].label)
    tone, icon = _LOOKS["api-key"]
    drawn = ((tone, badge.label, draw(icon), badge.label) for badge in badges[:at_most])
    return format_html_join(
        "", '<span class="badge tone-{}" data-badge="api-key" title="{}">{}<span>{}</span></span>', drawn
    )


@lru_cache(maxsize=8)
def _standing(kind: str, label: str) -> SafeString:
    """A badge that stands alone and reads the same everywhere."""
    tone, icon = _LOOKS[kind]
    return format_html(
        '<span class="badge tone-{}" data-badge="{}">{}<span>{}</span></span>', tone, kind, draw(icon), label
    )


@register.filter
def further_assignees(badges: Sequence[Any], beyond: int) -> SafeString | str:
    """Those that ``assignees`` leaves out, by name."""
    names = ((badge.kind, badge.label) for badge in badges[beyond:])
    return format_html_join(", ", '<span data-badge="{}">{}</span>', names) if len(badges) > beyond else ""
