import pytest

from tests.providerkeys.sample import Door


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    """Where requests to providers end: it accepts every credential and counts what it was sent."""
    return Door.instead(monkeypatch)
