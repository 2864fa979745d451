"""Who must wait. django-axes counts failed logins and locks; the settings say when. Mailed links are counted here."""

from datetime import timedelta
from typing import Any, Final

from axes.models import AccessAttempt
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from organizations.forms import LoginForm

# Kept beside failed logins, which are pruned already. No address begins like this: it has a blank.
_LINK: Final = "link to "
_NAME_LENGTH: Final = 255
LINKS_TO_ONE_ADDRESS: Final = 5
LINKS_FROM_ONE_PLACE: Final = 20


def is_locked_out(request: HttpRequest) -> bool:
    return bool(getattr(request, "axes_locked_out", False))


def locked_out(request: HttpRequest, *_: Any) -> HttpResponse:
    """Answer a login, right or wrong, that comes while it is locked: 429, and how long to wait.

    Its signature is that of AXES_LOCKOUT_CALLABLE. The wait is always the whole of it, as each attempt starts it anew.
    """
    context = {
        # Not bound, so that it neither judges the password again nor shows it.
        "form": LoginForm(request, initial={"username": request.POST.get("username", "")}),
        "next": request.POST.get("next", ""),
    }
    return too_many(request, "registration/login.html", context)


def too_many(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Show a form again, 429, with the wait in words and for programs."""
    wait: timedelta = settings.AXES_COOLOFF_TIME
    context["throttled"] = f"{round(wait.total_seconds() / 60)} minutes"
    response = render(request, template, context, status=429)
    response["Retry-After"] = str(round(wait.total_seconds()))
    return response


@transaction.atomic
def takes_another_link(email: str, ip: str) -> bool:
    """Count one more link to this address from this place. False where it is one too many, whoever has the address.

    A refused one counts as well, but prolongs nothing: the wait ends a while after the first of them.
    """
    lately = AccessAttempt.objects.filter(attempt_time__gt=timezone.now() - settings.AXES_COOLOFF_TIME)
    if _sum(lately.filter(username__startswith=_LINK, ip_address=ip)) >= LINKS_FROM_ONE_PLACE:
        return False
    name = _link_to(email)
    AccessAttempt.objects.filter(username=name, ip_address=ip).exclude(pk__in=lately.values("pk")).delete()
    attempt, made = AccessAttempt.objects.get_or_create(
        username=name, ip_address=ip, user_agent="", defaults={"failures_since_start": 1}
    )
    if not made:
        AccessAttempt.objects.filter(pk=attempt.pk).update(failures_since_start=F("failures_since_start") + 1)
    return _sum(lately.filter(username=name)) <= LINKS_TO_ONE_ADDRESS


def forget_links(email: str) -> int:
    """Forget the links that were mailed to this address. Return how many rows counted them."""
    counted: int = AccessAttempt.objects.filter(username=_link_to(email)).delete()[0]
    return counted


def is_locked() -> Exists:
    """Whether logins of a user are refused just now, from any place: a condition, for the query that reads the user."""
    lately = AccessAttempt.objects.filter(attempt_time__gt=timezone.now() - settings.AXES_COOLOFF_TIME)
    return Exists(lately.filter(username=OuterRef("email"), failures_since_start__gte=settings.AXES_FAILURE_LIMIT))


def _link_to(email: str) -> str:
    return f"{_LINK}{email.strip().lower()}"[:_NAME_LENGTH]


def _sum(attempts: Any) -> int:
    return attempts.aggregate(sum=Sum("failures_since_start"))["sum"] or 0
