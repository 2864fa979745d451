"""The evidence: what arrived, what was wrong about it, and a way to wait for it without sleeping."""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from tests.fakeproviders.wire import Request

KEPT: Final = 10_000
KEPT_OF_A_BODY: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived. ``outcome``: ``open``, ``answered``, or ``left`` when the client hung up first.

    ``body`` is its beginning, byte for byte as latin-1. ``at`` is in seconds since the epoch; ``connection`` and ``nth_on_connection`` tell kept-alive connections apart;
    ``followed_redirect`` says that it arrived where only a redirect leads.
    """

    id: int
    at: float
    name: str
    method: str
    path: str
    query: dict[str, str]
    headers: tuple[tuple[str, str], ...]
    body: str = field(repr=False)
    body_sha256: str
    body_length: int
    credential: str
    scenario: str
    connection: int
    nth_on_connection: int
    followed_redirect: bool
    outcome: str = "open"

    def header(self, name: str) -> str:
        """The first value of the header ``name`` (lower case); empty when it is absent."""
        return next((value for key, value in self.headers if key == name), "")


@dataclass(frozen=True, slots=True)
class Violation:
    """Something a client must never do. ``detail`` names places, never a secret; ``request`` is a ``Received.id``."""

    kind: str
    name: str
    detail: str
    request: int = 0


@dataclass(slots=True)
class Journal:
    """Everything since the last reset; the newest 10,000 requests."""

    received: dict[int, Received] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    redirected: set[str] = field(default_factory=set)
    seen: dict[str, str] = field(default_factory=dict)
    """Each credential that arrived, and the provider it arrived at first."""
    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _ids: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, request: Request, **known: Any) -> Received:
        """Write down that ``request`` arrived."""
        self._ids += 1
        received = Received(
            id=self._ids,
            at=time.time(),
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            body=request.body[:KEPT_OF_A_BODY].decode("latin-1"),
            body_sha256=hashlib.sha256(request.body).hexdigest(),
            body_length=len(request.body),
            **known,
        )
        self._counts[received.name, received.credential] += 1
        self.received[received.id] = received
        if len(self.received) > KEPT:
            del self.received[next(iter(self.received))]
        self._tell()
        return received

    def count(self, name: str, credential: str) -> int:
        """How many requests with ``credential`` the service ``name`` has had."""
        return self._counts[name, credential]

    def close(self, received: Received, outcome: str) -> None:
        """Write down how the exchange of ``received`` ended."""
        if received.id in self.received:
            self.received[received.id] = replace(received, outcome=outcome)
        self._tell()

    def find(self, wanted: dict[str, Any]) -> list[Received]:
        """The requests whose fields have the ``wanted`` values, oldest first."""
        rows = self.received.values()
        return [row for row in rows if all(getattr(row, name) == value for name, value in wanted.items())]

    async def wait(self, reached: Callable[[], bool], seconds: float) -> bool:
        """Whether ``reached`` became true within ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                while not reached():
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def as_dicts(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        """``find``, in a form that goes through JSON."""
        return [asdict(row) for row in self.find(wanted)]

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
