"""What a whole secret looks like in text where none belongs, such as a search, which browsers put into addresses.

Regular expressions that Python and browsers read alike: the page's script and the console go by the same ones. Each finds
a secret anywhere in a text, with whatever copying adds to it. Masks, ids of this console and names that people give are
none.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from providerkeys.providers import lint, registry
from providerkeys.providers.base import ApiKeyProvider

# What a key is known to begin with, then no less than 16 letters and digits in a row, a digit among them, or 24 of any. Every
# repetition has a bound, so that a long text takes no longer than it is long.
_PREFIXED: Final = (
    r"(?<![A-Za-z0-9])(?:{})[\w.-]{{0,80}}?(?:(?=[A-Za-z]{{0,40}}[0-9])[A-Za-z0-9]{{16}}|[A-Za-z0-9]{{24}})"
)
# A shape without such a beginning: a whole word, with a digit in it or a capital where no word has one.
_SHAPED: Final = r"(?<![\w.+/-])(?=[A-Za-z.+/_-]{{0,40}}(?:[0-9]|[a-z][A-Z]))(?:{})(?![\w.+/=-])"
_AWS_HALF: Final = r"(?=[a-z0-9+/]{0,39}[A-Z])(?=[A-Z0-9+/]{0,39}[a-z])[A-Za-z0-9+/]{40}"
_PEM: Final = r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY"
_AS_LETTER: Final = re.compile(r"\A[A-Za-z]")


@cache
def patterns() -> tuple[str, ...]:
    """The regular expressions, for a browser."""
    prefixes = sorted({prefix for prefix in _prefixes() if _AS_LETTER.match(prefix)})
    shapes = [provider.shape for provider in _api_keys() if provider.shape and not provider.public_prefixes]
    return (
        _PREFIXED.format("|".join(map(re.escape, prefixes)).replace(r"\-", "-")),
        *(_SHAPED.format(shape) for shape in (*shapes, _AWS_HALF)),
        _PEM,
    )


def holds_one(text: str) -> bool:
    """Whether there is a whole secret in ``text``, as far as its looks can tell."""
    return any(pattern.search(text) for pattern in _compiled())


@cache
def _compiled() -> tuple[re.Pattern[str], ...]:
    # As browsers read them: \w is ASCII there.
    return tuple(re.compile(pattern, re.ASCII) for pattern in patterns())


def _prefixes() -> Iterator[str]:
    for provider in _api_keys():
        yield from (*provider.public_prefixes, *provider.own_marks)
        yield from (kind.prefix for kind in provider.wrong_kinds)
    yield from (kind.prefix for kind in lint.FOREIGN_KINDS)


def _api_keys() -> Iterator[ApiKeyProvider]:
    return (provider for provider in registry.all() if isinstance(provider, ApiKeyProvider))
