"""What somebody is told whose logins are locked. django-axes counts the failures and locks; the settings say when."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from organizations.forms import LoginForm


def is_locked_out(request: HttpRequest) -> bool:
    return bool(getattr(request, "axes_locked_out", False))


def locked_out(request: HttpRequest, *_: Any) -> HttpResponse:
    """Answer a login, right or wrong, that comes while it is locked: 429, and how long to wait.

    Its signature is that of AXES_LOCKOUT_CALLABLE. The wait is always the whole of it, as each attempt starts it anew.
    """
    wait: timedelta = settings.AXES_COOLOFF_TIME
    context = {
        # Not bound, so that it neither judges the password again nor shows it.
        "form": LoginForm(request, initial={"username": request.POST.get("username", "")}),
        "next": request.POST.get("next", ""),
        "throttled": f"{round(wait.total_seconds() / 60)} minutes",
    }
    response = render(request, "registration/login.html", context, status=429)
    response["Retry-After"] = str(round(wait.total_seconds()))
    return response
