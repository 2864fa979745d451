from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import models
from django.utils import timezone

from organizations.access import Access
from organizations.ids import PublicIdField
from providerkeys import badges
from providerkeys.models import records
from providerkeys.models.provider_key import ProviderKey
from providerkeys.models.row import Row
from providerkeys.models.verdict_columns import VerdictColumns
from providerkeys.providers.verdicts import Verdict

if TYPE_CHECKING:
    from providerkeys.models.check import CredentialCheck

CARRIED_FOR: Final = timedelta(minutes=15)
_SHORTEST_SHOWN: Final = 100
WITHDRAWN: Final = "withdrawn"
"""The reason where whoever pressed had lost the right to, before the provider was asked."""
_NOT_ASKED: Final = frozenset({"did_not_finish", "changed", "unreadable", WITHDRAWN})
"""Reasons that say nothing of the bytes behind a fingerprint: no provider was asked about them."""


class CheckResult(models.Model):
    """What a check says of one of its credentials; ``verdict`` is empty until it does.

    ``record`` is the id of the stored record that the credential is read from, at ``version``; it is empty for a
    typed one. A result changes a record only if that still holds the very bytes that were tested.
    """

    id = PublicIdField(prefix="res")
    # Not ``check``: that is a method of every Django model.
    credential_check = models.ForeignKey(
        "providerkeys.CredentialCheck", on_delete=models.CASCADE, related_name="results"
    )
    position = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=60, blank=True)
    record = models.CharField(max_length=40, blank=True)
    version = models.PositiveIntegerField(default=0)
    fingerprint = models.CharField(max_length=64, db_index=True)
    verdict = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=60, blank=True)
    milliseconds = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["credential_check", "position"], name="result_position_is_unique"),
        )

    def __str__(self) -> str:
        return f"{self.label or 'credential'}: {self.verdict or 'not finished'}"

    @classmethod
    def of(cls, check: "CredentialCheck", position: int, row: Row) -> "CheckResult":
        """The empty result of ``row`` in ``check``."""
        return cls(
            credential_check=check,
            position=position,
            label=row.label,
            record=row.record,
            version=row.version,
            fingerprint=row.fingerprint,
        )

    @classmethod
    def carry(cls, access: Access, key: ProviderKey, row: Row) -> bool:
        """Give a stored ``row`` what a finished check says of the same bytes, if this user ran one lately.

        Only a check of the same organization, user and provider counts, finished less than 15 minutes ago.
        """
        asked = cls.objects.filter(
            fingerprint=row.fingerprint,
            credential_check__organization=access.organization,
            credential_check__requested_by=access.user,
            credential_check__provider=key.provider,
            credential_check__state="done",
            credential_check__finished_at__gt=timezone.now() - CARRIED_FOR,
        ).exclude(reason__in=_NOT_ASKED)
        newest = asked.select_related("credential_check").order_by("-credential_check__finished_at")
        latest = newest.first()
        # A provider that could not be reached since does not undo what it said of the same bytes before.
        judged = newest.exclude(verdict=Verdict.UNREACHABLE).first()
        for result in filter(None, (judged, latest)):
            result.apply_to(row.record, row.version, result.credential_check.finished_at or timezone.now())
        return latest is not None

    def apply(self, at: datetime) -> None:
        """Write this result into the stored record that was tested, unless that has moved on."""
        self.apply_to(self.record, self.version, at)

    def apply_to(self, record: str, version: int, at: datetime) -> None:
        """Write this result into ``record``, if that is at ``version`` and holds the bytes that were tested."""
        kind = records.kind_of(record)
        same_bytes = kind._default_manager.filter(pk=record, credentials_version=version, fingerprint=self.fingerprint)
        same_bytes.update(**VerdictColumns.columns_for(self.verdict, self.reason, at))

    def conclude(self, reason: str, verdict: Verdict, milliseconds: int) -> bool:
        """Write what the provider said. False when this attempt has lost the check meanwhile."""
        check = self.credential_check
        own = CheckResult.objects.filter(
            pk=self.pk, verdict="", credential_check__attempt=check.attempt, credential_check__state=check.state
        )
        return bool(own.update(verdict=verdict, reason=reason, milliseconds=milliseconds))

    # What the pages read.

    def shown(self, state: str) -> badges.Shown:
        """The result in words, in a check that is in ``state`` now; there always is one when that is ``done``."""
        seconds, typed = _seconds(self.milliseconds), not self.record
        provider = self.credential_check.provider
        if self.verdict:
            # A finished row of a running check shows its own verdict at once.
            return badges.Shown(
                self.label, "done", badges.tell(provider, self.verdict, self.reason, typed=typed), seconds
            )
        if state == "done":
            did_not_finish = badges.tell(provider, Verdict.UNREACHABLE, "did_not_finish", typed=typed)
            return badges.Shown(self.label, state, did_not_finish, seconds)
        return badges.Shown(self.label, state, None, seconds)


def _seconds(milliseconds: int | None) -> str:
    """How long the provider took, e.g. ``0.4 s``; empty when nobody asked it."""
    if milliseconds is None:
        return ""
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= _SHORTEST_SHOWN else "under 0.1 s"
