"""The answers to what went wrong: a page, or for htmx the part of it that is swapped in. A status is never changed."""

import sys
from collections.abc import Mapping
from http import HTTPStatus
from types import FrameType
from typing import Any, override

from django.core.exceptions import TooManyFieldsSent
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDict
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter
from django_htmx.middleware import HtmxDetails

from byok_site.logs import named
from organizations.hashing import TooManyPasswords

WITHHELD = "What it says is withheld: an exception may quote what was typed."


class QuietReporterFilter(SafeExceptionReporterFilter):
    """What Django's own error page may show with DEBUG on: where it broke, and nothing of what was typed or held there.

    Django's filter does nothing while DEBUG is on, and any variable of any frame may hold a secret.
    """

    @override
    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    @override
    def get_post_parameters(self, request: HttpRequest | None) -> MultiValueDict[str, Any]:
        return self.get_cleansed_multivaluedict(request, request.POST) if request else MultiValueDict()

    @override
    def get_cleansed_multivaluedict(self, request: HttpRequest | None, multivaluedict: QueryDict) -> QueryDict:
        cleansed = multivaluedict.copy()
        for name in multivaluedict:
            cleansed[name] = self.cleansed_substitute
        return cleansed

    @override
    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return dict.fromkeys(request.COOKIES, self.cleansed_substitute)

    @override
    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> Any:
        return [(name, self.cleansed_substitute) for name in tb_frame.f_locals]


class QuietReporter(ExceptionReporter):
    """Django's own error page without a word of what an exception says: any may quote what it was given."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.template_info:
            self.template_info = {**self.template_info, "message": WITHHELD}

    @override
    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        data |= {"exception_value": WITHHELD, "exception_notes": "", "unicode_hint": ""}
        return data

    @override
    def get_traceback_frames(self) -> list[dict[str, Any]]:
        frames = super().get_traceback_frames()
        for frame in frames:
            if frame["exc_cause"] is not None:
                frame["exc_cause"] = named(frame["exc_cause"])
        return frames


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    # What people can send too many of are ticks at their API keys.
    return _show(request, "400.html", 400, {"too_many_fields": isinstance(exception, TooManyFieldsSent)})


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _show(request, "403.html", 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _show(request, "403_csrf.html", 403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _show(request, "404.html", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    # Without a request no context processor runs: this answer needs neither database nor session.
    if isinstance(sys.exception(), (OperationalError, TooManyPasswords)):
        # Locked, away or busy. It comes back by itself, and so may whoever asked.
        page, seconds = render_to_string(_part(request, "503.html")), {"Retry-After": "10"}
        return HttpResponse(page, status=HTTPStatus.SERVICE_UNAVAILABLE, headers=seconds)
    return HttpResponse(render_to_string(_part(request, "500.html")), status=HTTPStatus.INTERNAL_SERVER_ERROR)


def _show(
    request: HttpRequest, template: str, status: int, context: Mapping[str, object] | None = None
) -> HttpResponse:
    return render(request, _part(request, template), dict(context or {}), status=status)


def _part(request: HttpRequest, template: str) -> str:
    return f"{template}#fragment" if HtmxDetails(request) else template
