"""Two small policies every answer of the console obeys."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

type Handler = Callable[[HttpRequest], HttpResponse]


def browser_policies(get_response: Handler) -> Handler:
    """Switch off the browser features the console never asks for."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
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
