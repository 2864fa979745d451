"""The Celery application: settings come from Django, tasks from the rooms' `tasks.py`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "byok_site.settings")

app = Celery("byok_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
