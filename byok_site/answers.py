"""Whole answers of the ASGI table's own rows."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from asgiref.typing import ASGISendCallable

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
        (b"x-content-type-options", b"nosniff"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
