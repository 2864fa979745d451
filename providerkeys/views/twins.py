"""Other keys that hold the same credentials, as somebody is told of them."""

from collections.abc import Sequence
from typing import Final

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from organizations.access import Access
from providerkeys.models import ProviderKey

_NAMED: Final = 12


def linked(access: Access, keys: Sequence[ProviderKey]) -> SafeString:
    """The names of ``keys`` with their providers, each a link to its form in another tab; of many the first few."""
    link = '<a href="{}" target="_blank" rel="noopener noreferrer">{}</a> ({})'
    named = format_html_join(
        ", ", link, ((form_url(access, key), key.name, key.provider_label) for key in keys[:_NAMED])
    )
    more = len(keys) - _NAMED
    return format_html("{} and {} more", named, more) if more > 0 else named


def form_url(access: Access, key: ProviderKey) -> str:
    """The form of ``key`` for whoever comes to replace what it holds: they begin where that is typed."""
    form = reverse("provider_key_edit", kwargs={"slug": access.organization.slug, "pk": key.pk})
    return f"{form}?focus=credentials"
