"""The fixtures under test, whether or not the suite's own conftest loads their plugin."""

from tests.fakeproviders.fixtures import fake_providers, providers

__all__ = ["fake_providers", "providers"]
