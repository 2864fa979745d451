from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import RequestFactory

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


def actions() -> list[str]:
    """Return the actions of all audit events, oldest first."""
    return list(AuditEvent.objects.order_by("at").values_list("action", flat=True))
