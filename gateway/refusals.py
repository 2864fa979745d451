"""What the gateway itself refuses, in the shape that the caller's API uses. No text of a caller or a provider is in it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final


class Dialect(StrEnum):
    """Whose error objects a caller reads."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


@dataclass
class Refusal(Exception):
    """A request that goes no further. ``reason`` is a code for programs, ``message`` a sentence or two for people."""

    status: int
    reason: str
    message: str
    retry_after: int = 0
    recorded: str = ""
    """What the record says instead of ``reason``, where that is more than the caller is told."""

    def __str__(self) -> str:
        return self.reason

    def body(self, dialect: Dialect, request_id: str) -> bytes:
        """The error object."""
        kind = _TYPES.get(self.status, "api_error")
        document: Mapping[str, object]
        if dialect == Dialect.ANTHROPIC:
            document = {"type": "error", "error": {"type": kind, "message": self.message}, "request_id": request_id}
        else:
            error = {"message": self.message, "type": kind, "param": None, "code": self.reason}
            document = {"error": error}
        return json.dumps(document, ensure_ascii=False).encode()


_TYPES: Final[Mapping[int, str]] = {
    HTTPStatus.BAD_REQUEST: "invalid_request_error",
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.NOT_FOUND: "not_found_error",
    HTTPStatus.METHOD_NOT_ALLOWED: "invalid_request_error",
    HTTPStatus.REQUEST_TIMEOUT: "invalid_request_error",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "request_too_large",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
    HTTPStatus.GATEWAY_TIMEOUT: "timeout_error",
}
