"""Which provider keys serve a request: loads what the resolver needs, keeps it for a moment, and opens secrets late."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar, Final

from gateway import db
from gateway.authenticate import Caller
from gateway.cache import Cache
from gateway.refusals import Refusal
from providerkeys import vault
from providerkeys.models import KeyAssignment, ProviderKey
from providerkeys.providers.base import Credential, Provider
from providerkeys.resolver import Resolution, Scope, Why, resolve
from providerkeys.vault import Purpose, Sealed, SecretUnreadable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider key as it was loaded: what the resolver asks, what a record keeps, and its secret, still sealed."""

    id: str
    organization_id: str
    provider: str
    name: str
    hint: str
    version: int
    scope: str
    enabled: bool
    position: int
    readable: bool
    assigned_ids: frozenset[str]
    destination: Mapping[str, str]
    credentials: Sealed | None
    credentials_version: int

    sealed_field: ClassVar[str] = "credentials"

    @property
    def pk(self) -> str:
        return self.id

    def open(self) -> Credential:
        """The credential. Raises ``SecretUnreadable``. It is asked for at each request, so that none lives long."""
        return Credential(vault.reveal(self, Purpose.GATEWAY), self.destination)


_resolutions: Cache[tuple[str, str], Resolution[Candidate]] = Cache()
_stamped: set[tuple[str, int]] = set()
_MOST_STAMPED: Final = 10_000
_COLUMNS: Final = (
    "id", "organization_id", "provider", "name", "hint", "version", "scope", "enabled", "position", "unreadable_at",
    "destination", "credentials", "credentials_version",
)  # fmt: skip


async def candidates(caller: Caller, provider: Provider) -> tuple[Candidate, ...]:
    """The provider keys that serve ``caller``, in order. Raises ``Refusal`` (403, 503) when none does."""
    key = (caller.id, provider.slug)
    found = _resolutions.peek(key)
    resolution = found[0] if found else await _resolutions.get(key, lambda: db.run(lambda: _load(caller, provider)))
    if not resolution:
        raise _refusal(resolution.refusal if resolution is not None else None, provider)
    return tuple(judged.row for judged in resolution.candidates)


def _load(caller: Caller, provider: Provider) -> Resolution[Candidate]:
    """The keys that can matter: those assigned to this API key, and the organization-wide ones."""
    ours = ProviderKey.objects.filter(organization_id=caller.organization_id, provider=provider.slug)
    assigned = set(
        KeyAssignment.objects.filter(api_key_id=caller.id, provider_key__in=ours).values_list(
            "provider_key_id", flat=True
        )
    )
    asked = ours.filter(pk__in=assigned) if assigned else ours.filter(scope=Scope.ORGANIZATION)
    rows = [_candidate(key, caller, assigned) for key in asked.only(*_COLUMNS)]
    return resolve(rows, caller.id, provider.slug)


def _candidate(key: ProviderKey, caller: Caller, assigned: set[str]) -> Candidate:
    return Candidate(
        id=key.pk,
        organization_id=key.organization_id,
        provider=key.provider,
        name=key.name,
        hint=key.hint,
        version=key.version,
        scope=key.scope,
        enabled=key.enabled,
        position=key.position,
        readable=key.readable,
        assigned_ids=frozenset({caller.id}) if key.pk in assigned else frozenset(),
        destination=key.destination,
        credentials=key.credentials,
        credentials_version=key.credentials_version,
    )


def _refusal(why: Why | None, provider: Provider) -> Refusal:
    if why == Why.UNREADABLE:
        sentence = f"The {provider.label} key for this API key can’t be read. An admin has to enter it again."
        return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "unreadable", sentence)
    if why == Why.DISABLED:
        sentence = f"The {provider.label} key for this API key is disabled. No other key steps in."
        return Refusal(HTTPStatus.FORBIDDEN, "disabled", sentence)
    sentence = f"No {provider.label} key is assigned to this API key or to its whole organization."
    return Refusal(HTTPStatus.FORBIDDEN, "no_provider_key", sentence)


async def stamp_unreadable(candidate: Candidate) -> None:
    """Write down that its secret could not be opened, once. Where that fails the request goes on all the same."""
    name = (candidate.id, candidate.credentials_version)
    if name in _stamped:
        return
    try:
        await db.run(lambda: _stamp(candidate))
    except (db.Failure, vault.VaultError) as error:
        log.warning("provider key %s could not be stamped unreadable (%s)", candidate.id, type(error).__name__)
        return
    if len(_stamped) >= _MOST_STAMPED:
        _stamped.clear()
    _stamped.add(name)


def _stamp(candidate: Candidate) -> None:
    key = ProviderKey.objects.filter(pk=candidate.id, credentials_version=candidate.credentials_version).first()
    if key:
        key.found_unreadable()


def unreadable(provider: Provider) -> Refusal:
    """What is said when no candidate could be opened."""
    return _refusal(Why.UNREADABLE, provider)


def clear() -> None:
    """Load again at the next request: for tests."""
    _resolutions.clear()
    _stamped.clear()


__all__ = ["Candidate", "SecretUnreadable", "candidates", "clear", "stamp_unreadable", "unreadable"]
