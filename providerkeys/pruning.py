"""What is not worth keeping: finished checks after 30 days, ended sessions, old login attempts."""

from datetime import timedelta
from typing import Final

from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.utils import timezone

from providerkeys.models import CredentialCheck

CHECKS_KEPT_FOR: Final = timedelta(days=30)
LOGIN_ATTEMPTS_KEPT_FOR: Final = timedelta(days=1)


def prune() -> None:
    """Delete all of it. Each is one indexed delete, cheap enough for every sweep."""
    now = timezone.now()
    CredentialCheck.objects.filter(finished_at__lt=now - CHECKS_KEPT_FOR).delete()
    Session.objects.filter(expire_date__lt=now).delete()
    AccessAttempt.objects.filter(attempt_time__lt=now - LOGIN_ATTEMPTS_KEPT_FOR).delete()
