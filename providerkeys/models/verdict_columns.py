from datetime import datetime
from typing import Any

from django.db import models

from providerkeys import badges
from providerkeys.providers.verdicts import Verdict


class VerdictColumns(models.Model):
    """What checks have said of one credential.

    ``verdict`` and its companions are the last judgement, which an unreachable provider leaves as it was;
    ``last_check_*`` is the latest check, whatever it said. All are empty for an untested credential.
    """

    verdict = models.CharField(max_length=20, blank=True, editable=False)
    reason = models.CharField(max_length=60, blank=True, editable=False)
    verdict_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_check_verdict = models.CharField(max_length=20, blank=True, editable=False)
    last_check_reason = models.CharField(max_length=60, blank=True, editable=False)
    last_check_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @staticmethod
    def columns_for(verdict: str, reason: str, at: datetime) -> dict[str, Any]:
        """The column values that a check's result writes: both sets for a judgement, else only the latest check."""
        latest = {"last_check_verdict": verdict, "last_check_reason": reason, "last_check_at": at}
        if not Verdict(verdict).is_judgement:
            return latest
        return {**latest, "verdict": verdict, "reason": reason, "verdict_at": at}

    def forget_verdict(self) -> None:
        """Make the credential untested: its bytes are new."""
        self.verdict = self.reason = self.last_check_verdict = self.last_check_reason = ""
        self.verdict_at = self.last_check_at = None

    def told_last_check(self, provider: str) -> badges.Told | None:
        """The latest check in words, or ``None``."""
        if not self.last_check_verdict:
            return None
        return badges.tell(provider, self.last_check_verdict, self.last_check_reason, self.last_check_at)
