"""A tap on the broker: everything that it is told, while it is told."""

import ast
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Self

_PUSHED: Final = re.compile(rb'"LPUSH" "[^"]*"(?P<messages>(?: "(?:[^"\\]|\\.)*")+)', re.IGNORECASE)
_ARGUMENT: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')


class Tap:
    """What ``MONITOR`` says: a line for each command that any client gives."""

    def __init__(self, socket_path: str) -> None:
        self._parts: list[bytes] = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(socket_path)
        self._socket.sendall(b"MONITOR\r\n")
        self._parts.append(self._socket.recv(16))
        self._thread = threading.Thread(target=self._listen, daemon=True)

    @classmethod
    @contextmanager
    def on(cls, socket_path: str) -> Iterator[Self]:
        tap = cls(socket_path)
        tap._thread.start()
        try:
            yield tap
        finally:
            with suppress(OSError):
                tap._socket.shutdown(socket.SHUT_RDWR)
            tap._thread.join(5)
            tap._socket.close()

    @property
    def heard(self) -> bytes:
        return b"".join(self._parts)

    def _listen(self) -> None:
        with suppress(OSError):
            while part := self._socket.recv(65536):
                self._parts.append(part)


def messages(heard: bytes) -> Iterator[dict[str, Any]]:
    """The messages that were pushed into a queue, as JSON."""
    for pushed in _PUSHED.finditer(heard):
        for argument in _ARGUMENT.finditer(pushed["messages"]):
            # The broker writes a string with C's escapes, which are Python's for bytes.
            with suppress(ValueError):
                message = json.loads(ast.literal_eval("b" + argument[0].decode("ascii")))
                if isinstance(message, dict) and "body" in message:
                    yield message
