"""Somebody says that what they have replaced is revoked at its provider."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.text import get_text_list
from django.views.decorators.http import require_POST

from organizations.access import Access, admin_view
from organizations.forms import take_once
from providerkeys.views.key_list import back_to_list
from providerkeys.views.replaced import forget


@require_POST
@admin_view
def replaced_is_revoked(request: HttpRequest, access: Access) -> HttpResponse:
    """Of what was replaced in a key (``key``) nobody has to remind them any more. The key itself may be gone."""
    take_once(request.POST)
    if hints := forget(request, access, request.POST.get("key", "")):
        messages.success(request, f"You are no longer reminded of {get_text_list(hints, 'and')}.")
    return back_to_list(request, access)
