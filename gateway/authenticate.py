"""Whose request it is: the API key in ``Authorization: Bearer`` or ``x-api-key``, and nothing else."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from django.utils import timezone

from gateway import db
from gateway.cache import Cache
from gateway.refusals import Refusal
from organizations import tokens
from organizations.models import ApiKey
from organizations.models.api_key import PREFIX

_BEARER: Final = "bearer "


@dataclass(frozen=True, slots=True)
class Caller:
    """An API key as it was looked up, which may be disabled or expired by now."""

    id: str
    name: str
    hint: str
    organization_id: str
    enabled: bool
    expires_at: datetime | None
    suspended: bool
    secret_ends_at: datetime | None = None
    """Until when the secret that was sent is accepted, where another one has taken its place."""

    def refuse_unusable(self) -> None:
        """Raise ``Refusal`` (401, or 403 for a suspended organization) unless this API key may be used now."""
        if self.secret_ends_at is not None and self.secret_ends_at <= timezone.now():
            # Whoever holds an old secret learns nothing of the key; the record says what it was.
            raise _unknown("api_key_rotated")
        if not self.enabled:
            raise Refusal(HTTPStatus.UNAUTHORIZED, "api_key_disabled", "This API key is disabled.")
        if self.expires_at is not None and self.expires_at <= timezone.now():
            raise Refusal(HTTPStatus.UNAUTHORIZED, "api_key_expired", "This API key has expired.")
        if self.suspended:
            raise Refusal(HTTPStatus.FORBIDDEN, "suspended", "This API key’s organization is suspended.")


# By digest: the key itself does not stay in memory.
_callers: Cache[str, Caller] = Cache()


async def authenticate(headers: list[tuple[bytes, bytes]]) -> Caller:
    """The caller, who may be one that is to be refused. Raises ``Refusal`` (401) for one that nobody knows."""
    plaintext = _key_in(headers)
    digest = tokens.digest(plaintext)
    found = _callers.peek(digest)
    if not found and tokens.lookup_of(PREFIX, plaintext) is None:
        raise _unknown() if plaintext else _missing()
    caller = found[0] if found else await _callers.get(digest, lambda: db.run(lambda: _look_up(plaintext)))
    if caller is None:
        raise _unknown()
    return caller


def _look_up(plaintext: str) -> Caller | None:
    key = ApiKey.find(plaintext)
    secret = key.secret_of(plaintext) if key else None
    if key is None or secret is None:
        return None
    return Caller(
        id=key.pk,
        name=key.name,
        hint=secret.hint,
        organization_id=key.organization_id,
        enabled=key.enabled,
        expires_at=key.expires_at,
        suspended=key.organization.is_suspended,
        secret_ends_at=secret.ends_at,
    )


def _key_in(headers: list[tuple[bytes, bytes]]) -> str:
    """What stands in the two headers, once or twice the same; empty when nothing does, or different things do."""
    given = set()
    for name, value in headers:
        if name == b"authorization":
            text = value.decode("latin-1").strip()
            given.add(text[len(_BEARER) :].strip() if text[: len(_BEARER)].lower() == _BEARER else text)
        elif name == b"x-api-key":
            given.add(value.decode("latin-1").strip())
    return given.pop() if len(given) == 1 else ""


def _missing() -> Refusal:
    sentence = "Send one API key, as `Authorization: Bearer …` or as `x-api-key`."
    return Refusal(HTTPStatus.UNAUTHORIZED, "missing_api_key", sentence)


def _unknown(recorded: str = "") -> Refusal:
    return Refusal(HTTPStatus.UNAUTHORIZED, "invalid_api_key", "This API key is not known.", recorded=recorded)


def clear() -> None:
    """Look everybody up again: for tests."""
    _callers.clear()
