"""What the cases of the family NET share: a guard that sees every packet, and servers that play exactly what a case needs."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Self

import pytest

from providerkeys.providers import http, registry
from providerkeys.providers.base import Credential
from tests.fakeproviders import samples
from tests.fakeproviders.model import NAMES

_WAYS_OUT: Final = ("connect", "connect_ex", "sendto", "sendmsg")
_LOOK_UPS: Final = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "create_connection")


@dataclass
class Guard:
    """Stands in front of every socket: nothing gets out, not even a look-up, and ``packets`` tells what would have."""

    packets: list[str] = field(default_factory=list)

    @classmethod
    @contextlib.contextmanager
    def closed(cls) -> Iterator[Self]:
        """Guard the sockets for the length of a ``with`` block."""
        guard = cls()
        with pytest.MonkeyPatch.context() as monkeypatch:
            for name in _WAYS_OUT:
                monkeypatch.setattr(socket.socket, name, guard._refuse(name))
            for name in _LOOK_UPS:
                monkeypatch.setattr(socket, name, guard._refuse(name))
            yield guard

    def _refuse(self, name: str) -> Callable[..., Any]:
        def refuse(*arguments: Any, **_: Any) -> Any:
            where = next((one for one in arguments if not isinstance(one, socket.socket)), "")
            self.packets.append(f"{name} {where}")
            raise OSError("no packet leaves")

        return refuse


def ask(slug: str, key: str) -> str:
    """The reason that a whole check of ``key`` ends with, through the real door."""
    return ask_with(slug, Credential(key, samples.destination(slug, key)))


def ask_with(slug: str, credential: Credential) -> str:
    """The same for any ``credential``."""
    try:
        return registry.get(slug).check(credential, http.sender())
    except http.Unreachable as unreachable:
        return unreachable.reason


def everywhere(origin: str) -> dict[str, str]:
    """PROVIDER_BASE_URLS that lead all providers to ``origin``."""
    return dict.fromkeys(NAMES, origin)


type Serve = Callable[[socket.socket], None]


@dataclass
class Server:
    """A listener on loopback with one thread a connection. ``received``: what came in, connection by connection."""

    serve: Serve
    received: list[bytes] = field(default_factory=list)
    connections: int = 0
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=128))
    _threads: list[threading.Thread] = field(default_factory=list)
    _left: threading.Event = field(default_factory=threading.Event)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._listener.settimeout(0.05)
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def wait(self, seconds: float) -> bool:
        """Wait that long; False once the test is over, so that no thread outlives it."""
        return not self._left.wait(seconds)

    def read_request(self, connection: socket.socket) -> bytes:
        """The head of a request, and whatever of its body came with it."""
        data = b""
        with contextlib.suppress(OSError):
            while b"\r\n\r\n" not in data and (more := connection.recv(65536)):
                data += more
        self.received.append(data)
        return data

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._left.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                self.connections += 1
                self._start(lambda connection=connection: self._take(connection))  # type: ignore[misc]

    def _take(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        # Who is refused, or gives up, leaves in the middle of things.
        with connection, contextlib.suppress(OSError):
            self.serve(connection)


@dataclass(frozen=True)
class Step:
    """One answer: after ``seconds``; its body at once, or a byte ``every`` so many seconds."""

    status: int
    body: bytes = b"{}"
    seconds: float = 0.0
    content_type: str = "application/json"
    every: float = 0.0

    @property
    def head(self) -> bytes:
        lines = (
            f"HTTP/1.1 {self.status} Said",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            "Connection: close",
        )
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


SILENCE: Final = Step(200, seconds=3600)
DRIP: Final = Step(200, b" " * 1000, every=0.2)


def play(*steps: Step) -> Server:
    """A server that gives its connections these answers, one after the other, and the last of them for ever."""
    turns, lock = iter(steps), threading.Lock()

    def serve(connection: socket.socket) -> None:
        server.read_request(connection)
        with lock:
            step = next(turns, steps[-1])
        if not server.wait(step.seconds):
            return
        connection.sendall(step.head)
        for byte in step.body if step.every else ():
            connection.sendall(bytes([byte]))
            if not server.wait(step.every):
                return
        if not step.every:
            connection.sendall(step.body)

    server = Server(serve)
    return server


def secure(context: ssl.SSLContext) -> Server:
    """A server that would read a request over TLS, and answer that the key is good at OpenAI."""
    answer = Step(200, b'{"object": "list", "data": []}')

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as tls:
            server.read_request(tls)
            tls.sendall(answer.head + answer.body)

    server = Server(serve)
    return server
