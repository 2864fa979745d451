"""What is asked: six API keys of three organizations, each with a provider key for every fault, and how often each is met."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from organizations.access import Access, access_for
from organizations.models import ApiKey, Organization, Role
from tests.cast import member_of
from tests.gateway.stand import keep

ORGANIZATIONS: Final = 3
API_KEYS: Final = 2
# The keys of the first API key of an organization, and of its second one; several of a provider are tried in this order.
_FIRST: Final = {
    "openai": ("good",),
    "anthropic": ("good",),
    "mistral": ("fails500",),
    "deepseek": ("rate1",),
    "zai": ("cutstream",),
    "xai": ("good",),
}
_SECOND: Final = {**_FIRST, "deepseek": ("flaky2", "good"), "zai": ("thenreset",), "mistral": ("resetstream",)}
DOWN: Final = "xai"
"""The provider that refuses connections for the length of the run."""


@dataclass(frozen=True)
class Kind:
    """A kind of request. ``expected`` are the statuses that it may end with; ``cut``: its answer breaks off.

    ``leaves``: the caller hangs up after the first bytes. ``weight`` is how often it comes in a thousand.
    """

    name: str
    weight: int
    model: str
    expected: frozenset[int]
    path: str = "/v1/chat/completions"
    stream: bool = False
    cut: bool = False
    leaves: bool = False
    kibibytes: int = 0
    """Of padding in the question."""

    @property
    def repeats(self) -> bool:
        """Whether the answer holds the question, in one piece."""
        return 200 in self.expected and not self.leaves

    def body(self, marker: str) -> dict[str, Any]:
        """The request of a caller who is known by ``marker`` in its question."""
        said = marker + "." * (self.kibibytes * 1024)
        return {
            "model": self.model,
            "max_tokens": 9,
            "stream": self.stream,
            "messages": [{"role": "user", "content": said}],
        }


def _kind(name: str, weight: int, model: str, *expected: int, **more: Any) -> Kind:
    return Kind(name, weight, model, frozenset(expected or (200,)), **more)


_COMMON: Final = (
    _kind("success", 380, "openai/gpt-4o"),
    _kind("stream", 220, "openai/gpt-4o-every0x8", stream=True),
    _kind("message", 80, "anthropic/claude-sonnet-5-5", path="/v1/messages"),
    _kind("stream of messages", 60, "claude-sonnet-5-5-every0x4", path="/v1/messages", stream=True),
    _kind("slow", 40, "openai/gpt-4o-after50"),
    _kind("large", 10, "openai/gpt-4o", kibibytes=300),
    _kind("refused connection", 40, f"{DOWN}/grok-4", 502),
    _kind("caller leaves", 30, "openai/gpt-4o-every20x100", stream=True, leaves=True),
    _kind("no such model", 20, "gpt-4o", 400),
)
_OF_FIRST: Final = (
    *_COMMON,
    _kind("error", 50, "mistral/mistral-large-latest", 500),
    _kind("limited", 40, "deepseek/deepseek-chat", 429),
    _kind("cut stream", 30, "zai/glm-4.6-every0x8", stream=True, cut=True),
)
_OF_SECOND: Final = (
    *_COMMON,
    _kind("failover", 50, "deepseek/deepseek-chat"),
    _kind("reset", 40, "zai/glm-4.6", 502),
    _kind("reset stream", 30, "mistral/mistral-large-latest-every0x8", stream=True, cut=True),
)


@dataclass(frozen=True)
class Program:
    """An API key, and what is asked with it."""

    api_key: str = field(repr=False)
    marker: str
    kinds: tuple[Kind, ...]


def arrange() -> list[Program]:
    """Organizations with their API keys and provider keys, in the database that Django is set up with."""
    return [program for number in range(ORGANIZATIONS) for program in _organization(f"Load {number}")]


def _organization(name: str) -> Iterator[Program]:
    organization = Organization.objects.create(name=name)
    access = access_for(member_of(organization, "Alice", Role.ADMIN), organization.slug)
    for keys, kinds in ((_FIRST, _OF_FIRST), (_SECOND, _OF_SECOND)):
        yield Program(_api_key(access, keys), f"This is {name}, {keys['zai'][0]}.", kinds)


def _api_key(access: Access, keys: Mapping[str, tuple[str, ...]]) -> str:
    api_key, plaintext = ApiKey.issue(access, "load")
    for provider, scenarios in keys.items():
        for scenario in scenarios:
            keep(access, provider, scenario, api_keys=(api_key,))
    return plaintext


def draw(programs: list[Program], count: int) -> Iterator[tuple[Program, Kind]]:
    """So many requests, in an order that looks like chance and is the same each time."""
    chance = random.Random(4)
    weights = {id(one): [kind.weight for kind in one.kinds] for one in programs}
    for number in range(count):
        program = programs[number % len(programs)]
        yield program, chance.choices(program.kinds, weights[id(program)])[0]
