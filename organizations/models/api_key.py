from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import models, transaction
from django.utils import timezone

from organizations import tokens
from organizations.ids import PublicIdField
from organizations.models.audit_event import AuditEvent
from organizations.models.organization import Organization
from organizations.presses import id_for
from organizations.text import NAME_LENGTH, validate_single_line

if TYPE_CHECKING:
    from organizations.access import Access

PREFIX = "byok_"
GRACE: Final = timedelta(hours=24)
"""For how long the old secret is accepted beside the new one, where a rotation grants it time."""
LATELY: Final = timedelta(hours=24)
SOON: Final = timedelta(days=7)
"""How long before its end a key is said to expire soon."""


def why_stopped(enabled: bool, expires_at: datetime | None, now: datetime | None = None) -> str:
    """Why an API key in this state can't be used: ``disabled``, else ``expired``; empty when it can."""
    if not enabled:
        return "disabled"
    return "expired" if expires_at is not None and expires_at <= (now or timezone.now()) else ""


class ApiKeyChanged(Exception):
    """Somebody else saved this API key first."""


@dataclass(frozen=True, slots=True)
class Secret:
    """One of the secrets that a key has: the present one, or the former one, which has an end."""

    hint: str
    digest: str = field(repr=False)
    ends_at: datetime | None = None


class ApiKey(models.Model):
    """What client programs send to the gateway. Stored is a digest: nothing can show the key again.

    A rotation gives it another secret. The former one is kept beside it, as a digest too, until the next rotation: it is
    accepted until ``former_ends_at``, and told from an unknown key for longer.
    """

    id = PublicIdField(prefix="key")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=NAME_LENGTH, validators=[validate_single_line])
    hint = models.CharField("key", max_length=20, editable=False)
    lookup = models.CharField(max_length=tokens.LOOKUP_LENGTH, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    former_lookup = models.CharField(
        max_length=tokens.LOOKUP_LENGTH, unique=True, null=True, blank=True, editable=False
    )
    former_digest = models.CharField(max_length=64, blank=True, db_default="", default="", editable=False)
    former_hint = models.CharField(max_length=20, blank=True, db_default="", default="", editable=False)
    former_ends_at = models.DateTimeField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    enabled = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        "organizations.User", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    class Meta:
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="api_key_name_not_empty"),
            models.CheckConstraint(
                condition=models.Q(former_lookup=None, former_ends_at=None)
                | models.Q(former_lookup__isnull=False, former_ends_at__isnull=False),
                name="api_key_former_secret_has_an_end",
            ),
        ]
        indexes = [models.Index(fields=["organization", "name", "id"], name="api_key_by_name")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    @transaction.atomic
    def issue(
        cls, access: "Access", name: str, expires_at: datetime | None = None, press: str = ""
    ) -> tuple["ApiKey", str]:
        """Create a key and return it with its plaintext, which exists only here.

        Raises ValidationError for a name that is blank, longer than 100 characters or not a single line, and
        ``MadeAlready`` for a ``press`` that comes again.
        """
        token = tokens.mint(PREFIX)
        key = cls(
            id=id_for(access, cls, press),
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
        key._tell(access, "api_key.created")
        return key, token.plaintext

    @classmethod
    def find(cls, plaintext: str) -> "ApiKey | None":
        """Return the key that this is, or was, the plaintext of, usable or not, with its organization. At most one query.

        What cannot be a key, by shape or checksum, costs no query. The comparison takes constant time.
        """
        lookup = tokens.lookup_of(PREFIX, plaintext)
        if lookup is None:
            return None
        either = models.Q(lookup=lookup) | models.Q(former_lookup=lookup)
        key = cls.objects.select_related("organization").filter(either).first()
        return key if (key or cls()).secret_of(plaintext) else None

    def secret_of(self, plaintext: str) -> Secret | None:
        """Which of its secrets this is the plaintext of: the look-up part says which to compare, in constant time."""
        former = self.former_lookup is not None and tokens.lookup_of(PREFIX, plaintext) == self.former_lookup
        secret = (
            Secret(self.former_hint, self.former_digest, self.former_ends_at)
            if former
            else Secret(self.hint, self.digest)
        )
        return secret if tokens.matches(plaintext, secret.digest) else None

    def is_expired(self, now: datetime | None = None) -> bool:
        return self.expires_at is not None and self.expires_at <= (now or timezone.now())

    def is_usable(self, now: datetime | None = None) -> bool:
        """Return whether the gateway may accept this key. Its organization's suspension is not looked at."""
        return not self.stopped(now)

    def stopped(self, now: datetime | None = None) -> str:
        """Why nothing serves it, whoever would: see ``why_stopped``."""
        return why_stopped(self.enabled, self.expires_at, now)

    def expires_soon(self, now: datetime | None = None) -> bool:
        """Whether it is to expire within a week."""
        now = now or timezone.now()
        return self.expires_at is not None and now < self.expires_at <= now + SOON

    def was_used_lately(self, now: datetime | None = None) -> bool:
        """Whether a program has used it within a day."""
        return self.last_used_at is not None and self.last_used_at > (now or timezone.now()) - LATELY

    def is_rotating(self, now: datetime | None = None) -> bool:
        """Whether its former secret is still accepted beside the present one."""
        return self.former_ends_at is not None and self.former_ends_at > (now or timezone.now())

    @transaction.atomic
    def change(self, access: "Access", expected_version: int, name: str, expires_at: datetime | None) -> Sequence[str]:
        """Rename the key, or have it end at another time. Return what changed (of ``name``, ``expiration``).

        Raises ``ApiKeyChanged`` and ``ApiKey.DoesNotExist`` as ``rotate_secret`` does, ValidationError as ``issue`` does.
        """
        self._lock(access, expected_version)
        old = {"name": self.name, "expiration": self.expires_at}
        self.name, self.expires_at = name.strip(), expires_at
        self.clean_fields(exclude={"organization", "created_by"})
        new = {"name": self.name, "expiration": self.expires_at}
        changed = [what for what in old if old[what] != new[what]]
        if changed:
            self._save_next_version("name", "expires_at")
            self._tell(access, "api_key.updated", changed=changed, version=self.version)
        return changed

    @transaction.atomic
    def rotate_secret(self, access: "Access", expected_version: int, grace: timedelta) -> str:
        """Give the key another secret and return its plaintext, which exists only here.

        The present secret is accepted for ``grace`` longer; one that was rotated before it ends at once. Raises
        ``ApiKeyChanged`` when the key is not at ``expected_version`` any more, ``ApiKey.DoesNotExist`` when it is gone.
        """
        self._lock(access, expected_version)
        token = tokens.mint(PREFIX)
        self.former_lookup, self.former_digest, self.former_hint = self.lookup, self.digest, self.hint
        self.former_ends_at = timezone.now() + grace
        self.lookup, self.digest, self.hint = token.lookup, token.digest, token.hint
        self._save_next_version(
            "lookup", "digest", "hint", "former_lookup", "former_digest", "former_hint", "former_ends_at"
        )
        ends = self.former_ends_at.isoformat(timespec="seconds")
        self._tell(access, "api_key.rotated", former_hint=self.former_hint, former_ends_at=ends, version=self.version)
        return token.plaintext

    @transaction.atomic
    def end_former(self, access: "Access", expected_version: int) -> bool:
        """Accept the former secret no longer. False where it had stopped already.

        Raises what ``rotate_secret`` raises: by another version it may be another secret.
        """
        self._lock(access, expected_version)
        if not self.is_rotating():
            return False
        self.former_ends_at = timezone.now()
        self.save(update_fields=["former_ends_at"])
        self._tell(access, "api_key.former_ended", former_hint=self.former_hint)
        return True

    def _lock(self, access: "Access", expected_version: int) -> None:
        """Hold the row until the end of the transaction, at that version and through the door."""
        self.refresh_from_db(from_queryset=access.all(ApiKey).select_for_update())
        if self.version != expected_version:
            raise ApiKeyChanged

    def _save_next_version(self, *columns: str) -> None:
        self.version += 1
        self.save(update_fields=[*columns, "version"])

    def _tell(self, access: "Access", action: str, **details: Any) -> None:
        AuditEvent.record(access.organization, access.actor, action, self, hint=self.hint, **details)

    def disable(self, access: "Access") -> bool:
        """Have the gateway refuse it. Return whether that changed anything."""
        return self._set_enabled(False, access, "api_key.disabled")

    def enable(self, access: "Access") -> bool:
        return self._set_enabled(True, access, "api_key.enabled")

    @transaction.atomic
    def _set_enabled(self, enabled: bool, access: "Access", action: str) -> bool:
        # Through the door, and only where it changes something: a foreign key or a second click does nothing.
        changed = access.all(ApiKey).filter(pk=self.pk, enabled=not enabled).update(enabled=enabled)
        if changed:
            self._tell(access, action)
            self.enabled = enabled
        return bool(changed)

    @transaction.atomic
    def delete_by(self, access: "Access", expected_version: int | None = None) -> None:
        """Delete the key and its assignments, for ever. A foreign key is left alone.

        With a version it raises what ``rotate_secret`` raises.
        """
        if expected_version is not None:
            self._lock(access, expected_version)
        deleted, _ = access.all(ApiKey).filter(pk=self.pk).delete()
        if deleted:
            self._tell(access, "api_key.deleted")
