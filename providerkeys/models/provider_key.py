from collections.abc import Sequence
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property

from organizations.access import Access
from organizations.ids import PublicIdField
from organizations.models import AuditEvent, Organization
from organizations.presses import id_for
from organizations.text import NAME_LENGTH, validate_single_line
from providerkeys import vault
from providerkeys.models import summaries
from providerkeys.models.assignment import KeyAssignment
from providerkeys.models.bedrock_region import BedrockRegion
from providerkeys.models.draft import Draft, VersionConflict
from providerkeys.models.key_order import OrderedKey, OrderedQuerySet, lock
from providerkeys.models.row import Row
from providerkeys.models.secret_record import HINT_LENGTH, SecretRecord
from providerkeys.models.told_key import ToldKey
from providerkeys.resolver import Scope


class ProviderKeyQuerySet(OrderedQuerySet["ProviderKey"]):
    """Provider keys, which know their order."""


class ProviderKey(OrderedKey, ToldKey):
    """An organization's own credential at a provider: encrypted, masked, assigned, never shown again.

    It holds its secret itself, or has ``regions`` which hold one each; its verdict is then what theirs amount to.
    """

    id = PublicIdField(prefix="pk")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="provider_keys")
    name = models.CharField(max_length=NAME_LENGTH, validators=[validate_single_line])
    destination = models.JSONField(default=dict, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    enabled = models.BooleanField(default=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    objects = ProviderKeyQuerySet.as_manager()

    class Meta(ToldKey.Meta):
        abstract = False
        constraints = (
            models.CheckConstraint(
                condition=Q(scope__in=[scope.value for scope in Scope]), name="provider_key_scope_is_known"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="provider_key_name_not_empty"),
            models.UniqueConstraint(
                fields=["organization", "provider", "position"], name="provider_key_position_is_unique"
            ),
            vault.starts_like_a_token("credentials", name="provider_key_credentials_are_ciphertext"),
        )
        indexes = (
            # What resolution asks; the foreign key's own index made PostgreSQL choose a plan of 2 ms (measured).
            models.Index(fields=["organization", "provider"], condition=Q(enabled=True), name="provider_key_serving"),
            # The order of the list: whoever turns its pages reads the rows of one page.
            models.Index(fields=["organization", "place", "provider", "position"], name="provider_key_in_order"),
            # Which keys serve all API keys: few among many.
            models.Index(
                fields=["organization", "provider", "position"],
                condition=Q(scope=Scope.ORGANIZATION),
                name="provider_key_wide",
            ),
        )

    def __str__(self) -> str:
        return self.name

    # Verbs. Each is one transaction with its audit event, and sees only rows of the access's organization.

    @classmethod
    @transaction.atomic
    def create(cls, access: Access, provider: str, draft: Draft, press: str = "") -> "ProviderKey":
        """Save a new key, last in its provider's order. It is untested: see ``CredentialCheck.follow_save``.

        Raises ``MadeAlready`` for a ``press`` that comes again.
        """
        organization = lock(access)
        last = organization.provider_keys.filter(provider=provider).aggregate(last=models.Max("position"))["last"]
        key = cls(
            id=id_for(access, cls, press),
            organization=organization,
            provider=provider,
            name=draft.name,
            scope=draft.scope,
            position=(last or 0) + 1,
            created_by=access.user,
        )
        key._hold(draft)
        key.save(force_insert=True)
        BedrockRegion.arrange(key, draft.regions)
        key.sum_up()
        key._assign(draft)
        AuditEvent.record(organization, access.actor, "provider_key.created", key, **key.facts())
        return key

    @transaction.atomic
    def change(self, access: Access, draft: Draft, expected_version: int) -> list[str]:
        """Save ``draft`` and return the names of what changed (of ``name``, ``assignment``, ``credentials``).

        Raises ``VersionConflict`` when the key is not at ``expected_version`` any more, and
        ``ProviderKey.DoesNotExist`` when it is gone.
        """
        organization = lock(access)
        self.refresh_from_db(from_queryset=access.all(ProviderKey).select_for_update())
        if self.version != expected_version:
            raise VersionConflict(self.last_change())
        changed = self._take(draft)
        if changed:
            self.version += 1
            self.updated_at = timezone.now()
            self.save()
            self.sum_up()
            facts = self.facts()
            AuditEvent.record(organization, access.actor, "provider_key.updated", self, changed=changed, **facts)
        return changed

    def rivals_in(self, keys: models.QuerySet[Self], scope: str) -> models.QuerySet[Self]:
        able = keys.filter(enabled=True)
        if scope == Scope.ORGANIZATION:
            return able
        sharing = KeyAssignment.objects.filter(api_key__in=self.assignments.values("api_key"))
        return able.filter(pk__in=sharing.values("provider_key"))

    @transaction.atomic
    def delete_by(self, access: Access, expected_version: int | None = None) -> None:
        """Delete the key, its credentials, assignments and checks, for ever. Raises ``VersionConflict``."""
        self._expect(access, expected_version)
        deleted, _ = access.all(ProviderKey).filter(pk=self.pk).delete()
        if deleted:
            AuditEvent.record(access.organization, access.actor, "provider_key.deleted", self, **self.facts())

    def disable(self, access: Access, expected_version: int | None = None) -> bool:
        """Pause the key: its API keys are refused rather than served by another account.

        False if it was paused already. Raises ``VersionConflict``.
        """
        return self._set_enabled(False, access, "provider_key.disabled", expected_version)

    def enable(self, access: Access, expected_version: int | None = None) -> bool:
        """Let a paused key serve again. False if it does already. Raises ``VersionConflict``."""
        return self._set_enabled(True, access, "provider_key.enabled", expected_version)

    @transaction.atomic
    def _set_enabled(self, enabled: bool, access: Access, action: str, expected_version: int | None) -> bool:
        self._expect(access, expected_version)
        # Only where it changes something: a second click does nothing and records nothing.
        changed = bool(access.all(ProviderKey).filter(pk=self.pk, enabled=not enabled).update(enabled=enabled))
        if changed:
            AuditEvent.record(access.organization, access.actor, action, self, **self.facts())
            self.enabled = enabled
        return changed

    def _expect(self, access: Access, version: int | None) -> None:
        """Raise ``VersionConflict`` if somebody has saved the key since ``version``; nobody does until this transaction ends."""
        lock(access)
        current = access.all(ProviderKey).filter(pk=self.pk).values_list("version", flat=True).first()
        if version is not None and current not in {version, None}:
            raise VersionConflict(self.last_change())

    def last_change(self) -> AuditEvent | None:
        """The audit event of the latest save of this key."""
        saves = ("provider_key.created", "provider_key.updated")
        return AuditEvent.objects.filter(target_id=self.pk, action__in=saves).order_by("-at", "-id").first()

    def _take(self, draft: Draft) -> list[str]:
        changed = []
        if draft.name != self.name:
            self.name = draft.name
            changed.append("name")
        if draft.credential or (draft.regions and BedrockRegion.arrange(self, draft.regions)):
            self.credentials_version += 1
            self._hold(draft)
            changed.append("credentials")
        if (draft.scope, draft.assigned_ids) != (self.scope, self.assigned_ids):
            self.scope = draft.scope
            self._assign(draft)
            changed.append("assignment")
        return changed

    def _hold(self, draft: Draft) -> None:
        if draft.credential:
            self.destination = dict(draft.credential.destination)
            self.seal(draft.credential, self.organization)
        if draft.regions:
            self.hint = _shortened([region.region for region in draft.regions])
            self.unreadable_at = None

    def sum_up(self) -> None:
        """Bring its verdict up to what is known of its regions, if it has any. Call it in the transaction of the change."""
        if self.fingerprint:
            return
        # Locked, so that two checks do not sum up past each other.
        ProviderKey.objects.select_for_update().filter(pk=self.pk).values_list("pk").first()
        regions = list(self.regions.defer("credentials"))
        if regions:
            columns = summaries.of(regions)
            ProviderKey.objects.filter(pk=self.pk).update(**columns)
            vars(self).update(columns)

    def _assign(self, draft: Draft) -> None:
        wanted = draft.assigned_ids
        KeyAssignment.objects.filter(provider_key=self).exclude(api_key_id__in=wanted).delete()
        kept = set(KeyAssignment.objects.filter(provider_key=self).values_list("api_key_id", flat=True))
        KeyAssignment.objects.bulk_create(KeyAssignment(provider_key=self, api_key_id=one) for one in wanted - kept)
        self.__dict__.pop("_prefetched_objects_cache", None)
        self.__dict__.pop("assigned_ids", None)

    def facts(self) -> dict[str, Any]:
        """What the audit trail keeps beside the name: nothing secret, and no part of a credential."""
        return {"provider": self.provider, "scope": self.scope, "version": self.version}

    @property
    def owner(self) -> "ProviderKey":
        return self

    @property
    def secrets(self) -> "Sequence[SecretRecord]":
        """The records that hold its secrets, in order: itself, or its regions."""
        return [self] if self.fingerprint else list(self.regions.defer("credentials"))

    def stored_rows(self) -> list[Row]:
        """Its stored credentials, as a check takes them."""
        return [record.stored_row for record in self.secrets]

    def readable_rows(self) -> list[Row]:
        """Those of them that can be opened."""
        return [record.stored_row for record in self.secrets if record.readable]

    def rows_to_test(self) -> list[Row]:
        """What a save of credentials leaves to be tested: of several regions only those that nothing is known of."""
        known = set(self.regions.exclude(last_check_at=None).values_list("pk", flat=True))
        return [row for row in self.stored_rows() if row.record not in known]

    # What the resolver and the pages read.

    @cached_property
    def assigned_ids(self) -> frozenset[str]:
        """The ids of the API keys that it is assigned to; free when assignments were prefetched."""
        return frozenset(assignment.api_key_id for assignment in self.assignments.all())


def _shortened(regions: Sequence[str]) -> str:
    """As many of the regions as a hint has room for."""
    room = HINT_LENGTH - len(" and 40 more")
    shown = [region for place, region in enumerate(regions) if len(", ".join(regions[: place + 1])) <= room]
    left = len(regions) - len(shown)
    return ", ".join(shown) + (f" and {left} more" if left else "")
