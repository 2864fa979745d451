"""Words, tones and icons that stand for states: never colour alone, one meaning a colour."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from providerkeys.providers import registry
from providerkeys.providers.verdicts import Link, Reason, Verdict
from providerkeys.resolver import Scope

Tone = Literal["green", "amber", "red", "grey", "outline"]


@dataclass(frozen=True, slots=True)
class Badge:
    """A state of a key: a word, its tone and its icon."""

    word: str
    tone: Tone
    icon: str


@dataclass(frozen=True, slots=True)
class AssignmentBadge:
    """For whom a provider key serves. ``kind`` is what scripts read."""

    label: str
    kind: Literal["organization", "api-key", "unassigned"]


@dataclass(frozen=True, slots=True)
class Rank:
    """A key's place among the keys of its tier."""

    number: int
    sentence: str
    whom: str = ""
    """For whom, where the sentence doesn't say it."""


@dataclass(frozen=True, slots=True)
class Step:
    """The next step: a sentence with at most one link in it."""

    before: str
    link_text: str
    link_url: str
    after: str

    @property
    def lead(self) -> str:
        """What stands before it: a whole sentence, of which nothing follows, stands for itself."""
        return "" if self.before[:1].isupper() else "Next: "

    @classmethod
    def of(cls, reason: Reason) -> "Step | None":
        """The next step of ``reason``, or ``None`` when it names none."""
        before, link, after = reason.step_parts
        link = link or Link("", "")
        return cls(before, link.text, link.url, after) if reason.next_step else None


FAILING_VERDICTS: Final = frozenset({Verdict.INVALID, Verdict.FORBIDDEN})

ACTIVE: Final = Badge("Active", "green", "circle-check")
FAILING: Final = Badge("Failing", "red", "circle-x")
DISABLED: Final = Badge("Disabled", "grey", "circle-pause")
UNTESTED: Final = Badge("Untested", "outline", "circle-dashed")
LIMITED: Final = Badge("Limited", "amber", "gauge")
UNREADABLE: Final = Badge("Unreadable", "red", "triangle-alert")
UNROUTED: Final = Badge("Not routed yet", "outline", "route-off")
"""Of a provider: its keys serve whom they are assigned to, but the gateway takes no requests to it."""


def not_routed(provider: str) -> str:
    """That the gateway takes no requests to this provider; empty where it does."""
    row = registry.find(provider)
    return "" if row is None or row.is_routed else f"The gateway doesn’t route {row.label} requests yet."


def partly_failing(failing: int, of: int) -> Badge:
    """Some of a key's regions can't be used; the others serve."""
    return Badge(f"{failing} of {of} regions failing", "amber", "triangle-alert")


def of_verdict(verdict: str, failing: int = 0, regions: int = 0) -> list[Badge]:
    """What a verdict means for a key in use: it is never a reason not to serve. Of several regions some may fail."""
    if 0 < failing < regions:
        return [ACTIVE, partly_failing(failing, regions)]
    if verdict in FAILING_VERDICTS:
        return [FAILING]
    if verdict == Verdict.LIMITED:
        return [ACTIVE, LIMITED]
    return [ACTIVE] if verdict else [ACTIVE, UNTESTED]


def of_state(enabled: bool, readable: bool, verdict: str, failing: int = 0, regions: int = 0) -> list[Badge]:
    """Whether a key serves, and what else is worth knowing."""
    if not enabled:
        return [DISABLED]
    return of_verdict(verdict, failing, regions) if readable else [UNREADABLE]


ORGANIZATION: Final = AssignmentBadge("Organization (all keys)", "organization")
UNASSIGNED: Final = AssignmentBadge("Unassigned", "unassigned")


def of_assignment(scope: str, api_key_names: Iterable[str]) -> list[AssignmentBadge]:
    """For whom a key serves: the organization, or one badge per API key."""
    if scope == Scope.ORGANIZATION:
        return [ORGANIZATION]
    return [AssignmentBadge(name, "api-key") for name in api_key_names] or [UNASSIGNED]


VERDICT_BADGES: Final = {
    Verdict.VALID: Badge("Valid", "green", "circle-check"),
    Verdict.LIMITED: Badge("Limited", "amber", "gauge"),
    Verdict.INVALID: Badge("Invalid", "red", "circle-x"),
    Verdict.FORBIDDEN: Badge("Forbidden", "red", "circle-slash"),
    Verdict.UNREACHABLE: Badge("Unreachable", "grey", "cloud-off"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A stored verdict in words: what the provider's file says about its reason today."""

    verdict: str
    word: str
    sentence: str
    tone: Tone
    icon: str
    step: Step | None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of a test result: a credential's label, its own state, and what was said of it (``None`` until then)."""

    label: str
    state: str
    told: Told | None
    seconds: str

    @property
    def verdict(self) -> str:
        return self.told.verdict if self.told else ""

    @property
    def word(self) -> str:
        return self.told.word if self.told else ""

    @property
    def sentence(self) -> str:
        return self.told.sentence if self.told else ""

    @property
    def tone(self) -> str:
        return self.told.tone if self.told else ""

    @property
    def icon(self) -> str:
        return self.told.icon if self.told else ""

    @property
    def step(self) -> Step | None:
        return self.told.step if self.told else None


def tell(provider: str, verdict: str, reason: str, at: datetime | None = None, *, typed: bool = False) -> Told:
    """The words for a stored ``verdict`` and ``reason`` of ``provider``; the verdict that was given stands.

    Only of credentials that are ``typed`` in a form does the next step say to save them.
    """
    row = registry.find(provider)
    badge = VERDICT_BADGES[Verdict(verdict)]
    known = row.reason(reason) if row else None
    if known and not typed:
        known = known.once_stored
    return Told(
        verdict,
        badge.word,
        known.sentence if known else "",
        badge.tone,
        badge.icon,
        Step.of(known) if known else None,
        at,
    )
