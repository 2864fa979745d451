"""Logging: one handler to standard error, as text or as JSON lines."""

from typing import Any

# Their DEBUG and INFO lines print headers, URLs, key ids and task arguments, so no LOG_LEVEL opens them.
KEPT_QUIET = (
    "asyncio", "boto3", "botocore", "celery.app.trace", "celery.worker.strategy", "google", "kombu", "psycopg",
    "requests", "s3transfer", "urllib3",
)  # fmt: skip


def configuration(level: str, style: str) -> dict[str, Any]:
    """Django's LOGGING for a level name and a style (`text` | `json`)."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"text": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "text"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {name: {"level": "WARNING"} for name in KEPT_QUIET},
    }
