"""A page that tells what it must not: planted, so that a search of the answers has something to find."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

PATH = "/planted/"


def echo(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer a request to ``PATH`` with its own body, and one header of it with another."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.path != PATH:
            return get_response(request)
        response = HttpResponse(request.body, status=500, content_type="application/octet-stream")
        response["X-Planted"] = request.headers.get("X-Planted", "")
        return response

    return handle
