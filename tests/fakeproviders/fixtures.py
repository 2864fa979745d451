"""The pytest plugin: ``providers`` for every test that lets something reach a provider."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.fakeproviders.client import FakeProviders
from tests.fakeproviders.journal import Violation


@dataclass(frozen=True)
class CheckedProviders(FakeProviders):
    """The fakes as one test sees them. At its end every violation that it did not announce fails it."""

    expected: set[str] = field(default_factory=set)

    def expect_violations(self, *kinds: str) -> None:
        """This test provokes violations of exactly these ``kinds``."""
        self.expected.update(kinds)

    def complaint(self) -> str:
        """What is wrong with the violations found; empty when they are the expected ones."""
        return complaint(self.violations(), self.expected)


def complaint(violations: list[Violation], expected: set[str]) -> str:
    """A sentence on violations that nobody expected and on expected ones that did not happen, or nothing."""
    surprises = Counter(f"{row.kind} at {row.name}: {row.detail}" for row in violations if row.kind not in expected)
    absent = expected - {found.kind for found in violations}
    parts = [
        *(f"{text} ({times} x)" for text, times in surprises.items()),
        *(f"expected and not seen: {kind}" for kind in sorted(absent)),
    ]
    return "the fake providers were violated:\n  " + "\n  ".join(parts) if parts else ""


@pytest.fixture(scope="session")
def fake_providers() -> Iterator[FakeProviders]:
    """One process of fakes for the whole session (one a worker under xdist)."""
    with FakeProviders.start() as running:
        yield running


@pytest.fixture
def providers(fake_providers: FakeProviders) -> Iterator[CheckedProviders]:
    """The fakes, freshly reset. The test fails at its end when something was done that must not be."""
    checked = CheckedProviders(fake_providers.base_urls, fake_providers.control_url, fake_providers.trap_url)
    checked.reset()
    yield checked
    found = checked.complaint()
    if found:
        pytest.fail(found, pytrace=False)
