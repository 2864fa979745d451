"""The gateway as client programs reach it: a real server on a real port, in front of the test database."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from gateway import app, authenticate, catalog, cooldowns, db, resolve, suspects, upstream, ways_in
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
        with requests.Session() as session:
            # What the environment says is for the gateway to ignore, and must not lead its callers astray either.
            session.trust_env = False
            return session.request(method, self.url + path, headers=headers, timeout=30, **more)

    def record(self) -> None:
        """Have everything that went by written down now."""
        asyncio.run_coroutine_threadsafe(app.recorder.flush(), self.loop).result(10)
        # What the recorder had begun to write by itself is written by the same thread.
        db.RECORDS.submit(bool).result(10)

    def reopen(self) -> None:
        """Have it make its client anew, by the settings of now."""

        async def reopen() -> None:
            await upstream.close_client()
            await upstream.open_client()

        asyncio.run_coroutine_threadsafe(reopen(), self.loop).result(10)

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
    # A service account's key of its own would take half a second to find, here and at the stand-in.
    make = samples.key if provider == "google_vertex_ai" else samples.fresh_key
    secret = make(provider, scenario)
    scope = Scope.API_KEYS if api_keys else Scope.ORGANIZATION
    credential = Credential(secret, samples.destination(provider, secret))
    draft = Draft(name, scope, frozenset(one.pk for one in api_keys), credential)
    return ProviderKey.create(access, provider, draft)
