"""Provider keys given to an API key from its own side, where nothing else of them changes."""

from collections.abc import Collection

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from organizations.access import Access
from organizations.models import ApiKey, AuditEvent, Organization
from providerkeys.models.assignment import ForeignAssignment, KeyAssignment
from providerkeys.models.provider_key import ProviderKey
from providerkeys.resolver import Scope


@transaction.atomic
def grant(access: Access, api_key: ApiKey, provider_key_ids: Collection[str]) -> None:
    """Have these provider keys serve ``api_key`` too, which none of them does yet. Each leaves its event.

    Raises ``ForeignAssignment`` where one is not the organization's, or serves all of it: then none is assigned.
    """
    if not provider_key_ids:
        return
    # Locked, as whoever saves a provider key does: a form that was opened before must not take this back unseen.
    Organization.objects.select_for_update().get(pk=access.organization.pk)
    ours = access.all(ProviderKey).filter(pk__in=provider_key_ids, scope=Scope.API_KEYS)
    keys = list(ours.defer("credentials"))
    if len(keys) != len(set(provider_key_ids)):
        raise ForeignAssignment("Only provider keys of this organization that serve single API keys can be assigned.")
    KeyAssignment.objects.bulk_create(KeyAssignment(provider_key=key, api_key=api_key) for key in keys)
    ours.update(version=F("version") + 1, updated_at=timezone.now())
    for key in keys:
        key.version += 1
        AuditEvent.record(
            access.organization, access.actor, "provider_key.updated", key, changed=["assignment"], **key.facts()
        )
