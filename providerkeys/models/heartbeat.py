from datetime import datetime, timedelta
from typing import Final

from django.db import models
from django.utils import timezone

FRESH: Final = timedelta(seconds=60)


class Heartbeat(models.Model):
    """One row, stamped by each sweep: a fresh one proves that broker, beat and worker do their work."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    at = models.DateTimeField(editable=False)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="heartbeat_is_single"),)

    def __str__(self) -> str:
        return f"Last sweep {self.at:%Y-%m-%d %H:%M:%S} UTC"

    @classmethod
    def stamp(cls) -> None:
        """Say that a sweep has run now."""
        cls.objects.update_or_create(pk=1, defaults={"at": timezone.now()})

    @classmethod
    def is_fresh(cls, now: datetime | None = None) -> bool:
        """Whether a sweep has run within the last 60 s."""
        return cls.objects.filter(at__gt=(now or timezone.now()) - FRESH).exists()
