"""The gateway's way out: one pooled client per process, to the hosts that providers declare and nowhere else.

No redirects, no cookies, no environment proxies, no decompression, TLS verified. No exception of the HTTP library leaves
this module: it would carry the request, and so the key.
"""

import ssl
from collections.abc import Mapping
from functools import cache
from typing import Final

import aiohttp
import certifi
from django.conf import settings
from multidict import CIMultiDictProxy
from yarl import URL

from providerkeys.providers.base import Endpoint

CONNECT_SECONDS: Final = 5
_IDLE_SECONDS: Final = 15
_CHUNK: Final = 64 * 1024

_session: aiohttp.ClientSession | None = None


class Failed(Exception):
    """No answer, or no more of it. ``reason`` is a code: ``connect``, ``tls``, ``timeout``, ``reset`` or ``redirect``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


async def open_client() -> None:
    """Make the client. The TLS context alone costs 15 ms: once per process."""
    global _session  # noqa: PLW0603 -- one client of this process.
    context = ssl.create_default_context(cafile=settings.OUTBOUND_CA_FILE or certifi.where())
    _session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=context, keepalive_timeout=_IDLE_SECONDS, ttl_dns_cache=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        read_bufsize=_CHUNK,
    )


async def close_client() -> None:
    if _session:
        await _session.close()


class Answer:
    """A provider's answer whose headers are there and whose body is to come."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        return self._response.headers

    async def chunk(self) -> bytes:
        """What has come next of the body, nothing held back; empty at its end. Raises ``Failed``."""
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            reason = _reason(error)
        raise Failed(reason)

    @property
    def ended(self) -> bool:
        """Whether all of the body has been read."""
        return self._response.content.at_eof()

    async def read(self, most: int) -> bytes | None:
        """The whole body, or ``None`` when it is larger than ``most`` bytes. Raises ``Failed``."""
        body = bytearray()
        while not self.ended:
            body += await self.chunk()
            if len(body) > most:
                return None
        return bytes(body)

    def close(self) -> None:
        """Hang up, unless the whole answer has been read."""
        self._response.close()


async def send(endpoint: Endpoint, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
    """Send a request (GET without a ``body``) and wait for the head of its answer. Raises ``Failed``."""
    assert _session  # noqa: S101 -- the lifespan has opened it.
    url = URL(endpoint.origin + path, encoded=True)
    method = "GET" if body is None else "POST"
    try:
        response = await _session.request(
            method,
            url,
            data=body,
            headers={**headers, "Host": endpoint.host},
            allow_redirects=False,
            proxy=settings.OUTBOUND_PROXY or None,
            timeout=_limits(settings.GATEWAY_FIRST_BYTE_TIMEOUT),
        )
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        reason = _reason(error)
    else:
        if response.status // 100 != 3:
            return Answer(response)
        response.close()
        reason = "redirect"
    raise Failed(reason)


@cache
def _limits(silence: int) -> aiohttp.ClientTimeout:
    """Five seconds to connect, and ``silence`` seconds for the next byte, the first one too; none in all."""
    return aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_read=silence)


def _reason(error: Exception) -> str:
    """By the kind of the exception alone: its text may hold anything."""
    if isinstance(error, (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError)):
        return "tls"
    if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
        return "connect"
    return "timeout" if isinstance(error, TimeoutError) else "reset"
