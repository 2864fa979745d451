"""What workers do. A message names a check and nothing else; the rows hold the state."""

from celery import shared_task
from django.utils import timezone

from providerkeys.models import CredentialCheck, Heartbeat, check_run
from providerkeys.pruning import prune

_AT_ONCE = 500


@shared_task(name="providerkeys.run_check")
def run_check(check_id: str) -> None:
    """Run one check."""
    check_run.run(check_id)


@shared_task(name="providerkeys.sweep")
def sweep() -> None:
    """Settle checks that nobody will finish, send again what waits, stamp the heartbeat, prune."""
    now = timezone.now()
    Heartbeat.stamp()
    CredentialCheck.objects.all().settle(now, _AT_ONCE)
    for check in CredentialCheck.objects.waiting(now).order_by("created_at")[:_AT_ONCE]:
        check.send()
    prune()
