"""The BYOK list as a page and as the table alone, and the way back to it."""

from typing import Any, Final
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from organizations.access import Access, member_view, page_behind
from organizations.models import ApiKey
from providerkeys.providers import registry
from providerkeys.views.htmx import asked_by_htmx, leave, show
from providerkeys.views.listing import KeyPage
from providerkeys.views.replaced import reminders
from providerkeys.views.searches import without_secrets

_SUGGESTED: Final = 1000


@require_safe
@member_view
@without_secrets
def provider_key_list(request: HttpRequest, access: Access) -> HttpResponse:
    page = KeyPage.asked_in(access, request.GET)
    if not page.rows and ("after" in request.GET or "before" in request.GET):
        # The last row of that page has gone meanwhile; what is left stands on the first one.
        return leave(request, list_url(access))
    context = list_context(access, page)
    if not asked_by_htmx(request):
        told = {message.extra_tags for message in messages.get_messages(request)}
        context["reminders"] = reminders(request, access, told)
    response = show(request, "providerkeys/list.html", "table", context)
    if asked_by_htmx(request):
        push_url(response, list_url(access) + page.address)
    return response


@require_safe
@member_view
def api_key_names(request: HttpRequest, access: Access) -> HttpResponse:
    """The names that the list's filter suggests: asked for only when somebody is about to type one."""
    names = access.all(ApiKey).order_by("name").values_list("name", flat=True).distinct()
    return render(request, "providerkeys/api_key_names.html", {"names": names[:_SUGGESTED]})


def list_context(access: Access, page: KeyPage) -> dict[str, Any]:
    return {
        "keys": page.rows,
        "count": page.count,
        "filters": page.filters,
        "unknown_api_key": not page.rows and not page.filters.knows_api_key(access),
        "previous_url": page.previous_url,
        "next_url": page.next_url,
        "providers": registry.all(),
        "unsaid": [Message(level, "") for level in (messages.SUCCESS, messages.WARNING, messages.ERROR)],
    }


def list_url(access: Access) -> str:
    return reverse("provider_key_list", kwargs={"slug": access.organization.slug})


def query_of(request: HttpRequest, access: Access) -> QueryDict:
    """What the list that somebody looks at while htmx asks was asked for; empty when they look at something else."""
    there = urlsplit(page_behind(request))
    return QueryDict(there.query if there.path == list_url(access) else "")


def back_to_list(request: HttpRequest, access: Access) -> HttpResponse:
    """Lead back to the list: to the very page of it that somebody came from, as far as that is known."""
    query = query_of(request, access).urlencode()
    return leave(request, list_url(access) + (f"?{query}" if query else ""))
