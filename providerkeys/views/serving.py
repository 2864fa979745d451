"""Who serves whom at one provider, as pages ask for it: two queries, whatever the number of keys, and no ciphertext."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple, Self

from django.utils import timezone

from organizations.access import Access
from organizations.models import ApiKey
from organizations.models.api_key import why_stopped
from providerkeys import badges, consequences
from providerkeys.consequences import Group, Key, Kind, Serving
from providerkeys.models import ProviderKey
from providerkeys.providers import registry
from providerkeys.resolver import Scope
from providerkeys.views.answers import listed

_NAMED: Final = 12
_WORDS: Final = {
    Kind.LOSES: ("{count} lose{s} {provider}", "{whose_requests} are refused{then}. "),
    Kind.MOVES: ("{count} move{s} to {to}", "{whose_requests} run on {after}, and are billed there."),
    Kind.GAINS: ("{count} get{s} {provider}", "{whose_requests} run on {after}, and are billed there."),
    Kind.BACKED: ("{count} get{s} a key to fall back on", "{before} stays first; this key serves when {those_ahead}."),
    Kind.UNBACKED: (
        "{count} lose{s} a key to fall back on",
        "{before} stays first; when {those_ahead}, this key doesn’t step in any more.",
    ),
}
_ALONE: Final = " If {to} fails, no other key is tried."
_ALONE_OF_ITS_OWN: Final = " If {to} fails, no other key is tried: the organization-wide ones don’t step in."
_NOBODY: Final = "No other provider key serves {it}."
_PAUSED: Final = "No enabled key is assigned to {it}, and organization-wide keys don’t step in where one is assigned."


class Program(NamedTuple):
    """An API key as it is told of. ``stopped`` says why it can't be used now: empty when it can."""

    name: str
    hint: str
    stopped: str


@dataclass(frozen=True)
class Board:
    """The provider keys of one provider, and all API keys of the organization by id, ordered by name."""

    provider: str
    keys: tuple[Key, ...]
    api_keys: Mapping[str, Program]

    @classmethod
    def load(cls, access: Access, provider: str) -> Self:
        assigned: dict[str, set[str]] = defaultdict(set)
        api_keys: dict[str, Program] = {}
        now = timezone.now()
        columns = ("pk", "name", "hint", "enabled", "expires_at", "assignments__provider_key")
        asking = access.all(ApiKey).order_by("name", "pk").values_list(*columns)
        for pk, name, hint, enabled, expires_at, provider_key in asking:
            api_keys[pk] = Program(name, hint, why_stopped(enabled, expires_at, now))
            if provider_key:
                assigned[provider_key].add(pk)
        rows = access.all(ProviderKey).filter(provider=provider).order_by("position")
        judged = ("reason", "verdict", "regions_failing", "regions_count")
        found = rows.values_list("pk", "name", "scope", "enabled", "position", "unreadable_at", *judged)
        keys = (
            Key(
                *(pk, name, provider, scope, enabled, position, unreadable_at is None),
                assigned_ids=frozenset(assigned.get(pk, ())),
                failing=badges.FAILING in badges.of_verdict(*verdict),
                limited=_limit(provider, reason, *verdict),
            )
            for pk, name, scope, enabled, position, unreadable_at, reason, *verdict in found
        )
        return cls(provider, tuple(keys), api_keys)

    @cached_property
    def now(self) -> Serving[Key]:
        return Serving(self.keys, self.provider)

    @cached_property
    def names(self) -> dict[str, str]:
        """The API keys' names by id; where several bear one name, each with its hint."""
        often = Counter(one.name for one in self.api_keys.values())
        return {
            pk: f"{one.name} ({one.hint})" if often[one.name] > 1 else one.name for pk, one in self.api_keys.items()
        }

    @property
    def usable_ids(self) -> list[str]:
        """The API keys that a change means something for now: the others are served by nobody, before it and after it."""
        return [pk for pk, one in self.api_keys.items() if not one.stopped]

    def assigned_ids(self, pk: str) -> frozenset[str]:
        """The API keys that a provider key is assigned to."""
        return next((row.assigned_ids for row in self.keys if row.id == pk), frozenset())

    def when(self, pk: str, change: Callable[[Key], Key | None]) -> "list[Consequence]":
        """What it would mean that ``change`` happens to the key ``pk``; ``None`` stands for a key that is no more."""
        rows = (change(row) if row.id == pk else row for row in self.keys)
        return self.with_keys(pk, filter(None, rows))

    def with_keys(self, changed: str, keys: Iterable[Key]) -> "list[Consequence]":
        """What it would mean that these were the provider's keys, by a change of ``changed``."""
        after = Serving(keys, self.provider)
        groups = consequences.consequences(self.now, after, self.usable_ids, changed)
        return [Consequence.of(self, group, changed, after) for group in groups]


def failing_with(access: Access, key: ProviderKey) -> str:
    """Whose requests fail while ``key`` does, by name: those of the API keys for which no other one would be tried."""
    if badges.not_routed(key.provider):
        return ""
    board = Board.load(access, key.provider)
    return listed([board.names[pk] for pk in board.usable_ids if board.now.is_alone(pk, key.pk)])


@dataclass(frozen=True)
class Consequence:
    """What a change means for some API keys, in words. ``kind`` gives tone and icon."""

    kind: Kind
    api_keys: list[str]
    headline: str
    sentence: str
    warning: str = ""
    """What is to be known of who begins to serve: that it failed its last test, or what limits it."""

    @classmethod
    def of(cls, board: Board, group: Group[Key], changed: str, serving: Serving[Key]) -> Self:
        headline, sentence = _WORDS[group.effect.kind]
        if group.effect.kind == Kind.BACKED and group.effect.ahead > 1:
            headline = "{count} get{s} one more key to fall back on"
        many = len(group.api_key_ids) > 1
        label, not_routed = registry.label(board.provider), badges.not_routed(board.provider)
        words = {
            "count": f"{len(group.api_key_ids)} API key{'s' if many else ''}",
            "s": "" if many else "s",
            "whose_requests": _requests(label, many=many, named=bool(not_routed)),
            "then": "" if not_routed else " from then on",
            "it": "them" if many else "it",
            "provider": label,
            "to": _name(group.effect.after, changed),
            "before": _told(group.effect.before, changed),
            "after": _told(group.effect.after, changed),
            "those_ahead": _those_ahead(group.effect.ahead),
        }
        if group.effect.kind == Kind.LOSES:
            sentence += _PAUSED if group.effect.own else _NOBODY
        begins = _begins(board, group, changed)
        warning = _failing(begins, group, changed, serving)
        if group.effect.kind == Kind.MOVES and group.effect.alone and not warning:
            sentence += _ALONE_OF_ITS_OWN if group.effect.own and serving.has_shared else _ALONE
        warning = warning or _limited(begins, changed)
        names = [board.names[pk] for pk in group.api_key_ids]
        told = _once_routed(not_routed, sentence.format(**words))
        return cls(group.effect.kind, names, headline.format(**words), told, warning)

    @property
    def named(self) -> list[str]:
        return self.api_keys[:_NAMED]

    @property
    def more(self) -> int:
        """How many API keys aren't named."""
        return max(0, len(self.api_keys) - _NAMED)


def _requests(label: str, *, many: bool, named: bool) -> str:
    """The API keys' requests, to begin a sentence with; ``named``: it goes on from one that has named them."""
    if named:
        return f"those of {'these API keys' if many else 'this API key'}"
    return f"{'Their' if many else 'Its'} {label} requests"


def _once_routed(not_routed: str, sentence: str) -> str:
    """What is to come, where the gateway doesn't take such requests yet."""
    return f"{not_routed} Once it does, {sentence}" if not_routed else sentence


def _name(key: Key | None, changed: str) -> str:
    return "this key" if key is None or key.id == changed else key.name


def _begins(board: Board, group: Group[Key], changed: str) -> Key | None:
    """The key which begins to serve, if one does. Of a form’s key it is what is stored."""
    effect = group.effect
    if effect.kind in {Kind.LOSES, Kind.UNBACKED}:
        return None
    begins = changed if effect.kind == Kind.BACKED or effect.after is None else effect.after.id
    return next((row for row in board.keys if row.id == begins), None)


def _failing(begins: Key | None, group: Group[Key], changed: str, serving: Serving[Key]) -> str:
    """That it failed its last test, if so."""
    if begins is None or not begins.failing:
        return ""
    backs = group.effect.kind == Kind.BACKED
    return f"{_whose(begins, changed)} failed their last test{'' if backs else _while_it_fails(group, serving)}."


def _limited(begins: Key | None, changed: str) -> str:
    """What limits it, if anything does: it may be no good to whoever comes to it."""
    if begins is None or not begins.limited:
        return ""
    return f"{_whose(begins, changed)} were found limited. {begins.limited}"


def _whose(key: Key, changed: str) -> str:
    return "The stored credentials of this key" if key.id == changed else f"The credentials of {key.name}"


def _limit(provider: str, reason: str, verdict: str, *failing: int) -> str:
    limited = badges.LIMITED in badges.of_verdict(verdict, *failing)
    return badges.tell(provider, verdict, reason).sentence if limited else ""


def _while_it_fails(group: Group[Key], serving: Serving[Key]) -> str:
    """What becomes of the requests: who begins to serve a group has another behind for all of it, or for none."""
    if len(serving.of(group.api_key_ids[0]).candidates) > 1:
        return "; while they fail, the next key is tried"
    return ", and while they fail, so do these requests: no other key steps in"


def _those_ahead(number: int) -> str:
    """What has to happen first, where the one that is tried first has just been named."""
    others = number - 1
    return f"it and {others} other{'s' if others > 1 else ''} fail" if others > 0 else "that one fails"


def _told(key: Key | None, changed: str) -> str:
    """A key with its tier, which says whose account is billed."""
    tier = "organization-wide" if key and key.scope == Scope.ORGANIZATION else "assigned"
    return _name(key, changed) + ("" if key is None or key.id == changed else f" ({tier})")


def disabled(key: Key) -> Key:
    return replace(key, enabled=False)


def enabled(key: Key) -> Key:
    return replace(key, enabled=True)


def deleted(_: Key) -> None:
    return None
