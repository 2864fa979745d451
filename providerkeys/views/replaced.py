"""What an admin has replaced within the hour: whoever replaces a leaked key twice in a hurry still has the first to revoke.

Kept by their hints, which every page shows, in the session of who did it: the audit trail holds no part of a credential.
"""

from typing import Final

from django.http import HttpRequest
from django.utils import timezone

from providerkeys.models import ProviderKey

_SESSION: Final = "replaced"
_SECONDS: Final = 3600
_MOST: Final = 5


def remember(request: HttpRequest, key: ProviderKey, hint: str) -> list[str]:
    """Remember that what has ``hint`` was replaced in ``key``; return the hints of those before it, the latest first."""
    now = int(timezone.now().timestamp())
    known: dict[str, list[list[str | int]]] = request.session.get(_SESSION, {})
    fresh = {pk: kept for pk, some in known.items() if (kept := [one for one in some if int(one[1]) > now - _SECONDS])}
    before = fresh.get(key.pk, [])
    request.session[_SESSION] = {**fresh, key.pk: [[hint, now], *(one for one in before if one[0] != hint)][:_MOST]}
    return [str(one[0]) for one in before if one[0] not in {hint, key.hint}]
