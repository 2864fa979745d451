"""What workers do for people. A message names a user by id and nothing else: no address, no token."""

from celery import shared_task

from organizations import password_link


# A mail server that is away for a quarter of an hour loses no link.
@shared_task(  # type: ignore[untyped-decorator]  # Celery's types know no retries.
    name=password_link.TASK, autoretry_for=(OSError,), retry_backoff=30, retry_jitter=False, max_retries=5
)
def send_password_link(user_id: str) -> None:
    """Mail a user the link for setting their password."""
    password_link.mail(user_id)
