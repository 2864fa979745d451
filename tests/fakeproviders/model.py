"""What a stand-in is: rows of data in ``providers/<slug>.py`` that end in a constant ``PROVIDER``."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from tests.fakeproviders.shape import Shape
from tests.fakeproviders.wire import Answer, Request

NAMES: Final = (
    "anthropic",
    "openai",
    "mistral",
    "deepseek",
    "xai",
    "zai",
    "google_oauth",
    "google_vertex_ai",
    "aws_sts",
    "bedrock",
    "bedrock_runtime",
    "azure",
)
"""The names of PROVIDER_BASE_URLS. Each has a port, whether its provider has a stand-in yet or not."""

Verdict = Literal["valid", "limited", "invalid", "forbidden", "unreachable"]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request in the eyes of a service. ``nth`` counts this credential's requests to it, from 1, since the reset;
    those for inference count by themselves, and only they have an ``id`` of their own.
    """

    request: Request
    credential: str
    nth: int
    id: int = 0


Reply = Callable[[Ask], Answer]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One documented answer. Without a ``reply`` the route's own success is the answer.

    ``on`` limits it to these routes (empty: every route). ``destination`` is where its key is used, unless that is the
    provider's own. ``inference`` is what every route for inference says instead.
    """

    name: str
    verdict: Verdict
    description: str
    reply: Reply | None = None
    on: frozenset[str] = frozenset()
    destination: Mapping[str, str] = field(default_factory=dict)
    inference: Reply | None = None

    def reply_at(self, route: "Route") -> Reply:
        """What ``route`` says in this scenario."""
        if route.inference and self.inference:
            return self.inference
        applies = not self.on or route.name in self.on
        return self.reply if self.reply and applies else route.good


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A path that the provider has (``path`` is a regular expression), and its success.

    ``applies`` narrows it further; ``accept`` is the content type that must be asked for; ``required`` are the headers
    that it needs, where they are not those of its service; ``wrap`` is done to every answer.
    """

    name: str
    method: str
    path: str
    good: Reply
    accept: str = "application/json"
    applies: Callable[[Request], bool] = field(default=lambda _request: True)
    required: tuple[tuple[str, str], ...] | None = None
    wrap: Callable[[Answer], Answer] = field(default=lambda answer: answer)
    inference: bool = False

    def matches(self, request: Request) -> bool:
        return (
            request.method == self.method
            and re.fullmatch(self.path, request.path) is not None
            and self.applies(request)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One host of a provider, on one loopback port. ``host`` and the values of ``required`` are regular expressions.

    ``refuse`` is what it says before it judges a credential (``None``: nothing to object); ``plays`` is the scenario that
    it plays when a credential names one, for a provider of several services that are asked in turn;
    ``edge`` are the headers that its front puts on every answer.
    """

    name: str
    host: str
    auth_header: str
    read_credential: Callable[[Request], str]
    refuse: Callable[[Ask], Answer | None]
    not_found: Reply
    routes: tuple[Route, ...] = ()
    required: tuple[tuple[str, str], ...] = ()
    edge: Callable[[Ask], tuple[tuple[str, str], ...]] = field(default=lambda _ask: ())
    plays: Callable[[str], str] = field(default=lambda scenario: scenario)
    credential_in_body: bool = False

    def route(self, request: Request) -> Route | None:
        return next((route for route in self.routes if route.matches(request)), None)

    def needs(self, route: Route | None) -> tuple[tuple[str, str], ...]:
        """The headers that a request to ``route`` must have."""
        own = route.required if route else None
        return self.required if own is None else own


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongKind:
    """A credential that must be refused before any call. Should it arrive, it is answered like ``scenario``."""

    prefix: str
    what: str
    scenario: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider's stand-in. Its scenarios include ``good`` and ``wrong``, the answer to every unknown key.

    ``stages`` are what the name of a hostile scenario begins with, one for each service that can be met with it.
    ``destination`` is where its keys are used (a region), where that is a part of the credential. ``beside`` are scenarios
    that no check of a key meets as such; ``family`` makes more of them, by name.
    """

    slug: str
    shape: Shape
    services: tuple[Service, ...]
    scenarios: tuple[Scenario, ...]
    wrong_kinds: tuple[WrongKind, ...] = ()
    stages: tuple[str, ...] = ("",)
    destination: Mapping[str, str] = field(default_factory=dict)
    beside: tuple[Scenario, ...] = ()
    family: Callable[[str], Scenario | None] = field(default=lambda _name: None)
    _named: dict[str, Scenario] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._named.update({scenario.name: scenario for scenario in (*self.scenarios, *self.beside)})

    def scenario(self, name: str) -> Scenario:
        """The scenario ``name``, or ``wrong`` when there is none of that name."""
        return self._named.get(name) or self.family(name) or self._named["wrong"]

    def knows(self, name: str) -> bool:
        """Whether there is a scenario ``name`` as such."""
        return name in self._named

    def scenario_name(self, credential: str) -> str:
        """What ``credential`` asks for: by its kind when that is wrong, else by its last token."""
        kind = self.wrong_kind(credential)
        return kind.scenario if kind else self.shape.scenario(credential)

    def wrong_kind(self, credential: str) -> WrongKind | None:
        return next((kind for kind in self.wrong_kinds if credential.startswith(kind.prefix)), None)

    @property
    def secret_prefixes(self) -> tuple[str, ...]:
        """Text that starts a secret of this provider, wherever it shows up."""
        return (*self.shape.secret_prefixes, *(kind.prefix for kind in self.wrong_kinds))

    def answer(self, service: Service, ask: Ask, scenario_name: str) -> Answer:
        """What the provider really answers to ``ask`` in that scenario, its front's headers included."""
        return self._answer(service, ask, self.scenario(scenario_name)).with_headers(service.edge(ask))

    def _answer(self, service: Service, ask: Ask, scenario: Scenario) -> Answer:
        refusal, route = service.refuse(ask), service.route(ask.request)
        if route is None:
            return refusal or service.not_found(ask)
        return route.wrap(refusal or scenario.reply_at(route)(ask))
