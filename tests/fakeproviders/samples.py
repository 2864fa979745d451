"""Every sample credential, in one place for tests, the demo and the documents.

``for sample in samples.documented("openai")`` gives each documented answer as a key that gets it, what the answer is,
and the verdict that the product must reach. Nothing here is a secret; every key says FAKE.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from tests.fakeproviders import hostile as hostile_scenarios
from tests.fakeproviders import providers
from tests.fakeproviders.hostile import streams
from tests.fakeproviders.model import Ask, Provider, Scenario, Verdict
from tests.fakeproviders.shape import KeyShape
from tests.fakeproviders.wire import Request

PROVIDERS: Final = tuple(provider.slug for provider in providers.load())
KEYED: Final = tuple(provider.slug for provider in providers.load() if isinstance(provider.shape, KeyShape))
"""Those whose credential is one key, sent with one request."""
STREAM_FAULTS: Final = streams.ROWS
"""Scenarios in which a stream goes wrong after a good beginning, and nothing else does; with what happens."""
_EXCERPT: Final = 160


@dataclass(frozen=True, slots=True)
class Sample:
    """A key, the answer it gets and the verdict expected of it.

    ``answer`` is the documented answer: status and the beginning of its body (hostile ones: in words). ``method`` and
    ``path`` are of the request that gets it, where a check makes more than one.
    ``slow``: the answer lasts as long as the caller lets it.
    """

    provider: str
    scenario: str
    key: str
    verdict: Verdict
    description: str
    answer: str
    hostile: bool = False
    slow: bool = False
    method: str = "GET"
    path: str = ""

    @property
    def id(self) -> str:
        """A name for the parametrised test."""
        return f"{self.provider}-{self.scenario}"


def documented(provider: str) -> tuple[Sample, ...]:
    """A sample for each documented answer of ``provider``."""
    stand_in = providers.get(provider)
    return tuple(_documented(stand_in, scenario) for scenario in stand_in.scenarios)


def hostile(provider: str) -> tuple[Sample, ...]:
    """A sample for each hostile behaviour, as a key of ``provider``."""
    stand_in = providers.get(provider)
    return tuple(_hostile(stand_in, stage, row) for stage in stand_in.stages for row in hostile_scenarios.ROWS)


@cache
def everything() -> tuple[Sample, ...]:
    """All samples of all providers."""
    return tuple(sample for provider in PROVIDERS for sample in (*documented(provider), *hostile(provider)))


def one_of_each_verdict(provider: str) -> dict[Verdict, Sample]:
    """The plainest documented sample for each verdict: what the demo shows."""
    found: dict[Verdict, Sample] = {}
    for sample in documented(provider):
        found.setdefault(sample.verdict, sample)
    return found


def key(provider: str, scenario: str) -> str:
    """The sample key for any scenario, the families too: ``key("openai", "slow3")``."""
    return providers.get(provider).shape.sample(scenario)


def fresh_key(provider: str, scenario: str) -> str:
    """A random key for ``scenario``: one that no other test has used, a canary."""
    return providers.get(provider).shape.fresh(scenario)


def destination(provider: str, key: str) -> Mapping[str, str]:
    """Where the sample ``key`` is used, where that is a part of the credential."""
    stand_in = providers.get(provider)
    return stand_in.scenario(stand_in.shape.scenario(stand_in.shape.arrives(key))).destination or stand_in.destination


def wrong_kinds(provider: str) -> dict[str, str]:
    """Credentials that must be refused before any call, with what each is. Random, so never twice the same."""
    return {f"{kind.prefix}01-FAKE{secrets.token_hex(40)}": kind.what for kind in providers.get(provider).wrong_kinds}


def _documented(provider: Provider, scenario: Scenario) -> Sample:
    sample_key = provider.shape.sample(scenario.name)
    routes = (route for service in provider.services for route in service.routes)
    route = next(route for route in routes if not scenario.on or route.name in scenario.on)
    request = Request(route.method, route.path, ())
    answer = (scenario.reply or route.good)(Ask(request, provider.shape.arrives(sample_key), nth=1))
    return Sample(
        provider.slug,
        scenario.name,
        sample_key,
        scenario.verdict,
        scenario.description,
        answer=f"{answer.status} {answer.body.decode()[:_EXCERPT]}",
        method=route.method,
        path=route.path,
    )


def _hostile(provider: Provider, stage: str, row: hostile_scenarios.Hostile) -> Sample:
    name = stage + row.name
    key = provider.shape.sample(name)
    return Sample(provider.slug, name, key, row.verdict, row.description, row.description, hostile=True, slow=row.slow)
