"""The resolver's answers in the words of pages: which provider key serves an API key, and why."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from django.utils.text import get_text_list

from organizations.access import Access
from providerkeys import badges
from providerkeys.badges import Badge
from providerkeys.models import ProviderKey
from providerkeys.providers import registry
from providerkeys.providers.base import Provider
from providerkeys.resolver import Judged, Resolution, Row, Scope, Why, resolve
from providerkeys.views.api_key_serving import Serving, line_length
from providerkeys.views.listing import keys_of
from providerkeys.views.row_texts import line_of

_SERVING: Final = {
    Why.ASSIGNED: "Assigned to this API key{order}.",
    Why.ORGANIZATION_WIDE: "Organization-wide{order}; none is assigned to this API key.",
}
_UNFIT: Final = frozenset({Why.DISABLED, Why.UNREADABLE})
_NAMED: Final = 3

type Key = ProviderKey | Serving


def resolvable_keys(access: Access, provider: str | None = None) -> list[ProviderKey]:
    """The organization's provider keys as the resolver needs them, of one provider or of all. Two queries."""
    keys = keys_of(access).prefetch_related("assignments").order_by("position")
    return list(keys.filter(provider=provider) if provider is not None else keys)


@dataclass(frozen=True)
class Answer[K: Key]:
    """Which provider keys serve an API key at one provider, in order, and why (or why none does)."""

    provider_label: str
    keys: list[K]
    reason: str
    refused: bool
    """Whether the organization has keys of this provider, and yet none serves."""
    provider: str = ""
    more: int = 0
    """How many further keys would be tried after ``keys``."""

    @classmethod
    def of(cls, provider: Provider, keys: Iterable[K], api_key_id: str) -> Self:
        resolution = resolve(keys, api_key_id, provider.slug)
        serving = [judged.row for judged in resolution.candidates]
        is_failing = bool(serving) and badges.FAILING in serving[0].status_badges
        reason = _reason(provider, resolution, is_failing=is_failing)
        return cls(
            provider_label=provider.label,
            keys=serving,
            reason=" ".join(filter(None, (reason, badges.not_routed(provider.slug)))),
            refused=resolution.refusal is not None,
            provider=provider.slug,
            more=line_length(serving) - len(serving),
        )

    @property
    def not_routed(self) -> str:
        """That requests to this provider get nowhere yet, whoever would serve; empty where they do."""
        return badges.not_routed(self.provider)

    @property
    def further(self) -> int:
        """How many would be tried after the first one."""
        return len(self.keys) - 1 + self.more if self.keys else 0

    @property
    def keys_told(self) -> list[tuple[K, list[Badge]]]:
        """Each key that would be tried, with what is worth knowing of it."""
        return [(key, notable(key)) for key in self.keys]

    @property
    def all_fail(self) -> bool:
        """Whether each key that would be tried failed its last test."""
        return all(badges.FAILING in key.status_badges for key in self.keys)

    @property
    def notable_badges(self) -> list[Badge]:
        """What is worth knowing, in a list, of the key that is tried first: that it is active goes without saying."""
        if not self.keys:
            return []
        known = notable(self.keys[0])
        return [*known, badges.UNROUTED] if self.not_routed else known

    @property
    def line(self) -> Mapping[str, str]:
        """The texts of its line in a list: the key that is tried first, or why there is none."""
        return line_of(self)


def notable(key: Key) -> list[Badge]:
    """What is worth knowing of a key: that it is active goes without saying."""
    return [badge for badge in key.status_badges if badge != badges.ACTIVE]


def answers[K: Key](keys: Iterable[K], api_key_id: str) -> list[Answer[K]]:
    """The answer of every provider, in the order of the registry. ``keys`` are as ``resolvable_keys`` loads them."""
    known: dict[str, list[K]] = defaultdict(list)
    for key in keys:
        known[key.provider].append(key)
    return [Answer.of(provider, known[provider.slug], api_key_id) for provider in registry.all()]


def _reason[R: Row](provider: Provider, resolution: Resolution[R], *, is_failing: bool) -> str:
    if resolution:
        several = len(resolution.candidates) > 1
        said = _SERVING[resolution.candidates[0].why].format(order=", in this order" if several else "")
        if not provider.is_routed:
            return said
        if not several:
            return f"{said} {_alone(provider, resolution, is_failing=is_failing)}"
        first, second = (judged.row.name for judged in resolution.candidates[:2])
        return f"{said} {first} failed its last test; while it fails, {second} is tried." if is_failing else said
    if not resolution.others:
        return f"Your organization has no {provider.label} key."
    # The tier that was asked comes first; where it refuses, the keys outside of it explain nothing.
    asked = [judged for judged in resolution.others if judged.why in _UNFIT]
    said = _states(asked or resolution.others)
    shadowed = any(judged.why == Why.SHADOWED for judged in resolution.others)
    end = f"{provider.label} requests are refused."
    if shadowed:
        return f"{said} The organization-wide keys don’t step in, so {end}"
    return f"{said.removesuffix('.')}, so {end}"


def _alone[R: Row](provider: Provider, resolution: Resolution[R], *, is_failing: bool) -> str:
    """What it means that nobody stands behind the only key that serves."""
    shadowed = any(judged.why == Why.SHADOWED for judged in resolution.others)
    end = ": the organization-wide keys don’t step in" if shadowed else ""
    if is_failing:
        return f"It failed its last test, and while it fails, {provider.label} requests fail{end}."
    return f"If it fails, {provider.label} requests fail{end}."


def _states[R: Row](judged: Sequence[Judged[R]]) -> str:
    """Say the state of each, once for all that share it: "A and B are disabled. C is assigned to other API keys."."""
    names: dict[str, list[str]] = defaultdict(list)
    for one in judged:
        names[_state(one)].append(one.row.name)
    return " ".join(f"{listed(some)} {'are' if some[1:] else 'is'} {state}." for state, some in names.items())


def listed(names: Sequence[str]) -> str:
    """The names, of many the first few."""
    more = ["others"] if len(names) > _NAMED else []
    return get_text_list([*names[:_NAMED], *more], "and")


def _state[R: Row](judged: Judged[R]) -> str:
    """Why a key doesn't serve; of one that was asked also where it stands."""
    if judged.why not in _UNFIT:
        return judged.why
    where = "organization-wide" if judged.row.scope == Scope.ORGANIZATION else "assigned here"
    return f"{where} but {judged.why}"
