from collections.abc import Iterable, Iterator
from typing import Any

from django import template

register = template.Library()


@register.filter
def paired(row: Iterable[Any], heads: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Each cell of a list's row with the head of its column."""
    return zip(row, heads, strict=True)
