"""The gateway's way out: one pooled client per process, to the hosts that providers declare and nowhere else.

No redirects, no cookies, no environment proxies, no decompression, TLS verified. No exception of the HTTP library leaves
this module: it would carry the request, and so the key.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Final

import aiohttp
import certifi
from django.conf import settings
from multidict import CIMultiDictProxy
from yarl import URL

from gateway.connections import Call, Connector, call
from providerkeys.providers.base import Endpoint

CONNECT_SECONDS: Final = 5
_IDLE_SECONDS: Final = 15
_CHUNK: Final = 64 * 1024
# A connection that was gone before it was reused says so within a round trip; what fails later may have been served.
_STALE_SECONDS: Final = 2.0
_GONE: Final = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)

_session: aiohttp.ClientSession | None = None


class Failed(Exception):
    """No answer, or no more of it. ``reason`` is a code: ``connect``, ``tls``, ``proxy``, ``timeout``, ``reset``,
    ``redirect`` or ``status``; ``stale`` says that a kept connection turned out to be gone before anything was answered.
    """

    def __init__(self, reason: str, *, stale: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.stale = reason, stale


async def open_client() -> None:
    """Make the client. The TLS context alone costs 15 ms: once per process."""
    global _session  # noqa: PLW0603 -- one client of this process.
    context = ssl.create_default_context(cafile=settings.OUTBOUND_CA_FILE or certifi.where())
    _session = aiohttp.ClientSession(
        connector=Connector(limit=0, ssl=context, keepalive_timeout=_IDLE_SECONDS, ttl_dns_cache=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        read_bufsize=_CHUNK,
        # What is waited for, and how long, is said below: aiohttp counts from the last byte of any kind, so that a
        # provider who sends `100 Continue`, or bytes of a header, again and again is waited for without end (measured).
        timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS),
    )


async def close_client() -> None:
    if _session:
        await _session.close()


class Answer:
    """A provider's answer whose headers are there and whose body is to come. Its status is 2xx, 4xx or 5xx."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        return self._response.headers

    async def some(self) -> bytes:
        """What has come of the body, as soon as something has; nothing at its end. Raises ``Failed``."""
        content = self._response.content
        try:
            found = content.read_nowait()
            if found or content.at_eof():
                return found
            async with asyncio.timeout(settings.GATEWAY_FIRST_BYTE_TIMEOUT):
                return await content.readany()
        except Exception as error:  # noqa: BLE001 -- none of the library's may leave, whatever it is.
            reason = _reason(error)
        raise Failed(reason)

    async def whole(self, most: int, seconds: float) -> bytes | None:
        """The whole body, or ``None`` when it is larger than ``most`` bytes or takes longer. Raises ``Failed``."""
        body = bytearray()
        try:
            async with asyncio.timeout(seconds):
                while some := await self.some():
                    body += some
                    if len(body) > most:
                        return None
        except TimeoutError:
            return None
        return bytes(body)

    def close(self) -> None:
        """Hang up, unless the whole answer has been read."""
        self._response.close()


type Sent = bytes | bytearray


async def send(endpoint: Endpoint, path: str, headers: Mapping[str, str], body: Sent | None = None) -> Answer:
    """Send a request (GET without a ``body``) and wait for the head of its answer. Raises ``Failed``.

    Providers close what is idle, and may do so at the moment in which it is taken for the next request. So where a kept
    connection is gone at once, without a byte of an answer, the request goes out again over a new one, once.
    """
    try:
        return await _send(endpoint, path, headers, body, Call())
    except Failed as failed:
        if not failed.stale:
            raise
    return await _send(endpoint, path, headers, body, Call(fresh=True))


async def _send(endpoint: Endpoint, path: str, headers: Mapping[str, str], body: Sent | None, mine: Call) -> Answer:
    assert _session  # noqa: S101 -- the lifespan has opened it.
    origin = endpoint.origin
    call.set(mine)
    started, stale = time.monotonic(), False
    try:
        async with asyncio.timeout(settings.GATEWAY_FIRST_BYTE_TIMEOUT):
            response = await _session.request(
                "GET" if body is None else "POST",
                URL(origin + path, encoded=True),
                data=body,
                headers={**headers, "Host": endpoint.host},
                allow_redirects=False,
                proxy=_proxy(origin),
            )
    except Exception as error:  # noqa: BLE001 -- none of the library's may leave, whatever it is.
        reason = _reason(error)
        stale = mine.unheard and isinstance(error, _GONE) and time.monotonic() - started < _STALE_SECONDS
    else:
        if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES or 400 <= response.status < 600:
            return Answer(response)
        response.close()
        reason = "redirect" if response.status // 100 == 3 else "status"
    raise Failed(reason, stale=stale)


def _proxy(origin: str) -> URL | None:
    """What is plain http goes to this machine, by the rule for PROVIDER_BASE_URLS: no proxy has to see it."""
    return _parsed(settings.OUTBOUND_PROXY) if settings.OUTBOUND_PROXY and origin.startswith("https:") else None


_parsed = cache(URL)


def _reason(error: Exception) -> str:
    """By the kind of the exception alone: its text may hold anything."""
    if isinstance(error, (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError)):
        return "tls"
    if isinstance(error, (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError)):
        return "proxy"
    if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
        return "connect"
    return "timeout" if isinstance(error, TimeoutError) else "reset"
