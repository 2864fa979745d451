"""PROVIDER_BASE_URLS: where the connection to a provider goes instead of to the provider's own host."""

import ipaddress
import json
from typing import Any
from urllib.parse import urlsplit

from byok_site.environment import Refused, origin_of

VARIABLE = "PROVIDER_BASE_URLS"
NAMES = (
    "anthropic",
    "openai",
    "mistral",
    "deepseek",
    "xai",
    "zai",
    "google_oauth",
    "google_vertex_ai",
    "aws_sts",
    "bedrock",
    "bedrock_runtime",
    "azure",
)


def provider_base_urls(text: str) -> dict[str, str]:
    """Name → origin from the JSON object in `text`; empty text means no override.

    Raises Refused for unknown names, anything but an origin, and http to anything but this machine.
    """
    if not text:
        return {}
    try:
        given = json.loads(text)
    except ValueError:
        raise Refused(VARIABLE, "is not JSON") from None
    if not isinstance(given, dict):
        raise Refused(VARIABLE, "must be a JSON object of names and URLs")
    return {name: _origin(name, url) for name, url in given.items()}


def _origin(name: str, url: Any) -> str:
    if name not in NAMES:
        raise Refused(VARIABLE, f"names {name!r}; known are {', '.join(NAMES)}")
    if not isinstance(url, str):
        raise Refused(f"{VARIABLE}[{name!r}]", "must be a string")
    origin = origin_of(f"{VARIABLE}[{name!r}]", url)
    parts = urlsplit(origin)
    if parts.scheme != "https" and not _is_loopback(str(parts.hostname)):
        raise Refused(f"{VARIABLE}[{name!r}]", "must be https: plain http is for this machine only")
    return origin


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
