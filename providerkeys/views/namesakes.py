"""API keys that bear one name, as whoever named one of them is told."""

from organizations.access import Access
from organizations.models import ApiKey


def namesakes_of(access: Access, api_key: ApiKey) -> str:
    """Say that another API key of the organization is called as ``api_key`` is; empty where none is."""
    if not access.all(ApiKey).filter(name=api_key.name).exclude(pk=api_key.pk).exists():
        return ""
    return f"Another API key is called {api_key.name} too. Rename one to tell them apart."
