import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F
from django.utils import timezone

from organizations.ids import PublicIdField
from providerkeys import vault
from providerkeys.models.secret_record import SecretRecord
from providerkeys.providers.aws_access_key import AccessKey
from providerkeys.providers.base import Credential

if TYPE_CHECKING:
    from providerkeys.models.provider_key import ProviderKey

REGION_LENGTH = 30


@dataclass(frozen=True, slots=True)
class RegionDraft:
    """What a form says of one region. Without a ``credential`` the stored one of that region stays."""

    region: str
    credential: Credential | None = field(default=None, repr=False)


class BedrockRegion(SecretRecord):
    """The access key that one provider key uses in one region: sealed, tested and readable by itself."""

    id = PublicIdField(prefix="reg")
    provider_key = models.ForeignKey("providerkeys.ProviderKey", on_delete=models.CASCADE, related_name="regions")
    region = models.CharField(max_length=REGION_LENGTH, editable=False)
    position = models.IntegerField(editable=False)
    credentials = vault.SealedTextField()
    access_key_id_fingerprint = models.CharField(max_length=64, editable=False)

    class Meta(SecretRecord.Meta):
        abstract = False
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["provider_key", "region"], name="bedrock_region_is_unique"),
            models.UniqueConstraint(fields=["provider_key", "position"], name="bedrock_region_position_is_unique"),
            models.CheckConstraint(condition=~models.Q(region=""), name="bedrock_region_not_empty"),
            vault.starts_like_a_token("credentials", name="bedrock_region_credentials_are_ciphertext"),
        )

    def __str__(self) -> str:
        return self.region

    # What its secret is bound to: see ``vault.Sealable``.

    @property
    def organization_id(self) -> str:
        return self.provider_key.organization_id

    @property
    def provider(self) -> str:
        return self.provider_key.provider

    @property
    def destination(self) -> Mapping[str, str]:
        return {"region": self.region}

    @property
    def label(self) -> str:
        return self.region

    @classmethod
    def arrange(cls, key: "ProviderKey", drafts: Sequence[RegionDraft]) -> bool:
        """Make the regions of ``key`` those of ``drafts``, in their order; whether that changes anything.

        A region whose draft has no credential, or the stored one again, keeps its ciphertext, byte for byte. Call it in the
        transaction of the save.
        """
        stored = {row.region: row for row in key.regions.select_for_update()}
        drafts = [_without_repetition(draft, stored.get(draft.region)) for draft in drafts]
        if [draft.region for draft in drafts] == list(stored) and not any(draft.credential for draft in drafts):
            return False
        key.regions.exclude(region__in=[draft.region for draft in drafts]).delete()
        # Positions are unique at every moment: out of the way first, then each to its place.
        key.regions.update(position=-F("position"))
        for position, draft in enumerate(drafts, start=1):
            row = stored.get(draft.region) or cls(region=draft.region, credentials_version=0)
            row.take(key, position, draft.credential)
        return True

    def take(self, key: "ProviderKey", position: int, credential: Credential | None) -> None:
        """Save this row of ``key`` in its place, with ``credential`` if it gets a new one."""
        self.provider_key, self.position = key, position
        if credential is None:
            self.save(force_update=True, update_fields=["position"])
            return
        self.credentials_version += 1
        self.seal(credential, key.organization)
        self.access_key_id_fingerprint = self._fingerprint_of(_id_in(credential))
        self.save()

    def holds_id(self, access_key_id: str) -> bool:
        """Whether its secret is that of this access key id; answered without opening anything."""
        return hmac.compare_digest(self._fingerprint_of(access_key_id), self.access_key_id_fingerprint)

    def _fingerprint_of(self, access_key_id: str) -> str:
        return vault.fingerprint(self.provider_key.organization.fingerprint_salt, access_key_id, self.destination)

    # What checks find out.

    @property
    def owner(self) -> "ProviderKey":
        return self.provider_key

    def found_unreadable(self) -> None:
        """Stamp this row; and its key, once none of the key's rows can be read."""
        super().found_unreadable()
        _keys(self).exclude(regions__unreadable_at=None).update(unreadable_at=timezone.now())

    def found_readable(self) -> None:
        super().found_readable()
        _keys(self).exclude(unreadable_at=None).update(unreadable_at=None)


def _without_repetition(draft: RegionDraft, stored: BedrockRegion | None) -> RegionDraft:
    # What can't be read any more may be typed again: that mends it.
    if not draft.credential or not stored or not stored.readable:
        return draft
    salt = stored.provider_key.organization.fingerprint_salt
    typed = vault.fingerprint(salt, draft.credential.secret, stored.destination)
    return RegionDraft(draft.region) if hmac.compare_digest(typed, stored.fingerprint) else draft


def _keys(region: BedrockRegion) -> "models.QuerySet[ProviderKey]":
    return type(region.provider_key)._default_manager.filter(pk=region.provider_key_id)


def _id_in(credential: Credential) -> str:
    key = AccessKey.read(credential.secret)
    return key.id if key else ""
