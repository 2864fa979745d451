"""The Celery application: settings come from Django, tasks from the rooms' `tasks.py`."""

import os
import sys
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "byok_site.settings")

app = Celery("byok_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_djangos_logging(**_: Any) -> None:
    """Celery configures no logging of its own once this signal has a receiver: LOGGING is already in force."""


@signals.worker_init.connect
@signals.beat_init.connect
def refuse_wrong_keys(**_: Any) -> None:
    """Leave before the first task when CREDENTIAL_KEYS cannot read this database."""
    from byok_site import startup  # noqa: PLC0415  Models can be imported only now.

    refusal = startup.refusal()
    if refusal:
        sys.exit(f"byok: {refusal}")


@signals.worker_ready.connect
def sweep_at_once(**_: Any) -> None:
    """What a killed worker left behind need not wait for beat's next turn, and readiness is known at once."""
    app.send_task("providerkeys.sweep", ignore_result=True)
