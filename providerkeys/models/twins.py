from collections.abc import Collection, Iterable
from typing import Final, cast

from django.db.models import Q

from organizations.access import Access
from providerkeys.models.bedrock_region import BedrockRegion
from providerkeys.models.provider_key import ProviderKey, ProviderKeyQuerySet
from providerkeys.models.row import Row

_TELLS: Final = "…"
"""What a hint has between its ends: one that is too short is masked whole, as any other such is, and tells nothing."""


def twins_of(access: Access, rows: Iterable[Row], key: ProviderKey | None = None) -> list[ProviderKey]:
    """The organization's keys, ``key`` aside, that hold one of the typed credentials of ``rows`` for the same place.

    By fingerprint, so nothing is opened; and a fingerprint says nothing outside of its organization, nor is one asked
    about there.
    """
    return holders_of(access, {row.fingerprint for row in rows if row.credential}, key)


def holders_of(
    access: Access, fingerprints: Collection[str], key: ProviderKey | None = None, *, ids: Collection[str] = ()
) -> list[ProviderKey]:
    """The organization's keys, ``key`` aside, that hold one of the credentials with these ``fingerprints``.

    The fingerprint of an access key is another one in each region; ``ids`` are the hints of access key IDs, which are not.
    """
    if not fingerprints:
        return []
    regions = Q(fingerprint__in=fingerprints) | Q(hint__in=[one for one in ids if _TELLS in one])
    return _others(access, key, Q(fingerprint__in=fingerprints), regions)


def holders_with(access: Access, key: ProviderKey) -> list[ProviderKey]:
    """The organization's other keys that hold something of what ``key`` holds, of an access key in any region. One query."""
    if key.fingerprint:
        return _others(access, key, Q(fingerprint=key.fingerprint), Q(fingerprint=key.fingerprint))
    mine = BedrockRegion.objects.filter(provider_key=key.pk)
    ids = mine.filter(hint__contains=_TELLS).values("hint")
    return _others(access, key, Q(pk__in=()), Q(fingerprint__in=mine.values("fingerprint")) | Q(hint__in=ids))


def _others(access: Access, key: ProviderKey | None, keys: Q, regions: Q) -> list[ProviderKey]:
    """Those for which either holds: what is asked of a key itself, or of its regions."""
    found = BedrockRegion.objects.filter(regions, provider_key__organization=access.organization)
    rows = access.all(ProviderKey).filter(keys | Q(pk__in=found.values("provider_key")))
    return list(cast(ProviderKeyQuerySet, rows.exclude(pk=key.pk if key else "").defer("credentials")).in_order())
