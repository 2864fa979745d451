"""What serves an API key that is about to be made, provider by provider, and what can be assigned to it instead."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from organizations.access import Access
from providerkeys import badges
from providerkeys.models import ProviderKey
from providerkeys.providers import registry
from providerkeys.resolver import Scope
from providerkeys.views.answers import Answer, Key, notable
from providerkeys.views.api_key_serving import keys_around
from providerkeys.views.listing import keys_of

_MOST: Final = 200
"""Boxes to tick: more are found by nobody, and each can be assigned in its own form."""


@dataclass(frozen=True)
class Choice:
    """A provider key that can be assigned."""

    key: ProviderKey
    checked: bool

    @property
    def is_failing(self) -> bool:
        return badges.FAILING in self.key.status_badges

    @property
    def badges(self) -> list[badges.Badge]:
        return notable(self.key)


@dataclass(frozen=True)
class Offer:
    """A provider: who serves there without an assignment, and the keys that could be assigned."""

    answer: Answer[Key]
    choices: list[Choice]

    @property
    def why_none(self) -> str:
        """What nobody serving there means, and what would change it; empty where somebody serves, and requests are taken."""
        if self.answer.keys or self.answer.not_routed:
            return self.answer.not_routed
        if any(choice.key.enabled and choice.key.readable for choice in self.choices):
            return f"Without one of these its {self.answer.provider_label} requests are refused."
        return self.answer.reason


@dataclass(frozen=True)
class Offers:
    """Those providers of which the organization has keys. ``cut``: it has more that could be assigned than are shown."""

    shown: list[Offer]
    others: int
    cut: bool

    @property
    def to_tick(self) -> bool:
        """Whether any key could be assigned."""
        return any(offer.choices for offer in self.shown)


def offers(access: Access, chosen: Collection[str]) -> Offers:
    """What to show beside a new API key. Two queries."""
    keys = keys_around(access)
    assignable = list(keys_of(access).filter(scope=Scope.API_KEYS).in_order()[: _MOST + 1])
    found = [
        Offer(
            Answer.of(provider, keys, ""),
            [Choice(key, key.pk in chosen) for key in assignable[:_MOST] if key.provider == provider.slug],
        )
        for provider in registry.all()
    ]
    shown = [one for one in found if one.choices or one.answer.keys or one.answer.refused]
    return Offers(shown, len(found) - len(shown), len(assignable) > _MOST)
