"""What an admin has replaced: whoever replaces a leaked key twice in a hurry still has the first to revoke.

Kept in the session of who did it, for a day or until they say that it is revoked; by fingerprint, and by the hint that every
page shows: the audit trail holds no part of a credential.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypedDict

from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from organizations.access import Access
from providerkeys.forms.kinds import KINDS
from providerkeys.models import ProviderKey, holders_of
from providerkeys.providers import registry
from providerkeys.providers.base import CredentialKind, Provider
from providerkeys.views.twins import linked

_SESSION: Final = "replaced_in"
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
_MOST: Final = 5


class _Of(TypedDict):
    """What was replaced in one key, the latest first: fingerprint, hint and when, in seconds; ``hint`` is the new one's."""

    organization: str
    name: str
    provider: str
    hint: str
    old: list[tuple[str, str, int]]


@dataclass(frozen=True)
class Reminder:
    """What was replaced in one key and is still to be revoked; ``holders`` are the keys that hold it, each a link."""

    key_id: str
    name: str
    provider: Provider
    hints: Sequence[str]
    at: datetime
    holders: SafeString
    is_alike: bool
    """Whether what the key holds now has the same hint."""

    @property
    def keys_at(self) -> str:
        return KINDS[self.provider.credential].keys_at(self.provider)


def remember(request: HttpRequest, key: ProviderKey, old: Mapping[str, str], held: Collection[str]) -> None:
    """Remember what was replaced in ``key``: hints by fingerprint. What it holds again is none: ``held`` has either."""
    kept = _within_a_day(request)
    before = kept.pop(key.pk)["old"] if key.pk in kept else []
    new = [(fingerprint, hint, _now()) for fingerprint, hint in old.items()]
    still = [one for one in before if one[0] not in old and one[0] not in held and one[1] not in held]
    if new or still:
        kept[key.pk] = _Of(
            organization=key.organization_id,
            name=key.name,
            provider=key.provider,
            hint=key.hint,
            old=[*new, *still][:_MOST],
        )
    request.session[_SESSION] = kept


def recall(request: HttpRequest, key: ProviderKey, held: Collection[str]) -> dict[str, str]:
    """What was replaced in ``key`` within the hour, the latest first: hints by fingerprint.

    What is ``held`` again is none of them.
    """
    mine, since = _within_a_day(request).get(key.pk), _now() - _HOUR
    old = mine["old"] if mine else []
    return {fingerprint: hint for fingerprint, hint, at in old if at > since and fingerprint not in held}


def reminders(request: HttpRequest, access: Access) -> list[Reminder]:
    """What this admin has replaced in keys of the organization within a day, the latest first. One query, if there is any."""
    mine = {pk: of for pk, of in _within_a_day(request).items() if of["organization"] == access.organization.pk}
    if not mine or not access.is_admin:
        return []
    fingerprints = {fingerprint for of in mine.values() for fingerprint, _, _ in of["old"]}
    ids = {hint for of in mine.values() if _has_regions(of) for _, hint, _ in of["old"]}
    holders = holders_of(access, fingerprints, ids=ids)
    found = (_reminder(access, pk, of, holders) for pk, of in mine.items())
    return sorted(filter(None, found), key=lambda one: one.at, reverse=True)[:_MOST]


def forget(request: HttpRequest, access: Access, key_id: str) -> list[str]:
    """Remind of what was replaced in a key no more, and tell its hints; of none where nothing was replaced."""
    kept = _within_a_day(request)
    if key_id not in kept or kept[key_id]["organization"] != access.organization.pk:
        return []
    request.session[_SESSION] = {pk: of for pk, of in kept.items() if pk != key_id}
    return list(dict.fromkeys(hint for _, hint, _ in kept[key_id]["old"]))


def _reminder(access: Access, pk: str, of: _Of, holders: Sequence[ProviderKey]) -> Reminder | None:
    provider = registry.find(of["provider"])
    if _has_regions(of):
        old, held = of["old"], [key for key in holders if key.provider == of["provider"]]
    else:
        # One that the key holds again is no old one.
        again = {key.fingerprint for key in holders if key.pk == pk}
        old = [one for one in of["old"] if one[0] not in again]
        held = [key for key in holders if key.fingerprint in {one[0] for one in old}]
    if not old or provider is None:
        return None
    hints, at = list(dict.fromkeys(one[1] for one in old)), datetime.fromtimestamp(max(one[2] for one in old), UTC)
    return Reminder(pk, of["name"], provider, hints, at, linked(access, held), is_alike=of["hint"] in hints)


def _has_regions(of: _Of) -> bool:
    provider = registry.find(of["provider"])
    return provider is not None and provider.credential is CredentialKind.IAM_REGIONS


def _within_a_day(request: HttpRequest) -> dict[str, _Of]:
    known: dict[str, _Of] = request.session.get(_SESSION, {})
    since = _now() - _DAY
    still = {pk: [one for one in of["old"] if one[2] > since] for pk, of in known.items()}
    return {pk: {**known[pk], "old": old} for pk, old in still.items() if old}


def _now() -> int:
    return int(timezone.now().timestamp())
