from collections.abc import Callable

import pytest
from pytest_django.fixtures import Settings

from providerkeys.providers import http, registry
from providerkeys.providers.base import Credential
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders


@pytest.fixture
def ask(providers: CheckedProviders, settings: Settings) -> Callable[[str, str], str]:
    """Checks a key at a provider's stand-in through the real door, in a check's time; returns the reason code, as a check does."""
    settings.PROVIDER_BASE_URLS = providers.base_urls

    def check(slug: str, key: str) -> str:
        try:
            return registry.get(slug).check(Credential(key, samples.destination(slug, key)), http.sender())
        except http.Unreachable as unreachable:
            return unreachable.reason

    return check
