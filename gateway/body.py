"""A caller's body: read within its limit, and looked into without ever being written anew.

Only the bytes of the top-level ``model`` change on the way to a provider; everything else arrives as it was sent.
"""

import asyncio
import json
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]
from typing import Any, Final, NoReturn

from asgiref.typing import ASGIReceiveCallable, ASGIReceiveEvent, HTTPScope

from gateway import skim
from gateway.refusals import Refusal
from gateway.room import Room

MAX_BYTES: Final = 32 * 1024 * 1024
READ_SECONDS: Final = 300
LARGE: Final = 256 * 1024
"""Bytes from which on a body is skimmed instead of parsed."""

_BLANKS: Final = re.compile(r"[ \t\n\r]*+")

type Sent = bytes | bytearray


class CallerLeft(Exception):
    """Nobody is there any more to answer."""


async def read(scope: HTTPScope, receive: ASGIReceiveCallable, room: Room) -> Sent:
    """The whole body, for which ``room`` is taken.

    Raises ``Refusal`` when it is larger than 32 MiB, takes five minutes or finds no room, and ``CallerLeft``.
    """
    if _declared(scope) > MAX_BYTES:
        raise _too_large()
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await _read(receive, room)
    except TimeoutError:
        pass
    raise Refusal(HTTPStatus.REQUEST_TIMEOUT, "body_too_slow", "The request body did not arrive in time.")


async def _read(receive: ASGIReceiveCallable, room: Room) -> Sent:
    first, more = _piece(await receive(), room)
    if not more:
        return first
    body = bytearray(first)
    while more:
        piece, more = _piece(await receive(), room)
        body += piece
        if len(body) > MAX_BYTES:
            raise _too_large()
    return body


def _piece(event: ASGIReceiveEvent, room: Room) -> tuple[bytes, bool]:
    """A piece of the body, and whether there is more."""
    if event["type"] != "http.request":
        raise CallerLeft
    room.take(len(event["body"]))
    return event["body"], event["more_body"]


def _too_large() -> Refusal:
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", f"The request body is larger than {MAX_BYTES >> 20} MiB."
    )


def _declared(scope: HTTPScope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON object as it was ``sent``. ``model`` is the value of its ``model``, the bytes from ``start`` to ``end``."""

    sent: Sent = field(repr=False)
    model: str
    start: int
    end: int
    stream: bool

    @classmethod
    async def of(cls, sent: Sent) -> "Body":
        """Raises ``Refusal`` for what is no JSON object with exactly one ``model``, a text.

        A large one is looked at in pieces, so that nobody has to wait for it, and no deeper than that takes.
        """
        return cls.parse(sent) if len(sent) <= LARGE else await cls._skim(sent)

    @classmethod
    def parse(cls, sent: Sent) -> "Body":
        """The same at one go, with all that is in it."""
        found = _Found()
        try:
            text = sent.decode()
            for name, value, start, end in _members(text):
                found.add(name, value, start, end)
        except (ValueError, RecursionError) as error:
            _malformed(error)
        model, start, end = found.model
        if len(text) != len(sent):
            start, end = len(text[:start].encode()), len(text[:end].encode())
        return cls(sent, model, start, end, found.stream)

    @classmethod
    async def _skim(cls, sent: Sent) -> "Body":
        found = _Found()
        try:
            await _check_utf8(sent)
            for member in skim.members(sent):
                if member is None:
                    await asyncio.sleep(0)
                elif member.name and (name := json.loads(member.name)) in _WANTED:
                    short = member.end - member.start <= _LONGEST_VALUE
                    value = _decoder.decode(sent[member.start : member.end].decode()) if short else None
                    found.add(name, value, member.start, member.end)
        except (ValueError, RecursionError) as error:
            _malformed(error)
        return cls(sent, *found.model, found.stream)

    def with_model(self, model: str) -> Sent:
        """The body with another value in the place of its model, and every other byte as it was."""
        if model == self.model:
            return self.sent
        view = memoryview(self.sent)
        return b"".join((view[: self.start], json.dumps(model).encode(), view[self.end :]))


_WANTED: Final = frozenset({"model", "stream"})
# In a large body: a member of these names that holds a document is none of ours.
_LONGEST_VALUE: Final = 4096


@dataclass(slots=True)
class _Found:
    """What matters here of the members of a body."""

    stream: bool = False
    _model: tuple[Any, int, int] | None = None

    def add(self, name: str, value: Any, start: int, end: int) -> None:
        if name == "stream":
            self.stream = value is True
        elif name == "model":
            if self._model:
                _refuse("duplicate_model", "The request body names its model twice.")
            self._model = (value, start, end)

    @property
    def model(self) -> tuple[str, int, int]:
        if self._model is None or not isinstance(self._model[0], str) or not self._model[0]:
            _refuse("missing_model", "Name a model, such as `openai/gpt-4o`, as text in `model`.")
        return self._model


def _malformed(error: Exception) -> NoReturn:
    """Say of what can't be read why that is."""
    if isinstance(error, UnicodeDecodeError):
        _refuse("malformed_json", "The request body is not UTF-8 text.")
    if isinstance(error, RecursionError):
        _refuse("malformed_json", "The request body is nested too deeply.")
    if isinstance(error, skim.TooMany):
        _refuse("malformed_json", "The request body holds too many values.")
    _refuse("malformed_json", "The request body is not valid JSON.")


async def _check_utf8(sent: Sent) -> None:
    if sent.isascii():
        return
    decoder = getincrementaldecoder("utf-8")()
    for start in range(0, len(sent), LARGE):
        decoder.decode(sent[start : start + LARGE])
        await asyncio.sleep(0)
    decoder.decode(b"", final=True)


def _members(text: str) -> Iterator[tuple[str, Any, int, int]]:
    """Each member of the object: its name, its value, and where that starts and ends. Raises ``ValueError``."""
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        _refuse("malformed_json", "The request body is not a JSON object.")
    at, sign = _skip(text, at + 1), ","
    if text[at : at + 1] == "}":
        sign = "}"
    while sign == ",":
        name, start, value, end = _member(text, at)
        yield name, value, start, end
        at = _skip(text, end)
        sign = text[at : at + 1]
        if sign == ",":
            at = _skip(text, at + 1)
    if sign != "}" or _skip(text, at + 1) != len(text):
        raise ValueError


def _member(text: str, at: int) -> tuple[str, int, Any, int]:
    """The name of the member that starts ``at``, where its value starts, that value, and where it ends."""
    if text[at : at + 1] != '"':
        raise ValueError
    name, at = scanstring(text, at + 1, True)
    at = _skip(text, at)
    if text[at : at + 1] != ":":
        raise ValueError
    start = _skip(text, at + 1)
    try:
        value, end = _scan_value(text, start)
    except StopIteration:
        raise ValueError from None
    return name, start, value, end


def _skip(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _no_constant(name: str) -> NoReturn:
    raise JSONDecodeError("no JSON", name, 0)


# Numbers stay text: nobody here counts with them, and Python's own conversion of a huge one takes quadratic time.
_decoder: Final = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_no_constant)
_scan_value = _decoder.scan_once  # type: ignore[attr-defined]


def _refuse(reason: str, message: str) -> NoReturn:
    raise Refusal(HTTPStatus.BAD_REQUEST, reason, message) from None
