"""How an answer goes out to a caller."""

from collections.abc import Sequence

from asgiref.typing import ASGISendCallable

from gateway import headers
from gateway.exchange import Exchange
from gateway.headers import Pairs


async def begin(exchange: Exchange, status: int, pairs: Pairs, send: ASGISendCallable) -> None:
    """The head, with our own headers behind ``pairs``."""
    exchange.status, exchange.begun = status, True
    sent = [*pairs, *headers.of(exchange)]
    await send({"type": "http.response.start", "status": status, "headers": sent, "trailers": False})


async def go_on(chunk: bytes, send: ASGISendCallable) -> None:
    """A piece of the body. A caller who reads slowly is waited for."""
    await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def end(send: ASGISendCallable, chunk: bytes = b"") -> None:
    """The last piece. Without it the server hangs up, and the caller sees that something is missing."""
    await send({"type": "http.response.body", "body": chunk, "more_body": False})


async def say(
    exchange: Exchange, status: int, body: bytes, send: ASGISendCallable, more: Sequence[tuple[bytes, bytes]] = ()
) -> None:
    """A whole answer of our own: JSON."""
    described = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *more]
    await begin(exchange, status, described, send)
    await end(send, body)
