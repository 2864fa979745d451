"""Page or fragment: the same view and context, and another ending."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import MAX_URL_REDIRECT_LENGTH
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails


def asked_by_htmx(request: HttpRequest) -> bool:
    return bool(HtmxDetails(request))


def target_of(request: HttpRequest) -> str:
    """The id of the element that the answer will replace or fill; empty for a page."""
    return HtmxDetails(request).target or ""


def show(
    request: HttpRequest,
    template: str,
    part: str,
    context: Mapping[str, Any],
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    """Render the page ``template``, or only its partial ``part`` when htmx asks."""
    name = f"{template}#{part}" if asked_by_htmx(request) else template
    return render(request, name, dict(context), status=status)


def leave(request: HttpRequest, url: str) -> HttpResponse:
    """Send the browser to ``url``, which is one of ours; from within a dialog too.

    Django refuses to send anybody to a longer address, and what was asked for is done by then: its query is left out.
    """
    if len(url) > MAX_URL_REDIRECT_LENGTH:
        url = url.partition("?")[0]
    return HttpResponseClientRedirect(url) if asked_by_htmx(request) else HttpResponseRedirect(url)
