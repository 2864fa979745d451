"""The answers to what went wrong: a page, or for htmx the part of it that is swapped in. A status is never changed."""

import sys
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import Final

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import TooManyFieldsSent
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django_htmx.middleware import HtmxDetails

from byok_site.logs import request_id
from organizations.access import Access, first_organization
from organizations.hashing import TooManyPasswords

_TEMPLATE: Final = "errors/error.html"


@dataclass(frozen=True)
class Words:
    """What an error page says: never what the error itself says."""

    status: HTTPStatus
    headline: str
    text: str


@dataclass(frozen=True)
class Action:
    """A way on from an error page."""

    url: str
    label: str


UNREADABLE: Final = Words(
    HTTPStatus.BAD_REQUEST,
    "This request can’t be read.",
    "Something in it was not as the console sends it. Nothing was changed. Go back, reload the page and try again.",
)
# What people can send too many of are ticks at their API keys.
TOO_MANY_FIELDS: Final = replace(
    UNREADABLE,
    text="It holds more than the console takes at once. Nothing was changed. Choose fewer API keys, or assign to the "
    "entire organization.",
)
FORBIDDEN: Final = Words(
    HTTPStatus.FORBIDDEN, "This isn’t yours to change.", "Your account may not do this. Nothing was changed."
)
OUT_OF_DATE: Final = Words(
    HTTPStatus.FORBIDDEN,
    "This page is out of date.",
    "You logged out, or logged in again, since it was opened, perhaps in another tab. Nothing was changed. Copy what you "
    "need from it, reload it and try again. If this stays, let your browser keep this site’s cookies.",
)
NOT_FOUND: Final = Words(
    HTTPStatus.NOT_FOUND,
    "Nothing is at this address.",
    "What was here may have been deleted, or belongs to an organization you aren’t a member of. Nothing was changed.",
)
NO_PAGE: Final = Words(
    HTTPStatus.METHOD_NOT_ALLOWED,
    "There is no page at this address.",
    "It only takes what a form of the console sends, and nothing came with this request. Nothing was changed.",
)
BROKEN: Final = Words(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "Something broke on our side.",
    "It was noted. Try again in a minute; if it stays, tell the person who runs BYOK for you.",
)
AWAY: Final = Words(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The console can’t reach its database.",
    "It is busy or away just now. Try again in a minute; reload the page first to see what was saved.",
)
BUSY: Final = Words(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The console is busy.",
    "More passwords wait to be checked than it can take just now. Nothing was changed. Try again in a minute.",
)
# They come back by themselves, and so may whoever asked.
_PASSING: Final[tuple[tuple[type[Exception], Words], ...]] = ((OperationalError, AWAY), (TooManyPasswords, BUSY))
_HOME: Final = Action("/", "Go to BYOK")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _show(request, TOO_MANY_FIELDS if isinstance(exception, TooManyFieldsSent) else UNREADABLE)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    access: Access | None = getattr(request, "access", None)
    if access is None:
        return _show(request, FORBIDDEN)
    name = access.organization.name
    whom = f"You may look at {name}’s keys, not change them. Nothing was changed. Ask an admin of {name}."
    return _show(request, replace(FORBIDDEN, text=whom))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _show(request, OUT_OF_DATE)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _show(request, NOT_FOUND)


def no_page(request: HttpRequest, refusal: HttpResponse) -> HttpResponse:
    """Say in words what Django's ``refusal`` of a method leaves blank: a browser would show a page of its own."""
    answer = _show(request, NO_PAGE)
    answer.headers["Allow"] = refusal.headers["Allow"]
    return answer


def server_error(request: HttpRequest) -> HttpResponse:
    error = sys.exception()
    words = next((words for kind, words in _PASSING if isinstance(error, kind)), BROKEN)
    # Without a request no context processor runs: this answer needs neither database nor session.
    page = render_to_string(_part(request), {**asdict(words), "actions": [_HOME], "request_id": request_id.get()})
    seconds = {} if words is BROKEN else {"Retry-After": "10"}
    return HttpResponse(page, status=words.status, headers=seconds)


def _show(request: HttpRequest, words: Words) -> HttpResponse:
    # What htmx asks for goes into a page that shows the way already.
    actions = [] if HtmxDetails(request) else [_home_of(request)]
    return render(request, _part(request), {**asdict(words), "actions": actions}, status=words.status)


def _home_of(request: HttpRequest) -> Action:
    """The way to where whoever is lost works, by its name."""
    access: Access | None = getattr(request, "access", None)
    # What is refused before anybody is known has no user.
    user = getattr(request, "user", None) or AnonymousUser()
    if isinstance(user, AnonymousUser):
        return Action(reverse("login"), "Log in")
    organization = access.organization if access else first_organization(user)
    if organization:
        return Action(reverse("provider_key_list", kwargs={"slug": organization.slug}), f"Go to {organization.name}")
    return Action(reverse("admin:index"), "Go to Django admin") if user.is_staff else _HOME


def _part(request: HttpRequest) -> str:
    return f"{_TEMPLATE}#fragment" if HtmxDetails(request) else _TEMPLATE
