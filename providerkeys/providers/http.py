"""The one door out: every check reaches its provider through ``send``.

The door holds the limits that the libraries' defaults do not (measured: ``requests`` forwards ``x-api-key`` across
redirects, lets a ``.netrc`` replace the Bearer header, and does not bound a dripping answer by its timeout):

* https only, to the host of a declared endpoint; no redirects, no environment proxies, no ``.netrc``;
* connect 3 s, 10 s of wall clock for all that one check of one credential asks, at most 1 MiB after decompression;
* one client per process, and no exception of an HTTP library ever leaves this module.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final

import requests
from django.conf import settings

from providerkeys.providers import transport
from providerkeys.providers.transport import Deadline

CONNECT_SECONDS: Final = 3.0
TOTAL_SECONDS: Final = 10.0
MAX_ANSWER_BYTES: Final = 1024 * 1024
_RETRIED_STATUS: Final = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A provider's fixed host. ``name`` is its key in ``PROVIDER_BASE_URLS``."""

    name: str
    host: str

    @property
    def origin(self) -> str:
        """Where the connection goes: the provider's own https host, or its override."""
        override: str | None = settings.PROVIDER_BASE_URLS.get(self.name)
        return override.rstrip("/") if override else f"https://{self.host}"


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a check. Secrets live in ``headers`` and ``body``, so neither shows in a repr."""

    endpoint: Endpoint
    path: str
    headers: Mapping[str, str] = field(repr=False)
    method: str = "GET"
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Answer:
    """A provider's complete answer, at most 1 MiB. Never stored, logged or shown."""

    status: int
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By lower-case name: some providers say there what went wrong."""

    @cached_property
    def document(self) -> Any:
        """The body as JSON, or ``None`` when it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def json_object(self) -> dict[str, Any]:
        """The body, if it is called JSON and is a JSON object; else an empty one. A success is looked for only here."""
        return self.document if self.is_json and isinstance(self.document, dict) else {}

    @property
    def is_json(self) -> bool:
        """Whether the provider says that the body is JSON; a captive portal's page says otherwise."""
        return self.media_type == "application/json"

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.content_type.partition(";")[0].strip().lower()


class Unreachable(Exception):
    """No answer to judge by. ``reason`` is a code of ``verdicts.common_reasons``; there is no other content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def sender() -> Callable[[Request], Answer]:
    """``send`` for one check of one credential: its 10 s begin now, and all requests of the check share them."""
    return partial(send, until=time.monotonic() + TOTAL_SECONDS)


def send(request: Request, until: float | None = None) -> Answer:
    """Carry ``request`` to its provider and return the whole answer, by ``until`` (``time.monotonic``) or within 10 s.

    Tries once more, within the same time, when no connection could be made or a gateway on the way answered
    502, 503 or 504. Raises ``Unreachable`` for everything that is not a complete answer.
    """
    with Deadline(time.monotonic() + TOTAL_SECONDS if until is None else until) as deadline:
        try:
            answer = _send_once(request, deadline)
        except Unreachable as unreachable:
            if unreachable.reason != "connect" or deadline.passed:
                raise
        else:
            if answer.status not in _RETRIED_STATUS:
                return answer
        return _send_once(request, deadline)


def _send_once(request: Request, deadline: Deadline) -> Answer:
    if deadline.passed:
        raise Unreachable("timeout")
    try:
        return _exchange(request, deadline)
    except requests.RequestException as error:
        reason = "timeout" if deadline.passed else transport.reason_of(error)
    except transport.BROKEN_ANSWERS:
        # Raised while the body is read; the cause is the provider's or the network's, never the key's.
        reason = "timeout" if deadline.passed else "reset"
    # Raised outside the handler: an exception of an HTTP library carries the request, and so the key, as its context.
    raise Unreachable(reason)


def _exchange(request: Request, deadline: Deadline) -> Answer:
    response = transport.client().request(
        request.method,
        request.endpoint.origin + request.path,
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Connection": "close",
            "User-Agent": "byok-check",
            **request.headers,
            "Host": request.endpoint.host,
        },
        data=request.body or None,
        timeout=(CONNECT_SECONDS, deadline.remaining()),
        allow_redirects=False,
        stream=True,
        verify=settings.OUTBOUND_CA_FILE or True,
        proxies={"https": settings.OUTBOUND_PROXY} if settings.OUTBOUND_PROXY else None,
    )
    with response:
        body = response.raw.read(MAX_ANSWER_BYTES + 1, decode_content=True)
        if len(body) > MAX_ANSWER_BYTES:
            raise Unreachable("too_large")
        if deadline.passed:
            raise Unreachable("timeout")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers.get("content-type", ""), body, headers)
