"""What a provider's keys look like, so that sample keys are realistic, obviously fake, and name their scenario."""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

API_KEY = "api_key"
"""The one field of a credential that is a key."""
_FILLER = "FAKE0EXAMPLE0KEY0"
_LEAST_FILLER = 8
_ALPHABET = string.ascii_letters + string.digits


class Shape(Protocol):
    """How the credentials of a provider are made, and how they name their scenario."""

    @property
    def secret_prefixes(self) -> tuple[str, ...]:
        """Text that starts a secret, wherever it shows up."""

    def sample(self, scenario: str) -> str:
        """The one key that stands for ``scenario`` in the demo, the documents and simple tests."""

    def fresh(self, scenario: str) -> str:
        """A new key for ``scenario``, random but for the word FAKE: a canary, or one test's own key."""

    def scenario(self, key: str) -> str:
        """The scenario that a credential names, as a stand-in has read it from a request."""

    def arrives(self, key: str) -> str:
        """What the stand-in that is asked first reads from a request made with ``key``."""

    def secret_parts(self, key: str) -> Mapping[str, tuple[str, ...]]:
        """What of a fresh ``key`` is secret and in no other key, by the field that holds it: an API key is one field.

        All but what the provider's keys have in common, such as a prefix.
        """


@dataclass(frozen=True, slots=True)
class KeyShape:
    """``head`` + ``width`` characters + ``tail``; the last of those characters are the separator and the scenario.

    ``mark`` is text that real keys carry right in their middle. ``separator`` stands in no scenario's name; where real keys
    have only letters and digits, it is a letter. ``lower``: real keys have no capitals. Keys are put together here and
    written nowhere, so that no secret scanner takes a file of the repository for a leak.
    """

    head: str
    width: int
    tail: str = ""
    mark: str = ""
    separator: str = "-"
    lower: bool = False

    @property
    def secret_prefixes(self) -> tuple[str, ...]:
        return (self.head,)

    def sample(self, scenario: str) -> str:
        return self._make(scenario, (_FILLER * self.width)[: self.width])

    def fresh(self, scenario: str) -> str:
        return self._make(scenario, "FAKE" + "".join(secrets.choice(_ALPHABET) for _ in range(self.width)))

    def scenario(self, key: str) -> str:
        """Its last token, the tail aside."""
        return key.removesuffix(self.tail).rpartition(self.separator)[2]

    def arrives(self, key: str) -> str:
        return key

    def secret_parts(self, key: str) -> Mapping[str, tuple[str, ...]]:
        middle = key.removeprefix(self.head).removesuffix(f"{self.separator}{self.scenario(key)}{self.tail}")
        random = middle[len("FAKE") :]
        return {API_KEY: tuple(random.split(self.mark)) if self.mark else (random,)}

    def _make(self, scenario: str, filler: str) -> str:
        end = self.separator + scenario
        half = (self.width - len(self.mark)) // 2 if self.mark else 0
        room = self.width - len(self.mark) - len(end)
        if room < max(half, _LEAST_FILLER):
            raise ValueError(f"the scenario's name is too long for this provider's keys: {scenario}")
        filler = filler.lower() if self.lower else filler
        return self.head + filler[:half] + self.mark + filler[half:room] + end + self.tail
