import pytest

from organizations.access import Access
from organizations.models import ApiKey
from tests.gateway.committed import db
from tests.gateway.stand import SAID, Gateway, forget, keep


@pytest.fixture
def api_key(alice_access: Access) -> str:
    """An API key of Acme, in plain text."""
    return ApiKey.issue(alice_access, "production")[1]


__all__ = ["SAID", "Gateway", "api_key", "db", "forget", "keep"]
