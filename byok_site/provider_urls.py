"""PROVIDER_BASE_URLS: where the connection to a provider goes instead."""


def provider_base_urls(text: str) -> dict[str, str]:
    """Name → origin, from the JSON object in `text`."""
    import json

    return json.loads(text) if text else {}
