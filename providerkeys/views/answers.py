"""The resolver's answers in the words of pages: which provider key serves an API key, what serves it now, what a
deletion changes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

from organizations.access import Access
from organizations.models import ApiKey
from providerkeys.badges import Badge
from providerkeys.models import ProviderKey
from providerkeys.providers import registry
from providerkeys.providers.base import Provider
from providerkeys.resolver import Resolution, Row, Scope, Why, changes, resolve
from providerkeys.views.listing import keys_of

_SERVING: Final = {
    Why.ASSIGNED: "Assigned to this API key{order}.",
    Why.ORGANIZATION_WIDE: "Organization-wide{order}; none is assigned to this API key.",
}
_NAMED: Final = 3


def resolvable_keys(access: Access, provider: str | None = None) -> list[ProviderKey]:
    """The organization's provider keys as the resolver needs them, of one provider or of all. Two queries."""
    keys = keys_of(access).prefetch_related("assignments").order_by("position")
    return list(keys.filter(provider=provider) if provider is not None else keys)


@dataclass(frozen=True)
class Answer:
    """Which provider keys serve an API key at one provider, in order, and why (or why none does)."""

    provider_label: str
    names: list[str]
    reason: str
    badge: Badge | None

    @classmethod
    def of(cls, provider: Provider, keys: Iterable[ProviderKey], api_key: ApiKey) -> Self:
        resolution = resolve(keys, api_key.pk, provider.slug)
        serving = [judged.row for judged in resolution.candidates]
        return cls(
            provider_label=provider.label,
            names=[key.name for key in serving],
            reason=_reason(provider, resolution),
            badge=serving[0].status_badges[0] if serving else None,
        )


def answers(access: Access, api_key: ApiKey) -> list[Answer]:
    """The answer of every provider, in the order of the registry."""
    keys = resolvable_keys(access)
    return [Answer.of(provider, keys, api_key) for provider in registry.all()]


def _reason[R: Row](provider: Provider, resolution: Resolution[R]) -> str:
    if resolution:
        order = ", in this order" if len(resolution.candidates) > 1 else ""
        return _SERVING[resolution.candidates[0].why].format(order=order)
    if not resolution.others:
        return f"Your organization has no {provider.label} key."
    # The tier that was asked comes first; where it refuses, the keys outside of it explain nothing.
    asked = [judged for judged in resolution.others if judged.why in {Why.DISABLED, Why.UNREADABLE}]
    said = (asked or list(resolution.others))[:_NAMED]
    return " ".join(f"{judged.row.name} is {judged.why}." for judged in said)


@dataclass(frozen=True)
class Served:
    """The provider key that is tried first for an API key, at one provider."""

    provider_label: str
    name: str


def serving(keys: Sequence[ProviderKey], api_key_id: str) -> list[Served]:
    """What serves an API key now, in the order of the registry."""
    found = ((provider, resolve(keys, api_key_id, provider.slug)) for provider in registry.all())
    return [Served(provider.label, resolution.candidates[0].row.name) for provider, resolution in found if resolution]


@dataclass(frozen=True)
class Consequence:
    """What a change means for some API keys: they lose the provider, or move to another key."""

    kind: Literal["loses", "moves"]
    api_keys: list[str]
    to: str = ""


def consequences_of_deleting(access: Access, key: ProviderKey) -> list[Consequence]:
    """What deleting ``key`` changes, by the resolver: losses first, then moves by the name of who takes over."""
    before = resolvable_keys(access, key.provider)
    after = [one for one in before if one.pk != key.pk]
    touched = access.all(ApiKey).order_by("name", "pk")
    if key.scope != Scope.ORGANIZATION:
        touched = touched.filter(assignments__provider_key=key)
    names = dict(touched.values_list("pk", "name"))
    groups: dict[tuple[str, str], list[str]] = {}
    for change in changes(before, after, names, key.provider):
        heir = (change.after.name, change.after.pk) if change.after else ("", "")
        groups.setdefault(heir, []).append(names[change.api_key_id])
    return [Consequence("moves" if pk else "loses", groups[name, pk], name) for name, pk in sorted(groups)]
