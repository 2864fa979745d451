import secrets
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Length
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.text import slugify

from organizations.actors import Actor
from organizations.ids import PublicIdField, new_id
from organizations.models.audit_event import AuditEvent
from organizations.text import NAME_LENGTH, validate_single_line

if TYPE_CHECKING:
    _BinaryField = models.BinaryField[bytes, bytes]
else:
    _BinaryField = models.BinaryField

SALT_BYTES = 32
SLUG_LENGTH = 120


def new_salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


class SaltField(_BinaryField):
    """Random bytes that no form, serializer or `dumpdata` shows: whoever knows a salt can test guesses of a secret."""

    MASK = "********"

    def from_db_value(self, value: Any, *_: Any) -> bytes | None:
        return None if value is None else bytes(value)

    def value_to_string(self, _: models.Model) -> str:
        return self.MASK

    def to_python(self, value: Any) -> Any:
        # A dump holds the mask. Loading it would give every organization the same salt and orphan all fingerprints.
        if isinstance(value, str):
            raise ValidationError("A salt cannot be loaded from text.", code="salt")
        return value


class Organization(models.Model):
    id = PublicIdField(prefix="org")
    name = models.CharField(max_length=NAME_LENGTH, validators=[validate_single_line])
    slug = models.SlugField(max_length=SLUG_LENGTH, unique=True, editable=False)
    suspended_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    fingerprint_salt = SaltField(max_length=SALT_BYTES, default=new_salt, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="organization_name_not_empty"),
            models.CheckConstraint(condition=~models.Q(slug=""), name="organization_slug_not_empty"),
            models.CheckConstraint(
                condition=Exact(Length("fingerprint_salt"), SALT_BYTES), name="organization_salt_length"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, **kwargs: Any) -> None:
        self.name = self.name.strip()
        if not self.pk:
            # Django admin takes the id away from what it adds with rows below it, to have it made anew. A slug may need it.
            self.pk = new_id("org")
        if self._state.adding and not self.slug:
            self._insert_under_a_free_slug(**kwargs)
        else:
            super().save(**kwargs)

    def _insert_under_a_free_slug(self, **kwargs: Any) -> None:
        """Try one slug after the other: only the insert itself can tell whether a slug is still free."""
        for slug in self._free_slugs():
            self.slug = slug
            try:
                with transaction.atomic(using=kwargs.get("using")):
                    super().save(**kwargs)
                break
            except IntegrityError:
                # Somebody else took this slug a moment ago. Anything else is the caller's error.
                if not Organization.objects.filter(slug=slug).exists():
                    self.slug = ""
                    raise

    def _free_slugs(self) -> Iterator[str]:
        base = slugify(self.name)[:NAME_LENGTH].strip("-_") or self.pk.lower()
        taken = set(Organization.objects.filter(slug__startswith=base).values_list("slug", flat=True))
        candidates = (base if number == 1 else f"{base}-{number}" for number in count(1))
        return (slug for slug in candidates if slug not in taken)

    @property
    def is_suspended(self) -> bool:
        return self.suspended_at is not None

    def suspend(self, actor: Actor) -> None:
        """Stop the gateway for this organization; its console stays open."""
        self._set_suspended_at(timezone.now(), actor, "organization.suspended")

    def resume(self, actor: Actor) -> None:
        self._set_suspended_at(None, actor, "organization.resumed")

    @transaction.atomic
    def _set_suspended_at(self, at: Any, actor: Actor, action: str) -> None:
        others = Organization.objects.filter(pk=self.pk, suspended_at__isnull=at is not None)
        if others.update(suspended_at=at):
            AuditEvent.record(self, actor, action, self)
        self.refresh_from_db(fields=["suspended_at"])


class Role(models.TextChoices):
    ADMIN = "admin", "Admin"
    MEMBER = "member", "Member"


class Membership(models.Model):
    id = PublicIdField(prefix="mem")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey("organizations.User", on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="membership_unique"),
            models.CheckConstraint(
                condition=models.Q(role__in=[Role.ADMIN, Role.MEMBER]), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organization}"

    @classmethod
    def of(cls, user_id: Any) -> "models.QuerySet[Membership]":
        """Return a user's memberships with their organizations, by their names."""
        theirs = cls.objects.filter(user_id=user_id).select_related("organization")
        return theirs.order_by("organization__name", "organization_id")

    @classmethod
    @transaction.atomic
    def grant(cls, organization: Organization, user: Any, role: Role, actor: Actor) -> "Membership":
        """Make the user a member in this role, or change the role they have. Granting it twice is granting it once."""
        membership, created = cls.objects.select_for_update().get_or_create(
            organization=organization, user=user, defaults={"role": role}
        )
        if created:
            AuditEvent.record(organization, actor, "membership.created", membership, role=role.value)
        elif membership.role != role:
            AuditEvent.record(
                organization, actor, "membership.role_changed", membership, before=membership.role, role=role.value
            )
            membership.role = role
            membership.save(update_fields=["role"])
        return membership
