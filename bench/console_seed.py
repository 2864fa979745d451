"""Organizations for the console's bench: as many provider keys and API keys as asked for, in every state that a list shows."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import batched
from typing import Final

from django.db import transaction
from django.utils import timezone

from organizations import tokens
from organizations.access import Access, access_for
from organizations.actors import Actor
from organizations.models import ApiKey, Membership, Organization, Role, User
from organizations.models.api_key import PREFIX
from providerkeys import vault
from providerkeys.models import KeyAssignment, ProviderKey
from providerkeys.providers import registry
from providerkeys.resolver import Scope

_BATCH: Final = 1000
# Verdict, reason, whether it is enabled. What most keys are, stands most often.
_STATES: Final = (
    *[("valid", "accepted", True)] * 12,
    *[("", "", True)] * 3,
    *[("limited", "rate_limited", True)] * 2,
    ("invalid", "unknown_key", True),
    ("forbidden", "no_access", True),
    ("valid", "accepted", False),
)
_PLACES: Final = ("eu-north", "eu-south", "us-east", "us-west", "apac", "lab", "batch", "support", "search", "mobile")


@transaction.atomic
def organization(name: str, provider_keys: int, api_keys: int) -> Access:
    """An organization with that many keys, and its Admin's access to it. The same numbers make the same keys."""
    made = Organization.objects.create(name=name)
    user = User.objects.create_user(f"{made.slug}@byok.example", name="Ada Bench")
    Membership.grant(made, user, Role.ADMIN, Actor.system("bench"))
    access = access_for(user, made.slug)
    chance = random.Random(provider_keys)  # noqa: S311 -- it only mixes states.
    asking = [key for some in batched(_api_keys(access, api_keys, chance), _BATCH) for key in _stored(some)]
    for some in batched(_provider_keys(access, provider_keys, chance), _BATCH):
        keys = ProviderKey.objects.bulk_create(some)
        KeyAssignment.objects.bulk_create(_assignments(keys, asking, chance))
    return access


def _stored(api_keys: Sequence[ApiKey]) -> list[ApiKey]:
    return ApiKey.objects.bulk_create(api_keys)


def _api_keys(access: Access, number: int, chance: random.Random) -> Iterator[ApiKey]:
    now = timezone.now()
    for place in range(number):
        token = tokens.mint(PREFIX)
        yield ApiKey(
            organization=access.organization,
            name=f"{_PLACES[place % len(_PLACES)]} service {place:04d}",
            lookup=token.lookup,
            digest=token.digest,
            hint=token.hint,
            enabled=place % 20 != 0,
            expires_at=now + timedelta(days=90) if place % 3 == 0 else None,
            last_used_at=_some_time(now, chance) if place % 4 else None,
            created_by=access.user,
        )


def _provider_keys(access: Access, number: int, chance: random.Random) -> Iterator[ProviderKey]:
    """Of each provider as many; two of five organization-wide, as far as there are twenty of these."""
    now, slugs = timezone.now(), [provider.slug for provider in registry.all()]
    for place in range(number):
        verdict, reason, enabled = chance.choice(_STATES)
        position = place // len(slugs) + 1
        at = _some_time(now, chance) if verdict else None
        key = ProviderKey(
            organization=access.organization,
            provider=slugs[place % len(slugs)],
            name=f"{_PLACES[place % len(_PLACES)]} account {place:05d}",
            hint=f"sk-…{place:04d}",
            scope=Scope.ORGANIZATION if position % 5 < 2 and position <= 50 else Scope.API_KEYS,
            position=position,
            enabled=enabled,
            verdict=verdict,
            reason=reason,
            verdict_at=at,
            last_check_verdict=verdict,
            last_check_reason=reason,
            last_check_at=at,
            last_used_at=_some_time(now, chance) if place % 3 else None,
            created_by=access.user,
            fingerprint=f"{place:064d}",
        )
        key.credentials = vault.seal(key, f"sk-bench-{place:040d}")
        yield key


def _assignments(
    keys: Sequence[ProviderKey], api_keys: Sequence[ApiKey], chance: random.Random
) -> Iterator[KeyAssignment]:
    for key in keys:
        if key.scope == Scope.API_KEYS:
            for api_key in chance.sample(api_keys, min(chance.choice((0, 1, 1, 1, 2, 3)), len(api_keys))):
                yield KeyAssignment(provider_key=key, api_key=api_key)


def _some_time(now: datetime, chance: random.Random) -> datetime:
    return now - timedelta(minutes=chance.randrange(60 * 24 * 90))
