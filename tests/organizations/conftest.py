from collections.abc import Callable

import pytest
from celery import current_app
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import RequestFactory

from organizations import tasks
from organizations.models import AuditEvent, User
from tests.cast import IP

type MakeRequest = Callable[..., HttpRequest]


@pytest.fixture
def make_request(rf: RequestFactory) -> MakeRequest:
    """Return a maker of requests: `make_request(user, "POST", "/path/", **headers)`; without a user, anonymous."""

    def make(user: User | None = None, method: str = "GET", path: str = "/", **headers: str) -> HttpRequest:
        request = rf.generic(method, path, headers=headers, REMOTE_ADDR=IP)
        request.user = user or AnonymousUser()
        return request

    return make


@pytest.fixture
def rf_request(make_request: MakeRequest) -> HttpRequest:
    return make_request(method="POST", path="/login/")


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """A worker that does what it is told at once. Returned are the messages to it: task and arguments."""
    told: list[tuple[str, list[str]]] = []

    def send_task(name: str, args: list[str], **_: object) -> None:
        told.append((name, args))
        assert name == tasks.send_password_link.name
        tasks.send_password_link(*args)

    monkeypatch.setattr(current_app._get_current_object(), "send_task", send_task)
    return told


def actions() -> list[str]:
    """Return the actions of all audit events, oldest first."""
    return list(AuditEvent.objects.order_by("at").values_list("action", flat=True))
