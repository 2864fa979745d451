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
    return format_html_join("", "{}", ((_state(badge.tone, badge.icon, badge.word),) for badge in badges))


# The words are few; of several regions there are as many as failing ones have numbers.
@lru_cache(maxsize=512)
def _state(tone: str, icon: str, word: str) -> SafeString:
    return format_html('<span class="badge tone-{}">{}<span>{}</span></span>', tone, draw(icon), word)


@register.filter
def assignees(badges: Sequence[Any], at_most: int) -> SafeString:
    """For whom a key serves, each as a badge of its kind."""
    return format_html_join("", "{}", ((_assignee(badge.kind, badge.label),) for badge in badges[:at_most]))


def _assignee(kind: str, label: str) -> SafeString:
    tone, icon = _LOOKS[kind]
    title = format_html(' title="{}"', label) if kind == "api-key" else ""
    return format_html(
        '<span class="badge tone-{}" data-badge="{}"{}>{}<span>{}</span></span>', tone, kind, title, draw(icon), label
    )


@register.filter
def further_assignees(badges: Sequence[Any], beyond: int) -> SafeString:
    """Those that ``assignees`` leaves out, by name."""
    names = ((badge.kind, badge.label) for badge in badges[beyond:])
    return format_html_join(", ", '<span data-badge="{}">{}</span>', names)
