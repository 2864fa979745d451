"""The stand-ins that exist. Each file's ``PROVIDER`` is pulled from here; nothing registers itself."""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from tests.fakeproviders.model import NAMES, Ask, Provider, Scenario, Service
from tests.fakeproviders.shape import KeyShape
from tests.fakeproviders.wire import Answer, Request, json_answer


@cache
def load() -> tuple[Provider, ...]:
    """Every provider that has a file here, by slug."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return tuple(sorted((module.PROVIDER for module in modules), key=lambda provider: provider.slug))


def get(slug: str) -> Provider:
    """The stand-in of ``slug``. Raises ``KeyError`` when no file declares it."""
    return {provider.slug: provider for provider in load()}[slug]


def served() -> dict[str, tuple[Provider, Service]]:
    """Every name of PROVIDER_BASE_URLS with what answers there: its provider, else an empty place."""
    declared = {service.name: (provider, service) for provider in load() for service in provider.services}
    return {name: declared.get(name) or _empty_place(name) for name in NAMES}


def _empty_place(name: str) -> tuple[Provider, Service]:
    service = Service(
        name=name,
        host=r".*",
        auth_header="authorization",
        read_credential=_any_credential,
        refuse=lambda _ask: None,
        not_found=_nobody,
    )
    wrong = Scenario("wrong", "unreachable", "no stand-in yet", _nobody)
    return Provider(slug=name, shape=KeyShape("fake-", 64), services=(service,), scenarios=(wrong,)), service


def _any_credential(request: Request) -> str:
    places: Iterable[str] = ("x-api-key", "api-key", "authorization")
    found = next((request.header(name) for name in places if request.header(name)), "")
    return found.removeprefix("Bearer ")


def _nobody(_ask: Ask) -> Answer:
    return json_answer(404, {"error": "this provider has no stand-in yet"})
