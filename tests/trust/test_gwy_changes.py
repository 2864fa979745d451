"""GWY-14: what changes in the console holds within five seconds in every process, with no broker anywhere."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest
from django.utils import timezone

from gateway import authenticate, cache, resolve
from organizations.access import Access
from organizations.actors import Actor
from organizations.models import ApiKey
from providerkeys.models import Draft, ProviderKey
from providerkeys.providers.base import Credential
from providerkeys.resolver import Scope
from tests.fakeproviders import samples
from tests.fakeproviders.client import FakeProviders
from tests.fakeproviders.fixtures import CheckedProviders
from tests.gateway.processes import Process, processes
from tests.processes import eventually
from tests.trust.controls import Control, controls
from tests.trust.gwy import Gateway, db, keep

EFFECTIVE: Final = 5.0


@dataclass(frozen=True)
class Change:
    """What is asked of an API key's requests before and after ``make``: status and serving provider key."""

    api_key: str
    before: tuple[int, str]
    make: Callable[[], object]
    after: tuple[int, str]


def revoked(access: Access) -> Change:
    api_key, plaintext = ApiKey.issue(access, "revoked")
    key = keep(access, api_keys=(api_key,))
    return Change(plaintext, (200, key.pk), lambda: api_key.delete_by(access), (401, ""))


def api_key_disabled(access: Access) -> Change:
    api_key, plaintext = ApiKey.issue(access, "disabled")
    key = keep(access, api_keys=(api_key,))
    return Change(plaintext, (200, key.pk), lambda: api_key.disable(access), (401, ""))


def key_disabled(access: Access) -> Change:
    api_key, plaintext = ApiKey.issue(access, "paused")
    key = keep(access, api_keys=(api_key,))
    return Change(plaintext, (200, key.pk), lambda: key.disable(access), (403, ""))


def replaced(access: Access) -> Change:
    """The old secret works, the new one is refused by the provider: so it is seen which one was sent."""
    api_key, plaintext = ApiKey.issue(access, "replaced")
    key = keep(access, api_keys=(api_key,))
    credential = Credential(samples.fresh_key("openai", "status404"))
    draft = Draft(key.name, Scope.API_KEYS, frozenset({api_key.pk}), credential)
    return Change(plaintext, (200, key.pk), lambda: key.change(access, draft, key.version), (404, key.pk))


def reassigned(access: Access) -> Change:
    api_key, plaintext = ApiKey.issue(access, "re-assigned")
    first, second = keep(access, api_keys=(api_key,)), keep(access, api_keys=(ApiKey.issue(access, "other")[0],))

    def make() -> None:
        first.change(access, _assigned(first, ApiKey.issue(access, "another")[0]), first.version)
        second.change(access, _assigned(second, api_key), second.version)

    return Change(plaintext, (200, first.pk), make, (200, second.pk))


def _assigned(key: ProviderKey, api_key: ApiKey) -> Draft:
    return Draft(key.name, Scope.API_KEYS, frozenset({api_key.pk}))


def deleted(access: Access) -> Change:
    api_key, plaintext = ApiKey.issue(access, "without its key")
    key = keep(access, api_keys=(api_key,))
    return Change(plaintext, (200, key.pk), lambda: key.delete_by(access), (403, ""))


def expired(access: Access) -> Change:
    api_key, plaintext = ApiKey.issue(access, "expired")
    key = keep(access, api_keys=(api_key,))
    past = timezone.now() - timedelta(seconds=1)
    return Change(
        plaintext, (200, key.pk), lambda: ApiKey.objects.filter(pk=api_key.pk).update(expires_at=past), (401, "")
    )


def suspended(access: Access) -> Change:
    api_key, plaintext = ApiKey.issue(access, "suspended")
    key = keep(access, api_keys=(api_key,))
    return Change(plaintext, (200, key.pk), lambda: access.organization.suspend(Actor.system("test")), (403, ""))


CHANGES: Final = (revoked, api_key_disabled, expired, key_disabled, deleted, replaced, reassigned, suspended)


def asked(gateway: Gateway, api_key: str) -> tuple[int, str]:
    """Status, and the provider key that served."""
    answer = gateway.post(api_key)
    return answer.status_code, answer.headers.get("x-byok-provider-key", "")


@dataclass
class Clock:
    """What the gateway's caches take for the time."""

    ahead: float = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(cache, "time", clock)
    return clock


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_gwy_14_nothing_is_remembered_for_longer(
    change: Callable[[Access], Change], gateway: Gateway, clock: Clock, alice_access: Access
) -> None:
    """Nobody is told of a change: what was looked up is too old to be used."""
    made = change(alice_access)
    assert asked(gateway, made.api_key) == made.before
    made.make()
    clock.ahead += EFFECTIVE
    assert asked(gateway, made.api_key) == made.after


@pytest.fixture(scope="module")
def two(django_db_setup: None, django_db_blocker: Any, fake_providers: FakeProviders) -> Iterator[list[Process]]:
    with django_db_blocker.unblock(), processes(fake_providers.base_urls, 2) as started:
        yield started


@pytest.mark.long
@pytest.mark.database
def test_gwy_14_it_holds_in_every_process(
    two: list[Process], db: None, providers: CheckedProviders, alice_access: Access
) -> None:
    """All changes at once, each for an API key of its own."""
    changes = [arrange(alice_access) for arrange in CHANGES if arrange is not suspended]
    for change in changes:
        assert [one.ask(change.api_key) for one in two] == [change.before] * 2
    for change in changes:
        change.make()
    made = time.monotonic()
    for change in changes:
        for one in two:
            eventually(lambda one=one, change=change: one.ask(change.api_key) == change.after, EFFECTIVE)  # type: ignore[misc]
    assert time.monotonic() - made < EFFECTIVE + 1


# Defects: each cache in its turn remembers for as long as others do.


def callers_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authenticate._callers, "_seconds", lambda _: 60.0)


def resolutions_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve._resolutions, "_seconds", lambda _: 60.0)


_OF_CALLERS: Final = (revoked, api_key_disabled, expired, suspended)


@controls(
    Control(
        test_gwy_14_nothing_is_remembered_for_longer,
        callers_for_a_minute if change in _OF_CALLERS else resolutions_for_a_minute,
        {"change": change},
    )
    for change in CHANGES
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)


__all__ = ["db"]
