"""API keys: their list, the page that makes one and shows it once, and what serves each."""

from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import reselect, reswap, retarget

from organizations.access import Access, admin_view, member_view
from organizations.models import ApiKey
from organizations.presses import MadeAlready
from providerkeys.forms import ApiKeyForm
from providerkeys.forms.api_key import NOT_ASSIGNABLE
from providerkeys.models import grant
from providerkeys.models.assignment import ForeignAssignment
from providerkeys.views.api_key_addresses import detail_url, list_url
from providerkeys.views.api_key_listing import ApiKeyPage, ApiKeyRow
from providerkeys.views.api_key_offers import offers
from providerkeys.views.api_key_once import show_once
from providerkeys.views.api_key_serving import keys_around
from providerkeys.views.htmx import asked_by_htmx, leave, show, target_of
from providerkeys.views.searches import without_secrets
from providerkeys.views.snippets import snippets


@require_safe
@member_view
@without_secrets
def api_key_list(request: HttpRequest, access: Access) -> HttpResponse:
    page = ApiKeyPage.asked_in(access, request.GET)
    if not page.rows and ("after" in request.GET or "before" in request.GET):
        # The last row of that page has gone meanwhile; what is left stands on the first one.
        return leave(request, list_url(access))
    context = {
        "api_keys": page.rows,
        "count": page.count,
        "query": page.search,
        "previous_url": page.previous_url,
        "next_url": page.next_url,
    }
    return show(request, "providerkeys/api_key_list.html", "table", context)


@require_safe
@member_view
def api_key_detail(request: HttpRequest, access: Access, key: str) -> HttpResponse:
    api_key = get_object_or_404(access.all(ApiKey).select_related("created_by"), pk=key)
    row = ApiKeyRow.of(api_key, keys_around(access, api_key.pk))
    if target_of(request) == "served-by":
        # The page on which the key is read stays, and asks for this part alone.
        return render(request, "providerkeys/api_key_once.html#served_by", {"api_key": row})
    context = {"api_key": row, "snippets": snippets(row.answers), "gateway_url": settings.GATEWAY_URL}
    return render(request, "providerkeys/api_key_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_view
def api_key_new(request: HttpRequest, access: Access) -> HttpResponse:
    """Make an API key and show it in the answer to the press, which is the only place where its plaintext ever is.

    Handing it to a page of its own would mean keeping it readable in between. So that a reload doesn't show it again,
    htmx puts the address of the key's page into the browser; without script the reload sends the same press again,
    which is answered by that page.
    """
    if request.method != "POST":
        return _show_new(request, access, ApiKeyForm(access))
    form = ApiKeyForm(access, request.POST)
    if not form.is_valid():
        return _show_new(request, access, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    given = form.cleaned_data
    try:
        with transaction.atomic():
            api_key, plaintext = ApiKey.issue(access, given["name"], given["expires_at"], form.one_press)
            grant(access, api_key, given["provider_key_ids"])
    except MadeAlready as made:
        messages.info(request, "This API key was made by your first press, and shown then. It can’t be shown again.")
        is_there = access.all(ApiKey).filter(pk=made.pk).exists()
        return leave(request, detail_url(access, made.pk) if is_there else list_url(access))
    except ForeignAssignment:
        # A provider key that could be assigned a moment ago, when the form asked.
        form.add_error("provider_key_ids", NOT_ASSIGNABLE)
        return _show_new(request, access, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    return show_once(request, access, api_key, plaintext)


def _show_new(
    request: HttpRequest, access: Access, form: ApiKeyForm, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    context = {"form": form, "offers": offers(access, form.chosen_ids)}
    response = show(request, "providerkeys/api_key_new.html", "form", context, status)
    if asked_by_htmx(request):
        # A key that was made takes the whole page; a refusal only the form's place in it.
        reswap(reselect(retarget(response, "#api-key-form"), "#api-key-form"), "outerHTML")
    return response
