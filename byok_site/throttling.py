"""What login throttling counts attempts by."""

from collections.abc import Mapping

from django.http import HttpRequest


def login_name(request: HttpRequest, credentials: Mapping[str, str] | None) -> str:
    """The e-mail address as it is stored: another letter case must not open a fresh row of attempts."""
    given = (credentials or {}).get("username") or request.POST.get("username") or ""
    return given.strip().lower()
