"""What people search for stands in an address: in histories, and in the logs of whatever is in between. No secret may."""

from functools import wraps
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from organizations.access import Access, AccessView
from providerkeys.providers import whole_keys
from providerkeys.views.htmx import leave

_TOLD: Final = (
    "What you searched for looks like a whole key. It was not searched for, and is not in the address any more. "
    "Search by name, id or the last four characters."
)


def without_secrets(view: AccessView) -> AccessView:
    """Answer an address that holds a whole secret with the same one without it, and look nothing up.

    The page's own script lets none get this far: see ``static/js/searches.js``.
    """

    @wraps(view)
    def guarded(request: HttpRequest, access: Access, **kwargs: Any) -> HttpResponseBase:
        asked = [(name, value) for name, values in request.GET.lists() for value in values]
        kept = [(name, value) for name, value in asked if not whole_keys.holds_one(f"{name} {value}")]
        if kept == asked:
            return view(request, access, **kwargs)
        messages.warning(request, _TOLD)
        return leave(request, request.path + (f"?{urlencode(kept)}" if kept else ""))

    return guarded
