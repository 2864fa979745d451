"""What an admin has replaced within the hour: whoever replaces a leaked key twice in a hurry still has the first to revoke.

Kept in the session of who did it, by fingerprint, and by the hint that every page shows: the audit trail holds no part of a
credential.
"""

from typing import Final

from django.http import HttpRequest
from django.utils import timezone

from providerkeys.models import ProviderKey

_SESSION: Final = "replaced"
_SECONDS: Final = 3600
_MOST: Final = 5


def remember(request: HttpRequest, key: ProviderKey, fingerprint: str, hint: str) -> dict[str, str]:
    """Remember that this was replaced in ``key``; return what was before it, the latest first: hints by fingerprint.

    What the key holds again is none of them.
    """
    now = int(timezone.now().timestamp())
    known: dict[str, list[list[str | int]]] = request.session.get(_SESSION, {})
    fresh = {pk: kept for pk, some in known.items() if (kept := [one for one in some if int(one[2]) > now - _SECONDS])}
    before = [one for one in fresh.get(key.pk, []) if one[0] not in {fingerprint, key.fingerprint}]
    request.session[_SESSION] = {**fresh, key.pk: [[fingerprint, hint, now], *before][:_MOST]}
    return {str(one[0]): str(one[1]) for one in before}
