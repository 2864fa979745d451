"""Defects that the case of every refused input must notice, whatever the input."""

import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

import pytest
from celery import current_app
from django.http import HttpRequest, HttpResponse

from organizations.access import Access
from organizations.models import AuditEvent
from providerkeys.views import checks, provider_keys
from providerkeys.views.htmx import show
from tests.trust.controls import Plant
from tests.trust.inputs.table import Input


def showing_what_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that is called by what was typed into it."""

    def indiscreet(
        request: HttpRequest, template: str, part: str, context: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK
    ) -> HttpResponse:
        typed = " ".join(map(str, context["form"].data.values()))
        return show(request, template, part, {**context, "title": typed}, status)

    monkeypatch.setattr("providerkeys.views.form_page.show", indiscreet)


def doing_at_a_refusal(deed: Callable[[HttpRequest, Access], object]) -> Plant:
    """A refused test or save after which something happens all the same."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        for module, name in ((checks, "_refused"), (provider_keys, "show_form")):
            honest = getattr(module, name)

            def busy(
                request: HttpRequest, access: Access, *rest: Any, honest: Callable[..., Any] = honest, **more: Any
            ) -> Any:
                deed(request, access)
                return honest(request, access, *rest, **more)

            monkeypatch.setattr(module, name, busy)

    plant.__name__ = deed.__name__
    return plant


def recording_it(request: HttpRequest, access: Access) -> None:
    AuditEvent.record(access.organization, access.actor, "credentials.refused", access.organization)


def sending_a_task(request: HttpRequest, access: Access) -> None:
    current_app.send_task("providerkeys.run_check", args=["chk_none"])


def looking_something_up(request: HttpRequest, access: Access) -> None:
    with suppress(OSError):
        socket.getaddrinfo("api.openai.com", 443)


def breaking_down(request: HttpRequest, access: Access) -> None:
    raise RuntimeError("a mistake")


WHATEVER_IS_REFUSED: Final = (
    showing_what_was_typed,
    *map(doing_at_a_refusal, (recording_it, sending_a_task, looking_something_up, breaking_down)),
)


def named(inputs: Iterable[Input], name: str) -> dict[str, Input]:
    """The row called ``name``, as the argument of a case."""
    return {"given": next(given for given in inputs if given.name == name)}
