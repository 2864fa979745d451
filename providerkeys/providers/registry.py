"""The providers that exist. The registry pulls each file's ``PROVIDER``; nothing registers itself."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from providerkeys import providers
from providerkeys.providers.base import Provider


@cache
def _by_slug() -> dict[str, Provider]:
    modules = (import_module(f"{providers.__name__}.{found.name}") for found in iter_modules(providers.__path__))
    rows: list[Provider] = [module.PROVIDER for module in modules if hasattr(module, "PROVIDER")]
    return {row.slug: row for row in sorted(rows, key=lambda row: row.order)}


def all() -> tuple[Provider, ...]:  # noqa: A001 -- read as ``registry.all()``
    """Every provider, in the order of the form."""
    return tuple(_by_slug().values())


def get(slug: str) -> Provider:
    """The provider ``slug``. Raises ``KeyError`` when no file declares it."""
    return _by_slug()[slug]


def find(slug: str) -> Provider | None:
    """The provider ``slug``, or ``None``: for rows that outlive a provider's file, and for what people send."""
    return _by_slug().get(slug)


def label(slug: str) -> str:
    """The provider's label, or its slug when no file declares it any more."""
    provider = find(slug)
    return provider.label if provider else slug


def forget() -> None:
    """Read the files again at the next call: for tests that add one."""
    _by_slug.cache_clear()
