"""A name for every request of the console: in its answer's head, on error pages, and in the log lines of what it did."""

from typing import Final

from django.http import HttpRequest, HttpResponse

from byok_site.logs import REQUEST_ID, request_id
from byok_site.middleware import Handler
from organizations.ids import new_id

_HEADER: Final = "X-Request-Id"


def request_ids(get_response: Handler) -> Handler:
    """Name each request, ourselves: what a browser sends of its own could be anything."""

    def handle(request: HttpRequest) -> HttpResponse:
        name = request.META[REQUEST_ID] = new_id("req")
        token = request_id.set(name)
        try:
            response = get_response(request)
            response[_HEADER] = name
        finally:
            request_id.reset(token)
        return response

    return handle


def context(_: HttpRequest) -> dict[str, str]:
    """Give templates ``request_id``."""
    return {"request_id": request_id.get()}
