"""A template for what a page shows many times: drawn once for each shape that it takes, then only filled in.

A list of 50 rows with a menu each is thousands of places where a value is looked up, escaped and written. Stamped, it is 50
fillings of texts that are ready: the same bytes in a fraction of the time.
"""

import html
import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, Final

from django import template
from django.template import Context
from django.template.base import FilterExpression, Node, Parser, Token, token_kwargs
from django.utils.html import conditional_escape

register = template.Library()

# No text that people type has a NUL; what a template writes has none either.
_MARK: Final = re.compile(r"\0(\w+)\0")

type _Shape = tuple[tuple[tuple[str, object], ...], tuple[str, ...]]


@register.tag
def stamp(parser: Parser, token: Token) -> Node:
    """``{% stamp "row.html" key.texts age=key.used_at|relative %}``: the template with these names, and with no others.

    What a name stands for is ``True``, ``False``, ``None`` or a text. The template may ask whether it is there
    (``{% if name %}``) and write it (``{{ name }}``), escaped as ever; what a text says it never sees.
    """
    _, name, *words = token.split_contents()
    mappings = list(takewhile(lambda word: "=" not in word, words))
    named = words[len(mappings) :]
    values = token_kwargs(named, parser)
    if named:
        raise template.TemplateSyntaxError(f"{named[0]!r}: stamp takes a template, mappings, and then name=value.")
    return _StampNode(name.strip("\"'"), [parser.compile_filter(one) for one in mappings], values)


class _StampNode(Node):
    def __init__(self, name: str, mappings: Sequence[FilterExpression], values: Mapping[str, FilterExpression]) -> None:
        self.name, self.mappings, self.values = name, mappings, values
        self.drawn: dict[_Shape, str] = {}

    def render(self, context: Context) -> str:
        values: dict[str, Any] = {}
        for mapping in self.mappings:
            values |= mapping.resolve(context)
        for name, value in self.values.items():
            values[name] = value.resolve(context)
        texts, flags = {}, []
        for name, value in values.items():
            if value is None or value is True or value is False or value == "":
                flags.append((name, value))
            else:
                texts[name] = html.escape(value) if type(value) is str else conditional_escape(value)
        shape = tuple(flags), tuple(texts)
        if shape not in self.drawn:
            self.drawn[shape] = self._draw(context, *shape)
        return self.drawn[shape] % texts

    def _draw(self, context: Context, flags: Sequence[tuple[str, object]], texts: Sequence[str]) -> str:
        """Render the template with marks where the texts will stand, and turn it into a format."""
        assert context.template  # noqa: S101 -- it is being rendered.
        marks = {name: f"\0{name}\0" for name in texts}
        drawn = context.template.engine.get_template(self.name).render(Context({**dict(flags), **marks}))
        pieces = _MARK.split(drawn)
        if "\0" in "".join(pieces[::2]) or not set(pieces[1::2]) <= marks.keys():
            raise template.TemplateSyntaxError(f"{self.name} is stamped: it can write a text, but not change it.")
        pieces[::2] = [piece.replace("%", "%%") for piece in pieces[::2]]
        pieces[1::2] = [f"%({name})s" for name in pieces[1::2]]
        return "".join(pieces)
