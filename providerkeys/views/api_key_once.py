"""The one page on which an API key can be read."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import replace_url

from organizations.access import Access
from organizations.models import ApiKey
from providerkeys.views.api_key_addresses import detail_url
from providerkeys.views.api_key_listing import ApiKeyRow
from providerkeys.views.api_key_serving import keys_around
from providerkeys.views.htmx import asked_by_htmx
from providerkeys.views.namesakes import namesakes_of
from providerkeys.views.snippets import first_model


def show_once(
    request: HttpRequest, access: Access, api_key: ApiKey, plaintext: str, *, rotated: bool = False
) -> HttpResponse:
    """Answer the press that made ``plaintext`` with it. htmx leaves the browser at the key's own address."""
    there, row = detail_url(access, api_key.pk), ApiKeyRow.of(api_key, keys_around(access, api_key.pk))
    context = {
        "api_key": row,
        "model": first_model(row.answers),
        "plaintext": plaintext,
        "rotated": rotated,
        # Whoever rotates has named nothing. In the page itself: htmx leaves the messages around it as they are.
        "namesakes": "" if rotated else namesakes_of(access, api_key),
        "detail_url": there,
        "gateway_url": settings.GATEWAY_URL,
    }
    response = render(request, "providerkeys/api_key_once.html", context)
    return replace_url(response, there) if asked_by_htmx(request) else response
