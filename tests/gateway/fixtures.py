"""The pytest plugin: ``gateway`` for every test that asks one, on a real port in front of the test database.

A module that uses it takes ``db`` from ``tests.gateway.committed``: the server's threads see only what is committed.
"""

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakeproviders.fixtures import CheckedProviders
from tests.gateway.committed import COMMITTED

if TYPE_CHECKING:
    from tests.gateway.stand import Gateway


@pytest.fixture(scope="session")
def gateway_server(django_db_setup: None, django_db_blocker: Any) -> Iterator["Gateway"]:
    """One server for all tests of a worker."""
    # Only who uses it pays for what it needs.
    from tests.gateway.server import Server  # noqa: PLC0415
    from tests.gateway.stand import Gateway  # noqa: PLC0415

    server = Server.make()
    thread = threading.Thread(target=server.run, daemon=True)
    with django_db_blocker.unblock():
        thread.start()
        assert server.ready.wait(20)
    yield Gateway(f"http://127.0.0.1:{server.port}", server.loop)
    with django_db_blocker.unblock():
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def gateway(db: object, gateway_server: "Gateway", providers: CheckedProviders, settings: Any) -> Iterator["Gateway"]:
    """The gateway, in front of this test's database and of the fake providers, remembering nothing."""
    assert db == COMMITTED, "this module needs `db` of tests.gateway.committed"
    settings.PROVIDER_BASE_URLS = providers.base_urls
    gateway_server.forget()
    yield gateway_server
    gateway_server.settle()
    gateway_server.forget()
