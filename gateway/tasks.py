from datetime import timedelta
from typing import Final

from celery import shared_task
from django.utils import timezone

from gateway.models import RequestRecord

KEPT_FOR: Final = timedelta(days=90)


@shared_task(name="gateway.prune")
def prune() -> None:
    """Delete records of requests after 90 days."""
    RequestRecord.objects.filter(at__lt=timezone.now() - KEPT_FOR).delete()
