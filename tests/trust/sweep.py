"""The sweep of the family CAN: a walk, a canary in every sink, then everything in every sink searched once."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from tests import chromium
from tests.trust.canary import Canary, Hit, Search
from tests.trust.plants import Plants, plant
from tests.trust.sinks import SINKS, Evidence, broker, broker_messages, django_admin
from tests.trust.walk import outputs, route
from tests.trust.walk.scene import Scene

# A worker that got no time for longer than its lease: another one asks again, as it must.
_AGAIN: Final = "request_after_redirect"
ADMIN: Final = next(number for number, sink in SINKS.items() if sink is django_admin)


@dataclass(frozen=True)
class Swept:
    """What was found, by number of the sink. Nothing in here is a secret, so all of it can be printed."""

    hits: Mapping[int, frozenset[Hit]]
    places: Mapping[int, frozenset[str]]
    """Every place that was looked at, whether anything was found there or not."""
    allowed: frozenset[tuple[str, str]]
    """The canaries that may be seen, each with the place where."""
    planted: frozenset[str]
    forced: Mapping[str, list[int]]
    """The statuses of the answers while a layer failed."""
    violations: frozenset[str]
    """What the fake providers complained of."""
    canaries: frozenset[str]
    ciphertext_before: frozenset[str]
    ciphertext_after: frozenset[Hit]

    def leaks(self, sink: int) -> list[Hit]:
        """What the walk has left where it must not be."""
        return sorted(
            hit
            for hit in self.hits[sink]
            if hit.canary not in self.planted and (hit.canary, hit.place) not in self.allowed
        )

    def found(self, canary: str, sink: int) -> set[str]:
        """Where in ``sink`` it was found."""
        return {hit.place for hit in self.hits[sink] if hit.canary == canary}

    def may_be_seen(self, kind: str) -> set[tuple[str, str]]:
        """What is allowed of the canaries whose names start like this."""
        return {(canary, place) for canary, place in self.allowed if canary.startswith(kind)}

    def was_seen(self, kind: str) -> set[tuple[str, str]]:
        """What was found of them, in any sink."""
        return {(hit.canary, hit.place) for hits in self.hits.values() for hit in hits if hit.canary.startswith(kind)}


def sweep(*, whole: bool, **environment: str) -> Swept:
    """Walk through a fresh product, started with ``environment``, and search all that it leaves.

    ``whole``: in a browser too if there is one, to the end of the check whose worker was killed, with every command.
    """
    browser = whole and chromium.find() is not None
    plants = Plants()
    # The search goes on while the product stops.
    with ThreadPoolExecutor(1) as beside, Scene.open(**environment) as scene:
        route.go(scene, plants.in_browser() if browser else None, to_the_end=whole)
        violations = scene.fakes.violations()
        with plant(scene, plants):
            evidence = _gathered(scene, outputs.ALL if whole else [outputs.DUMP])
        searching = beside.submit(_hits, evidence, [*scene.secrets.canaries, *plants.canaries.values()])
        ciphertext_after = _ciphertext_after_deletion(scene)
    return Swept(
        hits=searching.result(),
        places={number: frozenset(one.place for one in found) for number, found in evidence.items()},
        allowed=frozenset(scene.secrets.allowed),
        planted=frozenset(scene.secrets.planted.union(canary.name for canary in plants.canaries.values())),
        forced=scene.forced,
        violations=frozenset(f"{one.kind} at {one.name}: {one.detail}" for one in violations if one.kind != _AGAIN),
        canaries=frozenset(canary.name for canary in scene.secrets.canaries),
        ciphertext_before=_ciphertext_before_deletion(scene),
        ciphertext_after=ciphertext_after,
    )


type Gathered = Mapping[int, Sequence[Evidence]]


def _gathered(scene: Scene, commands: Sequence[tuple[str, ...]]) -> Gathered:
    """Everything in every sink. The pages of Django admin come from another process, and take the longest."""
    with ThreadPoolExecutor(1) as beside:
        pages = beside.submit(list, django_admin(scene))
        outputs.collect(scene, commands)
        # It is told our keys, as every process of the product is.
        scene.operator.leave()
        evidence = {number: list(sink(scene)) for number, sink in SINKS.items() if sink is not django_admin}
        return {**evidence, ADMIN: pages.result()}


def _hits(evidence: Gathered, canaries: Iterable[Canary]) -> dict[int, frozenset[Hit]]:
    search = Search(canaries)
    # An error page is evidence of two sinks.
    different = {one: search.hits(*one) for one in {one for found in evidence.values() for one in found}}
    return {number: frozenset(hit for one in found for hit in different[one]) for number, found in evidence.items()}


def _ciphertext_before_deletion(scene: Scene) -> frozenset[str]:
    search = Search(scene.deleted)
    return frozenset(hit.canary for dump in scene.before_deletion for hit in search.hits_on_top("tables", dump))


def _ciphertext_after_deletion(scene: Scene) -> frozenset[Hit]:
    """In the tables, and in the broker's files and messages: nothing else was ever told of it."""
    search = Search(scene.deleted)
    told = [Evidence("tables", scene.tables()), *broker(scene), *broker_messages(scene)]
    return frozenset(hit for one in told for hit in search.hits_on_top(*one))
