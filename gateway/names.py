"""Which provider a caller means, by the ``model`` of a request: ``<provider>/<model>``."""

import re
from http import HTTPStatus
from typing import Final

from gateway.refusals import Refusal
from providerkeys.providers import registry
from providerkeys.providers.base import Api, Provider

_SHOWABLE: Final = re.compile(r"[\w.:@-]{1,80}", re.ASCII)
_ANTHROPIC_APIS: Final = frozenset({Api.MESSAGES, Api.COUNT_TOKENS})


def provider_and_model(api: Api, model: str) -> tuple[Provider, str]:
    """The provider, and the id that it knows the model by. Raises ``Refusal`` (400) for anything that it can't serve."""
    slug, slash, asked = model.partition("/")
    provider = registry.find(slug) if slash else None
    if provider is None:
        provider, asked = _meant(api, model), model
    if not asked:
        raise _bad("unknown_model", f"Name a model of {provider.label} after `{provider.slug}/`.")
    if api not in provider.inference.paths:
        raise _bad("not_served", _instead(api, provider))
    return provider, provider.model_id(asked)


def _meant(api: Api, model: str) -> Provider:
    """The provider of a bare model, where a route's own protocol leaves no doubt."""
    guess = next((one for one in registry.all() if model.startswith(one.inference.model_prefixes)), None)
    if guess and api in _ANTHROPIC_APIS and api in guess.inference.paths:
        return guess
    if guess:
        meant = model if _SHOWABLE.fullmatch(model) else "…"
        raise _bad("unknown_provider", f"Name the provider in `model`. Did you mean `{guess.slug}/{meant}`?")
    raise _bad("unknown_provider", f"Name the provider in `model`, as `<provider>/<model>`: one of {_served(api)}.")


def _instead(api: Api, provider: Provider) -> str:
    """Where a provider's models are served, if not here."""
    if not provider.is_routed:
        return f"{provider.label} is not served by this gateway yet."
    routes = [f"`{path}`" for path in provider.inference.paths]
    return f"{provider.label} is not served at `{api}`. Its models are served at {' and '.join(routes)}."


def _served(api: Api) -> str:
    return ", ".join(f"`{one.slug}`" for one in registry.all() if api in one.inference.paths)


def _bad(reason: str, message: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, reason, message)
