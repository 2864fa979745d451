from typing import TYPE_CHECKING, ClassVar, Final, cast

from django.db import models, transaction
from django.utils import timezone

from organizations.actors import Actor
from organizations.models import AuditEvent, Organization
from providerkeys import vault
from providerkeys.models.row import Row
from providerkeys.models.verdict_columns import VerdictColumns
from providerkeys.providers import registry
from providerkeys.providers.base import Credential

if TYPE_CHECKING:
    from providerkeys.models.provider_key import ProviderKey

HINT_LENGTH: Final = 200
_VAULT: Final = Actor.system("vault")


class SecretRecord(VerdictColumns):
    """A record that holds one secret and its mask, and what checks have said of it.

    A subclass says whose it is and where it is used: ``organization_id``, ``provider`` and ``destination``, as
    ``vault.Sealable`` asks.
    """

    sealed_field: ClassVar[str] = "credentials"

    hint = models.CharField(max_length=HINT_LENGTH, blank=True, editable=False)
    credentials = vault.SealedTextField(null=True)
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    credentials_version = models.PositiveIntegerField(default=1, editable=False)
    unreadable_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(VerdictColumns.Meta):
        abstract = True

    def seal(self, credential: Credential, organization: Organization) -> None:
        """Put ``credential`` into this record, whose id, version and destination are what they will be saved as.

        The verdict stays if the bytes are those that it was given for.
        """
        record = cast(vault.Sealable, self)
        self.hint = registry.get(record.provider).hint(credential)
        self.credentials = vault.seal(record, credential.secret)
        self.unreadable_at = None
        fingerprint = vault.fingerprint(organization.fingerprint_salt, credential.secret, record.destination)
        if fingerprint != self.fingerprint:
            self.fingerprint = fingerprint
            self.forget_verdict()

    @property
    def stored_row(self) -> Row:
        """How a check takes it."""
        return Row(fingerprint=self.fingerprint, record=self.pk, version=self.credentials_version, label=self.label)

    @property
    def label(self) -> str:
        """What names it beside others of the same key; empty where it is the only one."""
        return ""

    @property
    def readable(self) -> bool:
        """Whether the last attempt to open its secret worked; no page opens one to find out."""
        return self.unreadable_at is None

    @property
    def owner(self) -> "ProviderKey":
        """The provider key that serves with it."""
        raise NotImplementedError

    @transaction.atomic
    def found_unreadable(self) -> None:
        """Stamp that the stored secret could not be opened. Only a process with the right keys may say so."""
        unstamped = type(self)._default_manager.filter(pk=self.pk, unreadable_at=None)
        if vault.keys_verified() and unstamped.update(unreadable_at=timezone.now()):
            which = {"region": self.label} if self.label else {}
            key, facts = self.owner, {**self.owner.facts(), **which}
            AuditEvent.record(key.organization, _VAULT, "provider_key.unreadable", key, result="refused", **facts)

    def found_readable(self) -> None:
        """Clear that stamp: the stored secret was opened."""
        if self.unreadable_at:
            type(self)._default_manager.filter(pk=self.pk).update(unreadable_at=None)
