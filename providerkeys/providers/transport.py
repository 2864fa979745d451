"""What stands behind the door: one ``requests`` client whose every socket is bound to a wall-clock deadline.

A library timeout bounds one read, so an answer that drips a byte a second lasts for ever (measured: ``timeout=3`` did
not stop an 11 s drip). Here every socket of a call is known to its ``Deadline``, which shuts it down when time is up.
"""

import contextlib
import contextvars
import http.client
import http.cookiejar
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from functools import cache
from types import TracebackType
from typing import Any, Final, Self

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3 import exceptions as urllib3_errors
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

BROKEN_ANSWERS: Final = (OSError, urllib3_errors.HTTPError, http.client.HTTPException)

_CONNECT_SECONDS: Final = 3.0
# getaddrinfo cannot be interrupted: it runs beside the call, which leaves when its time is up.
_lookups = ThreadPoolExecutor(max_workers=64, thread_name_prefix="lookup")
_current: contextvars.ContextVar["Deadline"] = contextvars.ContextVar("deadline")


class Deadline:
    """A wall-clock limit on one call: at ``at`` (``time.monotonic`` seconds) its sockets are shut down."""

    def __init__(self, at: float) -> None:
        self._at = at
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._fired = False
        self._timer = threading.Timer(self.remaining(), self._fire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._token = _current.set(self)
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _current.reset(self._token)
        with self._lock:
            for duplicate in self._sockets:
                duplicate.close()
            self._sockets.clear()
            self._fired = True

    def remaining(self) -> float:
        """Seconds left, never less than a millisecond (a zero timeout would mean non-blocking)."""
        return max(self._at - time.monotonic(), 0.001)

    @property
    def passed(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self._at

    def watch(self, watched: socket.socket) -> None:
        """Shut ``watched`` down when the time is up.

        A duplicate of the descriptor is kept, because wrapping a socket in TLS detaches the original object.
        """
        with self._lock:
            if self._fired:
                raise TimeoutError
            self._sockets.append(socket.socket(fileno=os.dup(watched.fileno())))

    def _fire(self) -> None:
        with self._lock:
            self._fired = True
            for duplicate in self._sockets:
                with contextlib.suppress(OSError):
                    duplicate.shutdown(socket.SHUT_RDWR)


def _look_up(host: str, port: int, seconds: float) -> list[tuple[Any, ...]]:
    lookup = _lookups.submit(socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
    try:
        return list(lookup.result(timeout=seconds))
    finally:
        lookup.cancel()


class _WatchedConnection(HTTPConnection):
    """A connection that looks up, connects and lives within the current deadline."""

    def _new_conn(self) -> socket.socket:
        deadline = _current.get()
        until = min(time.monotonic() + _CONNECT_SECONDS, time.monotonic() + deadline.remaining())
        try:
            addresses = _look_up(self.host, self.port or 443, until - time.monotonic())
        except FutureTimeout:
            raise urllib3_errors.NameResolutionError(self.host, self, socket.gaierror("timed out")) from None
        except (OSError, UnicodeError):
            raise urllib3_errors.NameResolutionError(self.host, self, socket.gaierror("failed")) from None
        for family, kind, protocol, _, address in addresses:
            connected = self._connect_within(until, deadline, socket.socket(family, kind, protocol), address)
            if connected is not None:
                return connected
        raise urllib3_errors.NewConnectionError(self, "no address answered")

    def _connect_within(
        self, until: float, deadline: Deadline, candidate: socket.socket, address: Any
    ) -> socket.socket | None:
        try:
            deadline.watch(candidate)
            candidate.settimeout(max(until - time.monotonic(), 0.001))
            candidate.connect(address)
        except OSError:
            candidate.close()
            return None
        candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return candidate


class _WatchedTlsConnection(_WatchedConnection, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTlsConnection


class _Adapter(HTTPAdapter):
    """Makes both direct and proxied pools open watched connections."""

    _pools: Final = {"http": _Pool, "https": _TlsPool}

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


@cache
def client() -> requests.Session:
    """The one client of this process: building a TLS context per check would cost 13 to 16 ms each time."""
    session = requests.Session()
    session.trust_env = False
    session.headers.clear()
    session.cookies.set_policy(_NoCookies())
    session.mount("https://", _Adapter())
    session.mount("http://", _Adapter())
    return session


class _NoCookies(http.cookiejar.DefaultCookiePolicy):
    """One organization's check must not carry a provider's cookie into another's."""

    def set_ok(self, *args: Any) -> bool:
        return False

    def return_ok(self, *args: Any) -> bool:
        return False


def reason_of(error: requests.RequestException) -> str:
    """The reason code for a failed exchange, by the kind of the exception alone; its text may hold anything."""
    if isinstance(error, requests.exceptions.SSLError):
        return "tls"
    if isinstance(error, requests.exceptions.ProxyError):
        return "proxy"
    if isinstance(error, requests.exceptions.Timeout):
        return "connect" if isinstance(error, requests.exceptions.ConnectTimeout) else "timeout"
    if isinstance(error, requests.exceptions.ConnectionError):
        return _reason_of_connection(error)
    return "unexpected"


def _reason_of_connection(error: requests.exceptions.ConnectionError) -> str:
    cause = getattr(error.args[0], "reason", error.args[0]) if error.args else None
    if isinstance(cause, urllib3_errors.NameResolutionError):
        return "dns"
    if isinstance(cause, urllib3_errors.NewConnectionError):
        return "connect"
    return "reset"
