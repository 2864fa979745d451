"""The product's own settings, and the faults."""

from byok_site.settings import *  # noqa: F403  The product's own.
from byok_site.settings import CELERY_BEAT_SCHEDULE, DATABASES, INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [*INSTALLED_APPS, "tests.trust.faults.apps.Faults"]
MIDDLEWARE = [*MIDDLEWARE, "tests.trust.faults.middleware.echo"]
# The walk looks for secrets: on a busy machine it waits for the lock longer than people would.
DATABASES["default"]["OPTIONS"] |= {"timeout": 30}
PASSWORD_HASHERS = ["tests.trust.faults.hashers.CheapHasher"]
CELERY_BEAT_SCHEDULE = {**CELERY_BEAT_SCHEDULE, "sweep": {**CELERY_BEAT_SCHEDULE["sweep"], "schedule": 2.0}}
