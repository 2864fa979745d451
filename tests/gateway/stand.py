"""The gateway as client programs reach it: a real server on a real port, in front of the test database."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from gateway import app, authenticate, catalog, cooldowns, resolve, suspects, ways_in
from organizations.access import Access
from organizations.models import ApiKey
from providerkeys.models import Draft, ProviderKey
from providerkeys.providers.base import Credential
from providerkeys.resolver import Scope
from tests.fakeproviders import samples

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

    def forget(self) -> None:
        """Have it look everything up again."""
        forget()

    def settle(self) -> None:
        """Have it done with everything that it does beside its answers."""
        asyncio.run_coroutine_threadsafe(suspects.settled(), self.loop).result(10)
        self.record()


def forget() -> None:
    """What lives in the memory of a gateway's process."""
    authenticate.clear()
    resolve.clear()
    ways_in.clear()
    catalog.clear()
    cooldowns.clear()
    suspects.clear()


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
