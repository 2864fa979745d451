from collections.abc import Collection, Iterable
from typing import cast

from django.db.models import Q

from organizations.access import Access
from providerkeys.models.bedrock_region import BedrockRegion
from providerkeys.models.provider_key import ProviderKey, ProviderKeyQuerySet
from providerkeys.models.row import Row


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
    # One too short to have a hint is masked whole, as any other such is.
    alike = Q(fingerprint__in=fingerprints) | Q(hint__in=[one for one in ids if "…" in one])
    regions = BedrockRegion.objects.filter(alike, provider_key__organization=access.organization)
    keys = access.all(ProviderKey).filter(Q(fingerprint__in=fingerprints) | Q(pk__in=regions.values("provider_key")))
    others = keys.exclude(pk=key.pk if key else "").defer("credentials")
    return list(cast(ProviderKeyQuerySet, others).in_order())
