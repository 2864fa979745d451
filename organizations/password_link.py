"""The link by which people set their password: asked for on the web, made and mailed by a worker."""

import logging
from typing import Final

from celery import current_app
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from organizations.ids import new_id
from organizations.models import User

TASK: Final = "organizations.send_password_link"

log = logging.getLogger(__name__)


def ask(user_id: str) -> bool:
    """Have a worker mail this user a link. The message holds the id alone. False when no message can be sent just now."""
    try:
        current_app.send_task(TASK, args=[user_id], ignore_result=True)
    except Exception as error:  # noqa: BLE001 -- whatever the broker's library raises, it is away.
        log.warning("no worker can be told to mail a link (%s)", type(error).__name__)
        return False
    return True


def id_at(email: str) -> str:
    """The id of the user who has this address, or one that nobody has: so that both take the same way from here.

    Also those who have no password yet: the mailbox is the proof, for a first password as for a forgotten one.
    """
    user_id = User.objects.filter(email=email, is_active=True).values_list("pk", flat=True).first()
    return user_id or new_id("user")


def mail(user_id: str) -> None:
    """Make the link and mail it, if there still is such a user. Raises OSError when the mail server takes nothing."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return
    context = {
        "user": user,
        # A setting: the Host header of the request was the sender's to choose.
        "base_url": settings.BASE_URL,
        "uid": urlsafe_base64_encode(force_bytes(user.pk)),
        "token": default_token_generator.make_token(user),
    }
    subject = render_to_string("registration/password_reset_subject.txt", context).strip()
    send_mail(subject, render_to_string("registration/password_reset_email.txt", context), None, [user.email])
