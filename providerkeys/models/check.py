"""One attempt to validate credentials: a row with a state, which ends in time whatever dies meanwhile.

``queued`` → ``running`` → ``done``. Nothing relies on the broker or the worker: past its deadline a check *is* done,
whoever looks, and every change of state is a compare-and-set.
"""

import json
import logging
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final, Self

from celery import current_app
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from organizations.access import Access, is_admin, staff_may
from organizations.ids import PublicIdField
from organizations.models import AuditEvent, Organization
from providerkeys import badges, vault
from providerkeys.models.check_result import WITHDRAWN, CheckResult
from providerkeys.models.provider_key import ProviderKey
from providerkeys.models.row import Row
from providerkeys.providers import registry
from providerkeys.providers.verdicts import Verdict

log = logging.getLogger(__name__)

PRESSED_DEADLINE: Final = timedelta(seconds=60)
AUTOMATIC_DEADLINE: Final = timedelta(minutes=15)
LEASE: Final = timedelta(seconds=20)
MAX_ATTEMPTS: Final = 2
RESEND_AFTER: Final = timedelta(seconds=10)
_RECHECK_PAUSE: Final = timedelta(minutes=5)
_MINUTE: Final = timedelta(minutes=1)
_PRESS: Final = "credentials.tested"
_SAVES: Final = ("provider_key.created", "provider_key.updated")
_NO_WORKER_AFTER: Final = timedelta(seconds=5)


class State(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"


class TooManyChecks(Exception):
    """The organization's limit is reached; another check may start in ``wait`` seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"Too many tests; wait {wait} s.")
        self.wait = wait


def _over(now: datetime) -> Q:
    spent = Q(state=State.RUNNING, attempt__gte=MAX_ATTEMPTS, lease_until__lte=now)
    return Q(deadline__lte=now) | spent


class CheckQuerySet(models.QuerySet["CredentialCheck"]):
    def unfinished(self, now: datetime) -> "CheckQuerySet":
        """Checks that are still to end by themselves."""
        return self.exclude(state=State.DONE).exclude(_over(now))

    def of_the_stored(self, now: datetime) -> "CheckQuerySet":
        """Those of them that test what a key holds: what somebody types over a stored key says nothing about that key."""
        return self.unfinished(now).exclude(results__record="")

    def overdue(self, now: datetime) -> "CheckQuerySet":
        """Checks that nobody will finish: past their deadline, or out of attempts and out of lease."""
        return self.exclude(state=State.DONE).filter(_over(now))

    def settle(self, now: datetime, at_most: int) -> None:
        """End the overdue ones, the oldest first."""
        for check in self.overdue(now).order_by("deadline")[:at_most]:
            check.settle()

    def waiting(self, now: datetime) -> "CheckQuerySet":
        """Checks that a message should be sent for again: queued and not sent lately, or abandoned by a worker."""
        queued = Q(state=State.QUEUED) & (Q(sent_at=None) | Q(sent_at__lte=now - RESEND_AFTER))
        abandoned = Q(state=State.RUNNING, attempt__lt=MAX_ATTEMPTS, lease_until__lte=now)
        return self.filter(queued | abandoned, deadline__gt=now)


class CredentialCheck(models.Model):
    """One attempt to validate the credentials of one form or of one stored provider key."""

    sealed_field: ClassVar[str] = "candidate"
    # A candidate is sealed once and wiped with the result: it has neither a destination of its own nor a second version.
    destination: ClassVar[dict[str, str]] = {}
    credentials_version: ClassVar[int] = 1

    id = PublicIdField(prefix="chk")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    provider = models.CharField(max_length=40)
    provider_key = models.ForeignKey(ProviderKey, on_delete=models.CASCADE, null=True, related_name="checks")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    automatic = models.BooleanField(default=False)
    state = models.CharField(max_length=10, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    candidate = vault.SealedTextField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    deadline = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = CheckQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(state__in=list(State)), name="check_state_is_known"),
            models.CheckConstraint(condition=Q(attempt__lte=MAX_ATTEMPTS), name="check_attempts_are_few"),
            models.CheckConstraint(
                condition=~Q(state=State.DONE) | Q(candidate=None, finished_at__isnull=False),
                name="check_done_holds_no_candidate",
            ),
            vault.starts_like_a_token("candidate", name="check_candidate_is_ciphertext"),
        )
        indexes = (
            models.Index(fields=["organization", "created_at"], name="check_pressed"),
            models.Index(fields=["deadline"], condition=~Q(state=State.DONE), name="check_unfinished"),
            models.Index(fields=["finished_at"], name="check_finished"),
        )

    def __str__(self) -> str:
        return self.pk

    # How a check begins.

    @classmethod
    def press(
        cls, access: Access, provider: str, rows: Sequence[Row], key: ProviderKey | None = None
    ) -> "CredentialCheck":
        """Queue what somebody asked for by a press. Raises ``TooManyChecks`` at the organization's limits.

        First it settles the organization's overdue checks: with no sweep running, that is what wipes them.
        """
        cls.objects.filter(organization=access.organization).settle(timezone.now(), settings.CHECKS_UNFINISHED)
        with transaction.atomic():
            organization = Organization.objects.select_for_update().get(pk=access.organization.pk)
            cls._refuse_too_many(organization)
            check = cls(organization=organization, provider=provider, provider_key=key, requested_by=access.user)
            check._queue(rows, PRESSED_DEADLINE)
            AuditEvent.record(organization, access.actor, _PRESS, key or check, provider=provider)
        return check

    @classmethod
    def follow_save(cls, access: Access, key: ProviderKey) -> "CredentialCheck | None":
        """Give a key with new credentials its verdict: that of a finished check of the same bytes, else a check now.

        At the organization's limit the key stays untested. Call it in the transaction of the save.
        """
        rows = [row for row in key.rows_to_test() if not CheckResult.carry(access, key, row)]
        key.sum_up()
        if not rows or cls._saves_are_many(access.organization):
            return None
        check = cls(organization=access.organization, provider=key.provider, provider_key=key, requested_by=access.user)
        return check._queue(rows, AUTOMATIC_DEADLINE)

    @classmethod
    @transaction.atomic
    def recheck(cls, provider_key_id: str) -> "CredentialCheck | None":
        """Queue a check of a stored key that its provider refused in use; nothing where that is or was just being done."""
        now = timezone.now()
        key = ProviderKey.objects.filter(pk=provider_key_id).select_related("organization").first()
        if key is None or (key.last_check_at and key.last_check_at > now - _RECHECK_PAUSE):
            return None
        Organization.objects.select_for_update().get(pk=key.organization_id)
        unfinished = cls.objects.filter(organization_id=key.organization_id).unfinished(now)
        if unfinished.filter(provider_key=key).exists() or unfinished.count() >= settings.CHECKS_UNFINISHED:
            return None
        check = cls(organization=key.organization, provider=key.provider, provider_key=key)
        return check._queue(key.stored_rows(), AUTOMATIC_DEADLINE)

    def _queue(self, rows: Sequence[Row], deadline: timedelta) -> Self:
        self.automatic = deadline is AUTOMATIC_DEADLINE
        self.created_at = timezone.now()
        self.deadline = self.created_at + deadline
        self._hold(rows)
        self.save(force_insert=True)
        CheckResult.objects.bulk_create(CheckResult.of(self, place, row) for place, row in enumerate(rows))
        transaction.on_commit(self.send)
        return self

    def _hold(self, rows: Sequence[Row]) -> None:
        typed = {
            str(place): {"secret": row.credential.secret, "destination": dict(row.credential.destination)}
            for place, row in enumerate(rows)
            if row.credential
        }
        self.candidate = vault.seal(self, json.dumps(typed)) if typed else None

    @classmethod
    def _refuse_too_many(cls, organization: Organization) -> None:
        now = timezone.now()
        own = cls.objects.filter(organization=organization)
        unfinished = list(own.unfinished(now).order_by("deadline").values_list("deadline", flat=True))
        if len(unfinished) >= settings.CHECKS_UNFINISHED:
            raise TooManyChecks(_seconds_until(unfinished[0], now))
        times = list(_lately(organization, now, _PRESS).order_by("at").values_list("at", flat=True))
        if len(times) >= settings.CHECKS_PER_MINUTE:
            raise TooManyChecks(_seconds_until(times[-settings.CHECKS_PER_MINUTE] + _MINUTE, now))

    @classmethod
    def _saves_are_many(cls, organization: Organization) -> bool:
        """Whether a save is to be left untested: at the limit of unfinished checks, or after a minute full of tests."""
        now = timezone.now()
        if cls.objects.filter(organization=organization).unfinished(now).count() >= settings.CHECKS_UNFINISHED:
            return True
        return _lately(organization, now, _PRESS, *_SAVES).count() > settings.CHECKS_PER_MINUTE

    def send(self) -> None:
        """Tell a worker, by nothing but this check's id. That it can't be told now is no failure: the sweep sends again."""
        try:
            CredentialCheck.objects.filter(pk=self.pk).update(sent_at=timezone.now())
            current_app.send_task("providerkeys.run_check", args=[self.pk], ignore_result=True)
        except Exception as error:  # noqa: BLE001 -- whatever database or broker raise, the check is queued already.
            log.warning("check %s is queued but not sent (%s); the sweep sends it", self.pk, type(error).__name__)

    # How a check runs: see ``check_run``.

    def take(self) -> bool:
        """Lease this check for one attempt. False when it is done, running elsewhere, spent or overdue."""
        now = timezone.now()
        free = Q(state=State.QUEUED) | Q(state=State.RUNNING, lease_until__lte=now, attempt__lt=MAX_ATTEMPTS)
        taken = CredentialCheck.objects.filter(free, pk=self.pk, attempt=self.attempt, deadline__gt=now).update(
            state=State.RUNNING, attempt=self.attempt + 1, lease_until=now + LEASE
        )
        if taken:
            self.state, self.attempt = State.RUNNING, self.attempt + 1
        return bool(taken)

    @property
    def is_still_allowed(self) -> bool:
        """Whether whoever pressed may still test. What follows a save goes on: the save was allowed, and it stands.

        Staff may test what is stored, as long as they may change provider keys; what somebody typed is not theirs.
        """
        if self.automatic or is_admin(self.requested_by_id, self.organization_id):
            return True
        stored = self.provider_key_id is not None and self.candidate is None
        return stored and staff_may(self.requested_by_id, "providerkeys.change_providerkey")

    def renew(self) -> bool:
        """Extend the lease. False when this attempt has lost it."""
        return bool(self._own().update(lease_until=timezone.now() + LEASE))

    def finish(self) -> bool:
        """End this attempt, wipe the candidate and hand stored rows their results. False when the attempt lost it."""
        return self._end(self._own())

    def settle(self) -> bool:
        """End a check that nobody will finish: what has no verdict did not finish. False when it is not overdue."""
        overdue = CredentialCheck.objects.filter(pk=self.pk).overdue(timezone.now())
        return self._end(overdue)

    def _own(self) -> CheckQuerySet:
        return CredentialCheck.objects.filter(pk=self.pk, attempt=self.attempt, state=State.RUNNING)

    @transaction.atomic
    def _end(self, mine: CheckQuerySet) -> bool:
        now = timezone.now()
        if not mine.update(state=State.DONE, finished_at=now, candidate=None, lease_until=None):
            return False
        unjudged = CheckResult.objects.filter(credential_check=self, verdict="")
        unjudged.update(verdict=Verdict.UNREACHABLE, reason="did_not_finish")
        # A test that nobody had the right to leaves no trace on the key.
        for result in CheckResult.objects.filter(credential_check=self).exclude(record="").exclude(reason=WITHDRAWN):
            result.apply(now)
        if self.provider_key:
            self.provider_key.sum_up()
        return True

    # What the pages read. ``state`` is computed at read: a check can't hang, whoever looks.

    @property
    def state_now(self) -> str:
        """``queued``, ``running`` or ``done``, now."""
        now = timezone.now()
        spent = self.state == State.RUNNING and self.attempt >= MAX_ATTEMPTS and (self.lease_until or now) <= now
        return State.DONE if self.deadline <= now or spent else self.state

    @property
    def results_now(self) -> list[badges.Shown]:
        """One line per credential, in the order of the form."""
        state = self.state_now
        return [result.shown(state) for result in sorted(self.results.all(), key=lambda result: result.position)]

    @property
    def waiting_long(self) -> bool:
        """Whether no worker has taken it for 5 s."""
        return self.state_now == State.QUEUED and timezone.now() - self.created_at > _NO_WORKER_AFTER

    @property
    def elapsed_seconds(self) -> int:
        return int((timezone.now() - self.created_at).total_seconds())

    @property
    def deadline_seconds(self) -> int:
        """How long it may take in all."""
        return int((self.deadline - self.created_at).total_seconds())

    @property
    def verdict(self) -> str:
        """The verdict of a check of one credential, or the one that all of several share; else empty."""
        verdicts = {shown.verdict for shown in self.results_now}
        return verdicts.pop() if len(verdicts) == 1 else ""

    @property
    def provider_label(self) -> str:
        return registry.label(self.provider)


def _lately(organization: Organization, now: datetime, *actions: str) -> models.QuerySet[AuditEvent]:
    """What was done within the last minute, by the audit trail: deleting a key takes its checks away, and not these."""
    return AuditEvent.objects.filter(organization_id=organization.pk, at__gt=now - _MINUTE, action__in=actions)


def _seconds_until(moment: datetime, now: datetime) -> int:
    return max(1, math.ceil((moment - now).total_seconds()))
