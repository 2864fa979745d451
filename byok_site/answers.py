"""Whole answers of the ASGI table's own rows."""

import json
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus

from asgiref.typing import ASGISendCallable
from django.conf import settings
from django.utils.csp import build_policy

type Headers = list[tuple[bytes, bytes]]


async def send_json(
    send: ASGISendCallable, status: HTTPStatus, document: Mapping[str, object], *headers: tuple[bytes, bytes]
) -> None:
    """One complete JSON answer, never cached."""
    body = json.dumps(document).encode()
    await send_start(send, status, b"application/json", len(body), *headers)
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def send_start(
    send: ASGISendCallable, status: HTTPStatus, content_type: bytes, length: int, *more: tuple[bytes, bytes]
) -> None:
    """The head of an answer whose body has `length` bytes."""
    headers: Headers = [
        (b"content-type", content_type),
        (b"content-length", str(length).encode()),
        (b"cache-control", b"no-store"),
        *_policies(),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})


@cache
def _policies() -> Headers:
    """What Django's middleware says on every page, for answers that Django does not see."""
    policies = {
        "x-content-type-options": "nosniff",
        "referrer-policy": settings.SECURE_REFERRER_POLICY,
        "cross-origin-opener-policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        "permissions-policy": settings.PERMISSIONS_POLICY,
        "content-security-policy": build_policy(settings.SECURE_CSP),
    }
    if settings.HTTPS:
        policies["strict-transport-security"] = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"
    return [(name.encode(), value.encode()) for name, value in policies.items()]
