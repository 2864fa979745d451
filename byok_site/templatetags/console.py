"""What the console's templates need beyond Django: icons, times as people say them, small words."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from math import ceil
from typing import Final
from xml.etree import ElementTree as ET
from zipfile import ZipFile

from django import template
from django.forms import BaseForm, BoundField
from django.template import Context
from django.template.base import FilterExpression, Node, Parser, TextNode, Token
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from providerkeys.providers import whole_keys

register = template.Library()
_SVG: Final = "{http://www.w3.org/2000/svg}"


@register.tag
def icon(parser: Parser, token: Token) -> Node:
    """``{% icon "pencil" 16 "spin" %}``: an icon by name, with a size in pixels and a further class if wanted.

    An icon whose arguments are all written in the template is drawn when the template is read, and costs a page nothing.
    """
    _, *words = token.split_contents()
    arguments = [parser.compile_filter(word) for word in words]
    node = _IconNode(arguments)
    fixed = all(word[0] in "\"'0123456789" for word in words)
    return TextNode(node.render(Context())) if fixed else node


class _IconNode(Node):
    def __init__(self, arguments: list[FilterExpression]) -> None:
        self.arguments = arguments

    def render(self, context: Context) -> SafeString:
        return draw(*(argument.resolve(context) for argument in self.arguments))


@cache
def draw(name: str, size: int = 16, extra: str = "") -> SafeString:
    """An inline SVG of the lucide set, hidden from screen readers: the words beside it, or its button's label, speak.

    Drawn once per process. The package's own tag would read the list of its 1,700 icons anew for each, which takes 10 ms.
    """
    svg = ET.fromstring(_icons().read(f"{name}.svg"))  # noqa: S314  The package's own file.
    own = {"width": size, "height": size, "aria-hidden": "true", "class": f"icon {extra}".strip()}
    shapes = ((shape.tag.removeprefix(_SVG), _attributes(shape.attrib)) for shape in svg)
    return format_html("<svg{}>{}</svg>", _attributes({**svg.attrib, **own}), format_html_join("", "<{}{} />", shapes))


def _attributes(given: Mapping[str, object]) -> SafeString:
    return format_html_join("", ' {}="{}"', given.items())


@cache
def _icons() -> ZipFile:
    return ZipFile(files("lucide").joinpath("lucide.zip").open("rb"))


@register.simple_tag
def whole_key_patterns() -> str:
    """What no search may send, as regular expressions in JSON, for the script that sees to it."""
    return json.dumps(whole_keys.patterns())


@register.filter
def absolute(at: datetime | None) -> str:
    """E.g. ``14 Jan 2026, 09:12 UTC``."""
    if at is None:
        return ""
    at = _utc(at)
    return f"{_date(at)}, {at.hour:02}:{at.minute:02} UTC"


@register.filter
def relative(at: datetime | None) -> str:
    """How people say when something was or will be, e.g. ``3 h ago``, ``yesterday``, ``in 61 days``, ``4 Sep 2026``."""
    if at is None:
        return ""
    now = timezone.now()
    days = (_utc(at).date() - _utc(now).date()).days
    if abs(at - now) < timedelta(hours=24):
        return _within_a_day(at - now)
    if days in _NEAR_DAYS:
        return _NEAR_DAYS[days]
    if days > 0:
        return f"in {days} days"
    return f"{-days} days ago" if days > -7 else _date(at)


@register.filter
@register.simple_tag
def when(at: datetime | None, by: object = "") -> SafeString | str:
    """A ``<time>`` that reads as ``relative`` and tells the absolute time, and by whom, in its title. A tag and a filter."""
    return _time(at, relative(at), by) if at else ""


@register.filter
@register.simple_tag
def day(at: datetime, by: object = "") -> SafeString:
    """A ``<time>`` that reads as its date, or ``today``; the rest is in its title. A tag and a filter."""
    today = _utc(at).date() == _utc(timezone.now()).date()
    return _time(at, "today" if today else _date(at), by)


@register.filter
def initials(name: str) -> str:
    """The first letters of the first and the last word: ``Alice Keller`` → ``AK``."""
    words = name.split()
    return "".join(word[0] for word in [*words[:1], *words[1:][-1:]]).upper()


@register.filter
def conjoin(words: Iterable[object]) -> str:
    """``name, credentials and assignment``."""
    *most, last = [str(word) for word in words] or [""]
    return f"{', '.join(most)} and {last}" if most else last


@register.filter
def with_code(sentence: object) -> SafeString:
    """``sentence`` with what stands between backticks, such as the name of a field in a file, set as code."""
    pieces = str(sentence).split("`")
    marked = (
        (piece if place % 2 == 0 else format_html("<code>{}</code>", piece),) for place, piece in enumerate(pieces)
    )
    return format_html_join("", "{}", marked)


@register.filter
def refused_fields(form: BaseForm) -> list[BoundField]:
    """The visible fields that need the person again, in the order of the form; of a field of rows those in the rows."""
    refused = (field for field in form.visible_fields() if field.errors)
    return [each for field in refused for each in getattr(field.field, "refused", None) or [field]]


@register.filter
def said(errors: Iterable[object]) -> list[str]:
    """The errors that say something: one without words only marks a field whose parts say it themselves."""
    return [str(error) for error in errors if str(error)]


@register.filter
def finished(results: Iterable[object]) -> Sequence[object]:
    """The results of a check that already have their verdict."""
    return [result for result in results if getattr(result, "state", "") == "done"]


@register.filter
def usable(results: Iterable[object]) -> Sequence[object]:
    """The finished results whose credentials requests can run on."""
    return [result for result in finished(results) if getattr(result, "verdict", "") in {"valid", "limited"}]


@register.filter
def limited(results: Iterable[object]) -> Sequence[object]:
    """The finished results whose credentials requests can run on, but not freely."""
    return [result for result in finished(results) if getattr(result, "verdict", "") == "limited"]


# By hand, not by strftime: the words must not depend on the server's locale, and a list says a hundred times.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MINUTE = timedelta(minutes=1)
_NEAR_DAYS = {-1: "yesterday", 1: "tomorrow"}


def _within_a_day(distance: timedelta) -> str:
    if abs(distance) < _MINUTE:
        return "just now"
    # What is to come in 24 hours is not said to come in 23 a second later.
    minutes = ceil(distance / _MINUTE) if distance > timedelta() else -distance // _MINUTE
    amount = f"{minutes} min" if minutes < 60 else f"{minutes // 60} h"
    return f"in {amount}" if distance > timedelta() else f"{amount} ago"


def _time(at: datetime, words: str, by: object) -> SafeString:
    title = f"{absolute(at)}, by {by}" if by else absolute(at)
    return format_html('<time datetime="{}" title="{}">{}</time>', _utc(at).isoformat(timespec="seconds"), title, words)


def _date(at: datetime) -> str:
    at = _utc(at)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def _utc(at: datetime) -> datetime:
    return at.astimezone(timezone.get_default_timezone())
