from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.utils import timezone

from organizations import tokens
from organizations.ids import PublicIdField
from organizations.models.audit_event import AuditEvent
from organizations.models.organization import Organization
from organizations.text import NAME_LENGTH, validate_single_line

if TYPE_CHECKING:
    from organizations.access import Access

PREFIX = "byok_"


class ApiKey(models.Model):
    """What client programs send to the gateway. Stored is a digest: nothing can show the key again."""

    id = PublicIdField(prefix="key")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=NAME_LENGTH, validators=[validate_single_line])
    hint = models.CharField("key", max_length=20, editable=False)
    lookup = models.CharField(max_length=tokens.LOOKUP_LENGTH, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    enabled = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        "organizations.User", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    class Meta:
        verbose_name = "API key"
        constraints = [models.CheckConstraint(condition=~models.Q(name=""), name="api_key_name_not_empty")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    @transaction.atomic
    def issue(cls, access: "Access", name: str, expires_at: datetime | None = None) -> tuple["ApiKey", str]:
        """Create a key and return it with its plaintext, which exists only here.

        Raises ValidationError for a name that is blank, longer than 100 characters or not a single line.
        """
        token = tokens.mint(PREFIX)
        key = cls(
            organization=access.organization,
            name=name.strip(),
            hint=token.hint,
            lookup=token.lookup,
            digest=token.digest,
            expires_at=expires_at,
            created_by=access.user,
        )
        key.clean_fields(exclude={"organization", "created_by"})
        key.save(force_insert=True)
        AuditEvent.record(access.organization, access.actor, "api_key.created", key, hint=key.hint)
        return key, token.plaintext

    @classmethod
    def find(cls, plaintext: str) -> "ApiKey | None":
        """Return the key that this is the plaintext of, usable or not, with its organization. At most one query.

        What cannot be a key, by shape or checksum, costs no query. The comparison takes constant time.
        """
        lookup = tokens.lookup_of(PREFIX, plaintext)
        if lookup is None:
            return None
        key = cls.objects.select_related("organization").filter(lookup=lookup).first()
        return key if tokens.matches(plaintext, key.digest if key else "") else None

    def is_expired(self, now: datetime | None = None) -> bool:
        return self.expires_at is not None and self.expires_at <= (now or timezone.now())

    def is_usable(self, now: datetime | None = None) -> bool:
        """Return whether the gateway may accept this key. Its organization's suspension is not looked at."""
        return self.enabled and not self.is_expired(now)

    def disable(self, access: "Access") -> None:
        self._set_enabled(False, access, "api_key.disabled")

    def enable(self, access: "Access") -> None:
        self._set_enabled(True, access, "api_key.enabled")

    @transaction.atomic
    def _set_enabled(self, enabled: bool, access: "Access", action: str) -> None:
        # Through the door, and only where it changes something: a foreign key or a second click does nothing.
        if access.all(ApiKey).filter(pk=self.pk, enabled=not enabled).update(enabled=enabled):
            AuditEvent.record(access.organization, access.actor, action, self, hint=self.hint)
            self.enabled = enabled

    @transaction.atomic
    def delete_by(self, access: "Access") -> None:
        """Delete the key and its assignments, for ever. A foreign key is left alone."""
        deleted, _ = access.all(ApiKey).filter(pk=self.pk).delete()
        if deleted:
            AuditEvent.record(access.organization, access.actor, "api_key.deleted", self, hint=self.hint)
