"""One request on its way through the gateway: what is known of it so far, and what will be written down."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from gateway import usage as counting
from gateway.authenticate import Caller
from gateway.refusals import Dialect
from gateway.resolve import Candidate
from organizations.ids import ID_LENGTH, random_base62
from providerkeys.providers.base import Api

_HEAD_BYTES = 4096
_TAIL_BYTES = 16384


def _request_ids() -> Iterator[str]:
    """Random names for requests, many at a time: asking the system lets go of the interpreter's lock, and whoever writes
    records takes it, so that each request would wait for them.
    """
    while True:
        characters = random_base62(ID_LENGTH * 256)
        yield from (f"req_{characters[at : at + ID_LENGTH]}" for at in range(0, len(characters), ID_LENGTH))


_new_id = _request_ids().__next__


@dataclass(slots=True)
class Attempt:
    """One try with one provider key. ``status`` is the provider's, ``reason`` ours where there was no answer."""

    candidate: Candidate
    started: float = field(default_factory=time.monotonic)
    status: int = 0
    reason: str = ""
    milliseconds: int = 0

    def end(self, *, status: int = 0, reason: str = "") -> None:
        self.status, self.reason = status, reason
        self.milliseconds = _since(self.started)


@dataclass(slots=True)
class Exchange:
    """A request and its answer. Times are in milliseconds since it came in; ``status`` 0: nobody was answered.

    ``begun``: the head of the answer has gone out, so there can't be another one.
    """

    api: Api | None
    dialect: Dialect
    id: str = field(default_factory=_new_id)
    at: datetime = field(default_factory=timezone.now)
    started: float = field(default_factory=time.monotonic)
    caller: Caller | None = None
    admitted: bool = False
    """Whether the API key could be used: one that is refused itself was not used."""
    provider: str = ""
    model: str = ""
    stream: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    speaker: Candidate | None = None
    """The provider key whose answer the caller gets, where that is not the one that was tried last."""
    status: int = 0
    begun: bool = False
    reason: str = ""
    provider_request_id: str = ""
    first_byte_ms: int | None = None
    total_ms: int = 0
    head: bytes = field(default=b"", repr=False)
    tail: bytearray = field(default_factory=bytearray, repr=False)
    _usage: counting.Usage | None = None

    def begin(self, candidate: Candidate) -> Attempt:
        """Note that ``candidate`` is tried now."""
        attempt = Attempt(candidate)
        self.attempts.append(attempt)
        return attempt

    @property
    def served_by(self) -> Candidate | None:
        """The provider key whose answer, or whose failure, the caller sees."""
        return self.speaker or (self.attempts[-1].candidate if self.attempts else None)

    @property
    def used(self) -> list[Candidate]:
        """The provider keys that their provider has been asked with."""
        return [attempt.candidate for attempt in self.attempts if attempt.status]

    def relayed(self, chunk: bytes) -> None:
        """Keep the two ends of an answer, where its usage stands."""
        if self.first_byte_ms is None:
            self.first_byte_ms = _since(self.started)
        if len(self.head) < _HEAD_BYTES:
            self.head += chunk[: _HEAD_BYTES - len(self.head)]
        self.tail += chunk
        del self.tail[:-_TAIL_BYTES]

    def end(self) -> None:
        self.total_ms = _since(self.started)

    def usage(self) -> counting.Usage:
        """The tokens that the answer says it used. What was kept of the answer is let go of."""
        if self._usage is None:
            self._usage = counting.read(self.head, self.tail)
            self.head, self.tail = b"", bytearray()
        return self._usage


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
