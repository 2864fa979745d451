"""What an admin has replaced: whoever replaces a leaked key twice in a hurry still has the first to revoke.

Kept in the session of who did it, for a day or until they say that it is revoked; by fingerprint, and by the hint that every
page shows: the audit trail holds no part of a credential.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, TypedDict

from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from organizations.access import Access
from providerkeys.forms.kinds import KINDS
from providerkeys.models import ProviderKey, holders_of
from providerkeys.providers import registry
from providerkeys.providers.base import CredentialKind, Provider
from providerkeys.views.twins import linked

_SESSION: Final = "to_revoke"
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
_MOST: Final = 5
_KEYS: Final = 20


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
    until: int
    """When the latest of it was replaced, in seconds."""
    holders: SafeString
    is_alike: bool
    """Whether what the key holds now has the same hint."""
    is_told: bool
    """Whether a message of this page says it already, and more."""

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.until, UTC)

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
    # The latest come last.
    request.session[_SESSION] = dict(list(kept.items())[-_KEYS:])


def recall(request: HttpRequest, key: ProviderKey, held: Collection[str]) -> dict[str, str]:
    """What was replaced in ``key`` within the hour, the latest first: hints by fingerprint.

    What is ``held`` again is none of them.
    """
    mine, since = _within_a_day(request).get(key.pk), _now() - _HOUR
    old = mine["old"] if mine else []
    return {fingerprint: hint for fingerprint, hint, at in old if at > since and fingerprint not in held}


def reminders(request: HttpRequest, access: Access, told: Collection[str] = ()) -> list[Reminder]:
    """What this admin has replaced in keys of the organization within a day, the latest first; ``told`` are ids of keys.

    One query, if there is any; of access keys two.
    """
    mine = {pk: of for pk, of in _within_a_day(request).items() if of["organization"] == access.organization.pk}
    if not mine or not access.is_admin:
        return []
    fingerprints = {fingerprint for of in mine.values() for fingerprint, _, _ in of["old"]}
    ids = {hint for of in mine.values() if _has_regions(of) for _, hint, _ in of["old"]}
    holders = holders_of(access, fingerprints, ids=ids)
    if ids:
        prefetch_related_objects(holders, "regions")
    held = {key: _marks(key) for key in holders}
    found = (_reminder(access, pk, of, held, is_told=pk in told) for pk, of in reversed(mine.items()))
    return sorted(filter(None, found), key=lambda one: one.until, reverse=True)


def forget(request: HttpRequest, access: Access, key_id: str, until: int) -> Reminder | None:
    """Remind of what was replaced in a key ``until`` then no more, and tell what that was."""
    shown = next((one for one in reminders(request, access) if one.key_id == key_id), None)
    if shown is None:
        return None
    kept = _within_a_day(request)
    mine = kept.pop(key_id)
    if later := [one for one in mine["old"] if one[2] > until]:
        kept[key_id] = {**mine, "old": later}
    request.session[_SESSION] = kept
    after = {hint for _, hint, _ in later}
    hints = [hint for hint in shown.hints if hint not in after]
    return replace(shown, hints=hints) if hints else None


def _reminder(
    access: Access, pk: str, of: _Of, held: Mapping[ProviderKey, set[str]], *, is_told: bool
) -> Reminder | None:
    provider = registry.find(of["provider"])
    # An access key is told by its ID in any region; a key by its bytes alone, for two may have one hint.
    marks = {one[0]: {one[0], one[1]} if _has_regions(of) else {one[0]} for one in of["old"]}
    # One that the key holds again is no old one.
    again = set().union(*(has for key, has in held.items() if key.pk == pk))
    old = [one for one in of["old"] if not marks[one[0]] & again]
    if not old or provider is None:
        return None
    still = set().union(*(marks[one[0]] for one in old))
    hints = list(dict.fromkeys(one[1] for one in old))
    return Reminder(
        key_id=pk,
        name=of["name"],
        provider=provider,
        hints=hints,
        until=max(one[2] for one in old),
        holders=linked(access, [key for key, has in held.items() if has & still]),
        is_alike=of["hint"] in hints,
        is_told=is_told,
    )


def _marks(key: ProviderKey) -> set[str]:
    """By what it is known that a credential is stored in ``key``."""
    if key.fingerprint:
        return {key.fingerprint}
    return {mark for region in key.regions.all() for mark in (region.fingerprint, region.hint)}


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
