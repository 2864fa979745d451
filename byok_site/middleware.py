"""Small policies every answer of the console obeys, and static files in a form that suits ASGI."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

type Handler = Callable[[HttpRequest], HttpResponse]


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # It ships no types.
    """whitenoise answers with an open file, which Django's ASGI handler reads whole, with a warning. So it is read here."""

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file:
            with found.file as file:
                content = file.read()
        return HttpResponse(content, status=int(found.status), headers=dict(found.headers))


def browser_policies(get_response: Handler) -> Handler:
    """Switch off the browser features the console never asks for."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        return response

    return handle


def no_store(get_response: Handler) -> Handler:
    """Keep what a signed-in person saw out of every cache, the browser's own included."""

    def handle(request: HttpRequest) -> HttpResponse:
        signed_in = request.user.is_authenticated
        response = get_response(request)
        if signed_in or request.user.is_authenticated:
            patch_cache_control(response, no_store=True, private=True)
        return response

    return handle
