"""What a browser sends with the form of a provider key, and what it reads from the answer."""

import re
from typing import Any

from providerkeys.models import ProviderKey
from tests.providerkeys.conftest import Console, form_data, text

NEW = "provider-keys/new/"


def edit(key: ProviderKey) -> str:
    return f"provider-keys/{key.pk}/"


def edited(key: ProviderKey, secret: str = "", **more: Any) -> dict[str, Any]:
    """What an edit posts that keeps everything; ``more`` says what it changes."""
    return form_data(secret, **{"name": key.name, "version": str(key.version), **more})


LEADS_ON = "Programs use it with an API key: create the first one."
"""What is said last after a key was made, while the organization has no API key."""


def shown(console: Console) -> str:
    """The list as it is seen at first: without what its scripts may put there."""
    return re.sub(r"<template.*?</template>", "", text(console.get("provider-keys/")), flags=re.DOTALL)


def toasts(console: Console) -> list[str]:
    """The messages that the next page shows."""
    page = shown(console)
    lines = "".join(re.findall(r"data-toast>(.*?)<button", page, re.DOTALL)).split("data-line>")[1:]
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]*>?", "", line)).strip() for line in lines]


def value_of(page: str, name: str) -> str:
    found = re.search(rf'<input [^>]*name="{name}"[^>]*value="([^"]*)"', page) or re.search(
        rf'<input [^>]*value="([^"]*)"[^>]*name="{name}"', page
    )
    return found[1] if found else ""


def ticked(page: str) -> set[str]:
    return set(re.findall(r'name="api_key_ids" value="([^"]+)"[^>]* checked', page))


def only_key() -> ProviderKey:
    return ProviderKey.objects.get()
