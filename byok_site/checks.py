"""Django system checks: what is allowed on a laptop and a mistake where customers are."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  Django's own name.


@register(Tags.security, deploy=True)
def base_url_is_https(**_: Any) -> list[CheckMessage]:
    if settings.BASE_URL.startswith("https://"):
        return []
    return [Warning("BASE_URL is plain http: passwords and provider keys cross the network readable.", id="byok.W001")]


@register(Tags.security, deploy=True)
def no_override_leaves_the_provider(**_: Any) -> list[CheckMessage]:
    if not settings.PROVIDER_BASE_URLS:
        return []
    names = ", ".join(sorted(settings.PROVIDER_BASE_URLS))
    return [Warning(f"PROVIDER_BASE_URLS sends the credentials of {names} elsewhere.", id="byok.W002")]


@register(Tags.files)
def data_folder_is_private(**_: Any) -> list[CheckMessage]:
    if settings.DATA_DIR.stat().st_mode & 0o077:
        return [Error(f"{settings.DATA_DIR} can be read by other users.", hint="chmod 700", id="byok.E001")]
    return []
