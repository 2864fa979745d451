"""Somebody says that what they have replaced is revoked at its provider."""

import re
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from organizations.access import Access, admin_view
from organizations.forms import take_once
from providerkeys.views.key_list import back_to_list
from providerkeys.views.replaced import forget
from providerkeys.views.replacement import in_one_piece

_SECONDS: Final = re.compile("[0-9]{1,12}")


@require_POST
@admin_view
def replaced_is_revoked(request: HttpRequest, access: Access) -> HttpResponse:
    """Of what was replaced in a key (``key``) ``until`` then nobody has to remind them any more. The key may be gone.

    Of what was replaced after that, in another tab, they were told nothing when they pressed.
    """
    take_once(request.POST)
    until = request.POST.get("until", "")
    seconds = int(until) if _SECONDS.fullmatch(until) else 0
    if gone := forget(request, access, request.POST.get("key", ""), seconds):
        said = format_html("You are no longer reminded of {}.", in_one_piece(gone.hints))
        if gone.holders:
            still = format_html("Requests that run on {} fail now, unless another key serves them.", gone.holders)
            messages.warning(request, format_html("{} {}", said, still))
        else:
            messages.success(request, said)
    return back_to_list(request, access)
