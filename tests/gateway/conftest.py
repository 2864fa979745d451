"""The gateway as client programs reach it: a real server on a real port, in front of the test database."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import uvicorn

from byok_site.asgi import application
from byok_site.protocol import Protocol
from gateway import app, authenticate, catalog, cooldowns, resolve, suspects, ways_in
from organizations.access import Access
from organizations.models import ApiKey
from providerkeys.models import Draft, ProviderKey
from providerkeys.providers.base import Credential
from providerkeys.resolver import Scope
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.gateway.committed import db

SAID = "Hello from a test."


@dataclass(frozen=True)
class Gateway:
    """A running gateway and what its callers do."""

    url: str
    loop: asyncio.AbstractEventLoop

    def post(self, api_key: str, /, path: str = "/v1/chat/completions", **body: Any) -> requests.Response:
        """Ask for a completion. ``body`` goes over the standard one."""
        document = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": SAID}], **body}
        return self.send("POST", path, {"Authorization": f"Bearer {api_key}"}, json=document)

    def send(self, method: str, path: str, headers: Mapping[str, str] | None = None, **more: Any) -> requests.Response:
        return requests.request(method, self.url + path, headers=headers, timeout=30, **more)

    def record(self) -> None:
        """Have everything that went by written down now."""
        asyncio.run_coroutine_threadsafe(app.recorder.flush(), self.loop).result(10)

    def settle(self) -> None:
        """Have it done with everything that it does beside its answers."""
        asyncio.run_coroutine_threadsafe(suspects.settled(), self.loop).result(10)
        self.record()


class _Server(uvicorn.Server):
    """Says when it answers, and in which loop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.loop: asyncio.AbstractEventLoop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.ready.set()


@pytest.fixture(scope="session")
def gateway_server(django_db_setup: None, django_db_blocker: Any) -> Iterator[Gateway]:
    """One server for all tests of a worker."""
    config = uvicorn.Config(
        application, http=Protocol, port=0, lifespan="on", log_config=None, server_header=False, ws="none"
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    with django_db_blocker.unblock():
        thread.start()
        assert server.ready.wait(20)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Gateway(f"http://127.0.0.1:{port}", server.loop)
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def gateway(db: None, gateway_server: Gateway, providers: CheckedProviders, settings: Any) -> Iterator[Gateway]:
    """The gateway, in front of this test's database and of the fake providers, remembering nothing."""
    settings.PROVIDER_BASE_URLS = providers.base_urls
    forget()
    yield gateway_server
    gateway_server.settle()
    forget()


def forget() -> None:
    """What lives in the memory of a gateway's process."""
    authenticate.clear()
    resolve.clear()
    ways_in.clear()
    catalog.clear()
    cooldowns.clear()
    suspects.clear()


@pytest.fixture
def api_key(alice_access: Access) -> str:
    """An API key of Acme, in plain text."""
    return ApiKey.issue(alice_access, "production")[1]


def keep(
    access: Access,
    provider: str = "openai",
    scenario: str = "good",
    *,
    name: str = "Production",
    api_keys: tuple[ApiKey, ...] = (),
) -> ProviderKey:
    """Save a provider key that gets this answer, for the organization or for these API keys."""
    secret = samples.fresh_key(provider, scenario)
    scope = Scope.API_KEYS if api_keys else Scope.ORGANIZATION
    credential = Credential(secret, samples.destination(provider, secret))
    draft = Draft(name, scope, frozenset(one.pk for one in api_keys), credential)
    return ProviderKey.create(access, provider, draft)


__all__ = ["SAID", "Gateway", "db", "forget", "keep"]
