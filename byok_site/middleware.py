"""Small policies every answer of the console obeys, and static files in a form that suits ASGI."""

from collections.abc import Callable
from typing import Any, override

from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.cache import patch_cache_control
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from byok_site.errors import no_page

_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})

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


class NoUploads(FileUploadHandler):
    """No form sends a file: what people choose is read in their browser. So none is kept, in memory or elsewhere."""

    @override
    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise BadRequest("A file was sent.")

    @override
    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        raise AssertionError

    @override
    def file_complete(self, file_size: int) -> None:
        raise AssertionError


def forms_only(get_response: Handler) -> Handler:
    """Refuse a body that is no form: the press would go through, without what came with it."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and request.content_type not in _FORMS and request.body:
            raise BadRequest("A body that is no form was sent.")
        return get_response(request)

    return handle


def plain_cookies(get_response: Handler) -> Handler:
    """Refuse a cookie with a NUL, which it can hold in disguise: none of ours has one, and PostgreSQL finds no session by it."""

    def handle(request: HttpRequest) -> HttpResponse:
        if any("\0" in value for value in request.COOKIES.values()):
            raise BadRequest("A cookie with a NUL was sent.")
        return get_response(request)

    return handle


def browser_policies(get_response: Handler) -> Handler:
    """Switch off the browser features the console never asks for."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        return response

    return handle


def no_blank_refusals(get_response: Handler) -> Handler:
    """Whoever opens the address of a form's button, after a login or from the history, is told so and led home."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        return no_page(request, response) if isinstance(response, HttpResponseNotAllowed) else response

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
