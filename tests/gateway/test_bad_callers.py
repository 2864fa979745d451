"""Callers without manners: odd, smuggled, endless and half requests, and those who leave in the midst of one."""

import re
import socket
from typing import Final
from urllib.parse import urlsplit

import pytest

from gateway.models import RequestRecord
from organizations.access import Access
from tests.fakeproviders.fixtures import CheckedProviders
from tests.gateway.conftest import Gateway, keep
from tests.gateway.wire import BODY, exchange, request
from tests.processes import eventually

LENGTH: Final = f"content-length: {len(BODY)}"
CHUNKS: Final = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
IN_CHUNKS: Final = "transfer-encoding: chunked"
OLD: Final = "POST /v1/chat/completions HTTP/1.0"


def statuses(said: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", said)]


@pytest.fixture
def key(api_key: str, alice_access: Access) -> str:
    """The API key of an organization that has a provider key."""
    keep(alice_access)
    return api_key


def test_what_is_unusual_and_allowed(gateway: Gateway, providers: CheckedProviders, key: str) -> None:
    whole = request(key, LENGTH)
    unclosed = whole.replace(b"connection: close\r\n", b"")
    asked = {
        "HTTP/1.0": (request(key, LENGTH, first=OLD), [200]),
        "in chunks": (request(key, IN_CHUNKS, body=CHUNKS), [200]),
        "pipelined": (unclosed * 2 + whole, [200] * 3),
        "with an expectation": (request(key, LENGTH, "expect: 100-continue"), [100, 200]),
        "with a whole address": (
            request(key, LENGTH, first="POST http://evil.example/v1/chat/completions HTTP/1.1"),
            [200],
        ),
        "with bytes beyond ASCII": (request(key, LENGTH, "tracestate: \u00e9\u2603"), [200]),
    }
    for name, (sent, expected) in asked.items():
        assert statuses(exchange(gateway, sent)) == expected, name
    bodies = {received.body for received in providers.requests(name="openai")}
    assert bodies == {BODY.replace(b"openai/gpt-4o", b"gpt-4o")}


SMUGGLED: Final = {
    "chunks and a length": request("", IN_CHUNKS, "content-length: 5", body=CHUNKS),
    "a length and chunks": request("", "content-length: 5", IN_CHUNKS, body=CHUNKS),
    "an unknown coding": request("", "transfer-encoding: xchunked", LENGTH),
    "chunks that are not last": request("", "transfer-encoding: chunked, identity", body=CHUNKS),
    "a blank before the colon": request("", "transfer-encoding : chunked", body=CHUNKS),
    "two lengths": request("", "content-length: 5", LENGTH),
    "a signed length": request("", "content-length: +68"),
    "bare line feeds": request("", LENGTH).replace(b"\r\n", b"\n"),
    "a folded line": request("", "tracestate: a\r\n b", LENGTH),
    "a NUL": request("", "tracestate: a\0b", LENGTH),
    "a control character": request("", "tracestate: a\x01b", LENGTH),
    "a tunnel": request("", first="CONNECT evil.example:443 HTTP/1.1", body=b""),
}


def test_what_two_servers_could_read_in_two_ways_is_refused(
    gateway: Gateway, providers: CheckedProviders, key: str
) -> None:
    for name, sent in SMUGGLED.items():
        with_key = sent.replace(b"x-api-key: ", b"x-api-key: " + key.encode())
        behind_it = request(key, LENGTH)
        said = exchange(gateway, with_key + behind_it)
        assert statuses(said) == [400], name
        assert key.encode() not in said
    assert not providers.requests()


def test_what_follows_a_body_is_no_header(gateway: Gateway, key: str) -> None:
    """A key, or a version, that nobody who looked at the head has seen."""
    trailers = CHUNKS[:-2] + b"x-api-key: " + key.encode() + b"\r\n\r\n"
    assert statuses(exchange(gateway, request("", IN_CHUNKS, body=trailers))) == [401]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_other_methods_reach_nobody(gateway: Gateway, providers: CheckedProviders, key: str, method: str) -> None:
    said = exchange(gateway, request(key, first=f"{method} /v1/chat/completions HTTP/1.1", body=b""))
    assert statuses(said) == [405]
    assert not providers.requests()


class Half:
    """A request that is sent piece by piece, and never ends unless it is told to."""

    def __init__(self, gateway: Gateway, start: bytes) -> None:
        parts = urlsplit(gateway.url)
        self.socket = socket.create_connection((parts.hostname, parts.port), 10)
        self.socket.sendall(start)

    def is_hung_up(self) -> bool:
        """Whether the other end wants no more of it; waits for that."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass
        except TimeoutError:
            return False
        return True

    def flood(self, piece: bytes, most: int) -> int:
        """Send ``piece`` until nobody takes it any more: how many bytes were taken."""
        sent = 0
        try:
            while sent < most:
                self.socket.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        return sent


ENDLESS_HEADS: Final = {
    "headers": (b"GET /healthz HTTP/1.1\r\n", b"x-flood: " + b"a" * 1000 + b"\r\n"),
    "one header": (b"GET /healthz HTTP/1.1\r\nx-flood: ", b"a" * 1000),
    "an address": (b"GET /", b"a" * 1000),
    "trailers": (
        b"POST /healthz HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
        b"x-flood: " + b"a" * 1000 + b"\r\n",
    ),
    "one trailer": (b"POST /healthz HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-flood: ", b"a" * 1000),
}


@pytest.mark.parametrize(("start", "piece"), ENDLESS_HEADS.values(), ids=ENDLESS_HEADS)
def test_a_stranger_cannot_fill_the_memory(gateway: Gateway, start: bytes, piece: bytes) -> None:
    most = 64 * 1024 * 1024
    assert Half(gateway, start).flood(piece, most) < most


@pytest.mark.parametrize("start", [b"", b"GET /hea", b"GET /healthz HTTP/1.1\r\nhost: loc"])
def test_a_stranger_cannot_keep_a_connection_waiting(
    gateway: Gateway, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("byok_site.protocol.HEAD_SECONDS", 0.2)
    assert Half(gateway, start).is_hung_up()


def test_a_caller_who_takes_nothing_is_given_up(
    gateway: Gateway, providers: CheckedProviders, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would hold two connections and what is on its way, for as long as it likes."""
    monkeypatch.setattr("byok_site.protocol.TAKE_SECONDS", 0.5)
    body = BODY.replace(b"gpt-4o", b"gpt-4o-size20000")
    half = Half(gateway, request(key, f"content-length: {len(body)}", body=body))
    record = eventually(lambda: recorded(gateway), 10)
    half.socket.close()
    assert record
    assert (record.status, record.reason) == (200, "caller_left")


def recorded(gateway: Gateway) -> RequestRecord | None:
    gateway.record()
    return RequestRecord.objects.first()


def test_a_caller_who_leaves_in_the_midst_of_a_body(gateway: Gateway, providers: CheckedProviders, key: str) -> None:
    half = Half(gateway, request(key, f"content-length: {len(BODY) + 10}"))
    half.socket.close()
    record = eventually(lambda: recorded(gateway), 5)
    assert record
    assert (record.status, record.reason, record.attempts) == (0, "caller_left", [])
    assert not providers.requests()
