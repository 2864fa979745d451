"""What an admin has replaced within the hour: whoever replaces a leaked key twice in a hurry still has the first to revoke.

Kept in the session of who did it, by fingerprint, and by the hint that every page shows: the audit trail holds no part of a
credential.
"""

from collections.abc import Collection, Mapping
from typing import Final

from django.http import HttpRequest
from django.utils import timezone

from providerkeys.models import ProviderKey

_SESSION: Final = "replaced"
_SECONDS: Final = 3600
_MOST: Final = 5


def remember(request: HttpRequest, key: ProviderKey, old: Mapping[str, str]) -> None:
    """Remember what was replaced in ``key``: hints by fingerprint."""
    kept = _within_the_hour(request)
    before = [one for one in kept.get(key.pk, []) if one[0] not in old]
    new = [[fingerprint, hint, _now()] for fingerprint, hint in old.items()]
    request.session[_SESSION] = {**kept, key.pk: [*new, *before][:_MOST]}


def recall(request: HttpRequest, key: ProviderKey, held: Collection[str]) -> dict[str, str]:
    """What was replaced in ``key``, the latest first: hints by fingerprint. What is ``held`` again is none of them."""
    return {str(one[0]): str(one[1]) for one in _within_the_hour(request).get(key.pk, []) if one[0] not in held}


def _within_the_hour(request: HttpRequest) -> dict[str, list[list[str | int]]]:
    known: dict[str, list[list[str | int]]] = request.session.get(_SESSION, {})
    since = _now() - _SECONDS
    return {pk: kept for pk, some in known.items() if (kept := [one for one in some if int(one[2]) > since])}


def _now() -> int:
    return int(timezone.now().timestamp())
