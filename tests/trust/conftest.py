import logging

import pytest

from organizations.access import Access
from organizations.models import User
from tests.providerkeys import sample
from tests.providerkeys.sample import Door
from tests.trust.web import Site


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    """Where requests to providers end: it accepts every credential and counts what it was sent."""
    return Door.instead(monkeypatch)


@pytest.fixture
def site(alice_access: Access, dana: User, sam: User, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Acme with one of everything, and the browsers of Alice and Sam. Nothing that is pressed reaches a broker."""
    # Refusals by the hundred, each with its traceback, would be half of what the family costs.
    for name in ("django.request", "django.security.csrf"):
        monkeypatch.setattr(logging.getLogger(name), "disabled", True)
    sample.letterbox(monkeypatch)
    return Site.of(alice_access, dana, sam)
