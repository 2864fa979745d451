"""A caller's body: read within its limit, and looked into without ever being written anew.

Only the bytes of the top-level ``model`` change on the way to a provider; everything else arrives as it was sent.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]
from typing import Any, Final, NoReturn

from asgiref.typing import ASGIReceiveCallable, HTTPScope

from gateway.refusals import Refusal

MAX_BYTES: Final = 32 * 1024 * 1024
READ_SECONDS: Final = 300
_OPENING: Final = re.compile(r"[ \t\n\r]*\{[ \t\n\r]*(?:(\})[ \t\n\r]*)?")
_AFTER_NAME: Final = re.compile(r"[ \t\n\r]*(:)[ \t\n\r]*")
_AFTER_VALUE: Final = re.compile(r"[ \t\n\r]*([,}])[ \t\n\r]*")


class CallerLeft(Exception):
    """Nobody is there any more to answer."""


async def read(scope: HTTPScope, receive: ASGIReceiveCallable) -> bytes:
    """The whole body. Raises ``Refusal`` when it is larger than 32 MiB or takes five minutes, and ``CallerLeft``."""
    if _declared(scope) > MAX_BYTES:
        raise _too_large()
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await _read(receive)
    except TimeoutError:
        pass
    raise Refusal(HTTPStatus.REQUEST_TIMEOUT, "body_too_slow", "The request body did not arrive in time.")


async def _read(receive: ASGIReceiveCallable) -> bytes:
    event = await receive()
    if event["type"] == "http.request" and not event["more_body"]:
        return _within_limit(event["body"])
    body = bytearray()
    while event["type"] == "http.request":
        body += event["body"]
        _within_limit(body)
        if not event["more_body"]:
            return bytes(body)
        event = await receive()
    raise CallerLeft


def _within_limit[B: (bytes, bytearray)](body: B) -> B:
    if len(body) > MAX_BYTES:
        raise _too_large()
    return body


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
    """A JSON object as it was sent. ``model`` is the value of its ``model``, which stands at ``start`` to ``end``."""

    text: str
    model: str
    start: int
    end: int
    stream: bool

    @classmethod
    def parse(cls, sent: bytes) -> "Body":
        """Raises ``Refusal`` for what is no JSON object with exactly one ``model``, a text."""
        try:
            return cls._scan(sent.decode())
        except UnicodeDecodeError:
            _refuse("malformed_json", "The request body is not UTF-8 text.")
        except RecursionError:
            _refuse("malformed_json", "The request body is nested too deeply.")
        except ValueError:
            _refuse("malformed_json", "The request body is not valid JSON.")

    @classmethod
    def _scan(cls, text: str) -> "Body":
        model: tuple[Any, int, int] | None = None
        stream = False
        for name, value, start, end in _members(text):
            if name == "model":
                if model:
                    _refuse("duplicate_model", "The request body names its model twice.")
                model = (value, start, end)
            elif name == "stream":
                stream = value is True
        if model is None or not isinstance(model[0], str) or not model[0]:
            _refuse("missing_model", "Name a model, such as `openai/gpt-4o`, as text in `model`.")
        return cls(text, *model, stream)

    def with_model(self, model: str) -> bytes:
        """The body with another value in the place of its model, and every other byte as it was."""
        if model == self.model:
            return self.text.encode()
        return f"{self.text[: self.start]}{json.dumps(model)}{self.text[self.end :]}".encode()


def _members(text: str) -> Iterator[tuple[str, Any, int, int]]:
    """Each member of the object: its name, its value, and where that starts and ends. Raises ``ValueError``."""
    opening = _OPENING.match(text) or _refuse("malformed_json", "The request body is not a JSON object.")
    at, sign = opening.end(), opening[1] or ","
    while sign == ",":
        name, start, value, end = _member(text, at)
        yield name, value, start, end
        at, sign = _sign(_AFTER_VALUE, text, end)
    if at != len(text):
        raise ValueError


def _member(text: str, at: int) -> tuple[str, int, Any, int]:
    """The name of the member that starts ``at``, where its value starts, that value, and where it ends."""
    if text[at : at + 1] != '"':
        raise ValueError
    name, at = scanstring(text, at + 1, True)
    start, _ = _sign(_AFTER_NAME, text, at)
    try:
        value, end = _scan_value(text, start)
    except StopIteration:
        raise ValueError from None
    return name, start, value, end


def _sign(pattern: re.Pattern[str], text: str, at: int) -> tuple[int, str]:
    """The sign that has to stand ``at``, blanks around it aside, and where what follows it starts."""
    found = pattern.match(text, at)
    if not found:
        raise ValueError
    return found.end(), found[1]


def _no_constant(name: str) -> NoReturn:
    raise JSONDecodeError("no JSON", name, 0)


# Numbers stay text: nobody here counts with them, and Python's own conversion of a huge one takes quadratic time.
_scan_value = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_no_constant).scan_once  # type: ignore[attr-defined]


def _refuse(reason: str, message: str) -> NoReturn:
    raise Refusal(HTTPStatus.BAD_REQUEST, reason, message) from None
