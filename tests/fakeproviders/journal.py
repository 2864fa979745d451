"""The evidence: what arrived, what was wrong about it, and a way to wait for it without sleeping."""

import asyncio
import base64
import hashlib
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from tests.fakeproviders.wire import Request

KEPT: Final = 10_000
KEPT_BODY_BYTES: Final = 64 * 1024 * 1024
# A question that takes long to answer is asked again after a multiple of that: waiting must not slow what it waits for.
_REST: Final = 10


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived. ``outcome``: ``open``, ``answered``, or ``left`` when the client hung up first.

    ``at`` is in seconds since the epoch; ``connection`` and ``nth_on_connection`` tell kept-alive connections apart;
    ``followed_redirect`` says that it arrived where only a redirect leads. ``body`` is kept in
    the newest 64 MiB of bodies; else it is ``None``.
    """

    id: int
    at: float
    name: str
    method: str
    path: str
    query: dict[str, str]
    headers: tuple[tuple[str, str], ...]
    body_sha256: str
    body_length: int
    credential: str
    scenario: str
    connection: int
    nth_on_connection: int
    followed_redirect: bool
    body: bytes | None = field(default=None, repr=False)
    outcome: str = "open"

    def header(self, name: str) -> str:
        """The first value of the header ``name`` (lower case); empty when it is absent."""
        return next((value for key, value in self.headers if key == name), "")

    def as_dict(self) -> dict[str, Any]:
        """The row in a form that goes through JSON, its body in base64."""
        row = {name: getattr(self, name) for name in _FIELDS}
        return {**row, "body": None if self.body is None else base64.b64encode(self.body).decode()}

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> "Received":
        """What ``as_dict`` gave, after it went through JSON."""
        headers = tuple((name, value) for name, value in row["headers"])
        body = None if row["body"] is None else base64.b64decode(row["body"])
        return cls(**{**row, "headers": headers, "body": body})


_FIELDS: Final = tuple(known.name for known in fields(Received))


@dataclass(frozen=True, slots=True)
class Violation:
    """Something a client must never do. ``detail`` names places, never a secret; ``request`` is a ``Received.id``."""

    kind: str
    name: str
    detail: str
    request: int = 0


@dataclass(slots=True)
class Journal:
    """Everything since the last reset; the newest 10,000 requests, and how many there were."""

    received: dict[int, Received] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    redirected: set[str] = field(default_factory=set)
    seen: dict[str, str] = field(default_factory=dict)
    """Each credential that arrived, and the provider it arrived at first."""
    _counts: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    _with_body: deque[int] = field(default_factory=lambda: deque(maxlen=KEPT))
    _body_bytes: int = 0
    _ids: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, request: Request, *, inference: bool, **known: Any) -> Received:
        """Write down that ``request`` arrived, and whether it is for ``inference``."""
        self._ids += 1
        received = Received(
            id=self._ids,
            at=time.time(),
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            body_sha256=hashlib.sha256(request.body).hexdigest(),
            body_length=len(request.body),
            body=request.body,
            **known,
        )
        self._counts[received.name, received.credential, inference] += 1
        self.received[received.id] = received
        self._body_bytes += len(received.body or b"")
        self._with_body.append(received.id)
        self._forget_the_oldest()
        self._tell()
        return received

    def count(self, name: str, credential: str, *, inference: bool) -> int:
        """How many requests with ``credential`` the service ``name`` has had, for ``inference`` or others."""
        return self._counts[name, credential, inference]

    def total(self, name: str, credential: str) -> int:
        """How many requests there were in all, also those that are no longer kept. Empty: any ``name``, any ``credential``."""
        return sum(
            times for (at, key, _), times in self._counts.items() if name in ("", at) and credential in ("", key)
        )

    def close(self, received: Received, outcome: str) -> None:
        """Write down how the exchange of ``received`` ended."""
        row = self.received.get(received.id)
        if row:
            self.received[received.id] = replace(row, outcome=outcome)
        self._tell()

    def find(self, wanted: dict[str, Any]) -> list[Received]:
        """The requests whose fields have the ``wanted`` values, oldest first."""
        rows = self.received.values()
        return [row for row in rows if all(getattr(row, name) == value for name, value in wanted.items())]

    async def wait(self, reached: Callable[[], bool], seconds: float) -> bool:
        """Whether ``reached`` became true within ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                started = time.perf_counter()
                while not reached():
                    changed = self._changed
                    await asyncio.sleep(_REST * (time.perf_counter() - started))
                    await changed.wait()
                    started = time.perf_counter()
        except TimeoutError:
            return False
        return True

    def as_dicts(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        """``find``, in a form that goes through JSON."""
        return [row.as_dict() for row in self.find(wanted)]

    def _forget_the_oldest(self) -> None:
        if len(self.received) > KEPT:
            gone = self.received.pop(next(iter(self.received)))
            self._body_bytes -= len(gone.body or b"")
        while self._body_bytes > KEPT_BODY_BYTES:
            row = self.received.get(self._with_body.popleft())
            if row:
                self._body_bytes -= len(row.body or b"")
                self.received[row.id] = replace(row, body=None)

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
