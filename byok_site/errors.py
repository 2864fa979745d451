"""The answers to what went wrong: a page, or for htmx the part of it that is swapped in. A status is never changed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django_htmx.middleware import HtmxDetails


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _show(request, "400.html", 400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _show(request, "403.html", 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _show(request, "403_csrf.html", 403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _show(request, "404.html", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    # Without a request no context processor runs: this answer needs neither database nor session.
    return HttpResponse(render_to_string(_part(request, "500.html")), status=500)


def _show(request: HttpRequest, template: str, status: int) -> HttpResponse:
    return render(request, _part(request, template), status=status)


def _part(request: HttpRequest, template: str) -> str:
    return f"{template}#fragment" if HtmxDetails(request) else template
