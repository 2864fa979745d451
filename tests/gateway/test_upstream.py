"""Providers that speak HTTP badly, slowly, without end, or out of turn."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest
import requests

from gateway.connections import Connector
from gateway.models import RequestRecord
from organizations.access import Access
from organizations.models import ApiKey
from tests.gateway.conftest import Gateway, keep
from tests.gateway.wire import answer, endless, provider, request_from, saying
from tests.trust.net import Server, everywhere

GOOD: Final = b'{"choices": []}'
CHUNKED: Final = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n"


@dataclass(frozen=True)
class Stand:
    """A caller whose organization has one provider key, and its provider, which a test plays."""

    gateway: Gateway
    api_key: str
    settings: Any

    def post(self, **body: Any) -> requests.Response:
        return self.gateway.post(self.api_key, **body)

    @contextmanager
    def with_provider(self, server: Server) -> Iterator[Server]:
        self.settings.PROVIDER_BASE_URLS = everywhere(f"http://127.0.0.1:{server.port}")
        with server:
            yield server

    def in_a_hurry(self) -> None:
        """Give the provider little time."""
        self.settings.GATEWAY_FIRST_BYTE_TIMEOUT = 0.4


@pytest.fixture
def stand(gateway: Gateway, api_key: str, alice_access: Access, settings: Any) -> Stand:
    keep(alice_access)
    return Stand(gateway, api_key, settings)


def said(got: requests.Response) -> tuple[int, str]:
    return got.status_code, got.json()["error"]["code"]


ODD: Final = {
    "status 101": b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n" + answer(GOOD),
    "status 600": answer(b"{}", 600),
    "status 999": answer(b"{}", 999),
    "no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "two lengths": answer(GOOD, 200, "content-length: 2"),
    "a length and chunks": b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    "chunks and a length": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    "a length below zero": b"HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\n{}",
    "a NUL in a header": answer(GOOD, 200, "x-ratelimit-limit: a\0b"),
    "a line end in a header": answer(GOOD, 200, "x-ratelimit-limit: a\rset-cookie: b=c"),
}


@pytest.mark.parametrize("given", ODD.values(), ids=ODD)
def test_what_is_no_answer_is_called_none(stand: Stand, given: bytes) -> None:
    with stand.with_provider(saying(given)):
        assert said(stand.post()) == (502, "provider_unreachable")


@pytest.mark.parametrize("status", [200, 429, 500])
def test_headers_that_no_server_can_send_stay_behind(stand: Stand, status: int) -> None:
    odd = ("x-ratelimit-limit: a\x01b", "x-request-id: a\x7fb", "retry-after: \x1b[2J", "x-ratelimit-remaining: 5")
    with stand.with_provider(saying(answer(GOOD, status, *odd))):
        got = stand.post()
    assert (got.status_code, got.content) == (status, GOOD)
    assert got.headers["x-ratelimit-remaining"] == "5"
    assert {"x-ratelimit-limit", "retry-after", "x-byok-provider-request-id"}.isdisjoint(got.headers)


def test_a_caller_is_spared_most_of_a_flood_of_headers(stand: Stand) -> None:
    many = [f"x-ratelimit-{number}: {number}" for number in range(100)]
    with stand.with_provider(saying(answer(GOOD, 200, *many))):
        assert len(stand.post().headers) < 80


@pytest.mark.parametrize("after", ["nan", "inf", "-5", "soon", "Mon, 01 Jan 2024 00:00:00 +99999999999999999999"])
def test_any_retry_after_passes_and_breaks_nothing(stand: Stand, after: str) -> None:
    with stand.with_provider(saying(answer(GOOD, 429, f"retry-after: {after}"))):
        got = stand.post()
    assert (got.status_code, got.headers["retry-after"]) == (429, after)


# Time


ENDLESS: Final = {
    "100 Continue": (b"HTTP/1.1 100 Continue\r\n\r\n", b""),
    "a head byte by byte": (b"a", b"HTTP/1.1 200 OK\r\nx: "),
    "a head line by line": (b"x-a: b\r\n", b"HTTP/1.1 200 OK\r\n"),
}


@pytest.mark.parametrize(("piece", "start"), ENDLESS.values(), ids=ENDLESS)
def test_whoever_talks_without_answering_is_not_waited_for(stand: Stand, piece: bytes, start: bytes) -> None:
    stand.in_a_hurry()
    started = time.monotonic()
    with stand.with_provider(endless(piece, 0.05, start)):
        assert said(stand.post()) == (504, "provider_timeout")
    assert time.monotonic() - started < 2.4


def test_an_answer_that_stops_being_one_is_cut_at_once(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    """Not when its time is up, which is ten minutes. It is no error of the server's, and fills no log."""

    def talk(server: Server, connection: socket.socket) -> None:
        request_from(connection)
        connection.sendall(CHUNKED)
        server.wait(0.1)
        connection.sendall(b"this is no chunk\r\n")
        server.wait(5)

    started = time.monotonic()
    with stand.with_provider(provider(talk)), pytest.raises(requests.exceptions.ChunkedEncodingError):
        stand.post()
    assert time.monotonic() - started < 4
    stand.gateway.record()
    assert RequestRecord.objects.get().reason == "cut_reset"
    assert "uvicorn" not in caplog.text


UNENDING: Final = {
    "trailers": (b"x-trailer: a\r\n", CHUNKED + b"0\r\n"),
    "an extension of a chunk": (b"a", CHUNKED + b"2;"),
    "nothing more": (b"", CHUNKED),
}


@pytest.mark.parametrize(("piece", "start"), UNENDING.values(), ids=UNENDING)
def test_an_answer_that_stays_without_its_end_is_cut(stand: Stand, piece: bytes, start: bytes) -> None:
    stand.in_a_hurry()
    with stand.with_provider(endless(piece, 0.05, start)), pytest.raises(requests.exceptions.ChunkedEncodingError):
        stand.post()
    stand.gateway.record()
    assert RequestRecord.objects.get().reason == "cut_timeout"


def test_an_error_that_drips_is_told_without_its_body(stand: Stand) -> None:
    stand.in_a_hurry()
    start = b"HTTP/1.1 429 Slow\r\ncontent-length: 1000\r\nretry-after: 7\r\n\r\n"
    with stand.with_provider(endless(b"a", 0.05, start)):
        got = stand.post()
    assert (*said(got), got.headers["retry-after"]) == (429, "provider_error", "7")


def test_a_provider_that_does_not_take_the_question_is_not_waited_for(stand: Stand) -> None:
    stand.in_a_hurry()

    def deaf(server: Server, _: socket.socket) -> None:
        server.wait(10)

    with stand.with_provider(provider(deaf)):
        assert said(stand.post(padding="x" * 9_000_000)) == (504, "provider_timeout")


# Connections that are kept


@pytest.mark.parametrize(
    "unasked",
    [
        answer(b'{"of": "another"}'),
        b"HTTP/1.1 408 Request Time-out\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    ],
    ids=["a second answer", "a time-out"],
)
def test_what_nobody_asked_for_is_nobodys_answer(stand: Stand, charlie_access: Access, unasked: bytes) -> None:
    """On a connection that two organizations use one after the other."""
    keep(charlie_access)
    came = threading.Event()

    def talk(server: Server, connection: socket.socket) -> None:
        request_from(connection)
        connection.sendall(answer(GOOD))
        if server.connections == 1:
            came.wait(0.05)
            connection.sendall(unasked)
            came.set()
            request_from(connection)

    with stand.with_provider(provider(talk)) as server:
        assert stand.post().content == GOOD
        assert came.wait(5)
        got = stand.gateway.post(ApiKey.issue(charlie_access, "hers")[1])
        assert (got.status_code, got.content) == (200, GOOD)
        assert server.connections == 2


def closing(connection: socket.socket) -> None:
    """Hang up with a reset, as a server does that has forgotten the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_a_connection_that_was_gone_costs_no_request(stand: Stand) -> None:
    """The provider closes what is idle in the moment in which it is used again."""

    def talk(server: Server, connection: socket.socket) -> None:
        request_from(connection)
        connection.sendall(answer(GOOD))
        if server.connections == 1 and connection.recv(1):
            closing(connection)

    with stand.with_provider(provider(talk)) as server:
        answers = [stand.post() for _ in range(2)]
        assert [(got.status_code, got.headers["x-byok-attempts"]) for got in answers] == [(200, "1")] * 2
        assert server.connections == 2


def test_one_connection_that_was_gone_costs_none_of_the_others(stand: Stand) -> None:
    """Two are kept; whichever is used again first is gone, and the other one still serves."""
    both, gone, closed = threading.Barrier(2), threading.Event(), threading.Event()

    def talk(_: Server, connection: socket.socket) -> None:
        request_from(connection)
        if not gone.is_set():
            both.wait(5)
        connection.sendall(answer(GOOD))
        while connection.recv(1, socket.MSG_PEEK):
            if not gone.is_set():
                gone.set()
                closing(connection)
                return
            request_from(connection)
            connection.sendall(answer(GOOD))
        closed.set()

    with stand.with_provider(provider(talk)) as server, ThreadPoolExecutor(2) as callers:
        list(callers.map(lambda _: stand.post(), range(2)))
        assert [stand.post().status_code for _ in range(3)] == [200] * 3
        assert server.connections == 3
        assert not closed.wait(0.1)
        stand.gateway.reopen()


def test_a_new_connection_that_is_cut_is_not_tried_again(stand: Stand) -> None:
    """It may have been served; so may one that was kept, unless it was gone at once."""

    def talk(_: Server, connection: socket.socket) -> None:
        request_from(connection)
        closing(connection)

    with stand.with_provider(provider(talk)) as server:
        assert said(stand.post()) == (502, "provider_unreachable")
        assert server.connections == 1


def test_a_kept_connection_that_fails_later_is_not_tried_again(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.upstream._STALE_SECONDS", 0.1)

    def talk(server: Server, connection: socket.socket) -> None:
        request_from(connection)
        connection.sendall(answer(GOOD))
        request_from(connection)
        server.wait(0.2)
        closing(connection)

    with stand.with_provider(provider(talk)) as server:
        assert stand.post().status_code == 200
        assert said(stand.post()) == (502, "provider_unreachable")
        assert server.connections == 1


def test_a_kept_connection_on_which_an_answer_began_is_not_tried_again(stand: Stand) -> None:
    """Half a head is a word of the provider: it has the request, and may be serving it."""

    def talk(_: Server, connection: socket.socket) -> None:
        request_from(connection)
        connection.sendall(answer(GOOD))
        request_from(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nx-ratelimit-limit: 5")

    with stand.with_provider(provider(talk)) as server:
        assert stand.post().status_code == 200
        assert said(stand.post()) == (502, "provider_unreachable")
        assert server.connections == 1


def test_a_request_goes_out_again_once_and_no_more(stand: Stand) -> None:
    def talk(server: Server, connection: socket.socket) -> None:
        request_from(connection)
        if server.connections == 1:
            connection.sendall(answer(GOOD))
            request_from(connection)
        closing(connection)

    with stand.with_provider(provider(talk)) as server:
        assert stand.post().status_code == 200
        got = stand.post()
        assert (*said(got), got.headers["x-byok-attempts"]) == (502, "provider_unreachable", "1")
        assert server.connections == 2


def test_whoever_waits_for_a_new_connection_keeps_no_other_from_anybody(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two are kept. One is gone, and while its request waits for a new one, the other serves the next caller."""
    both, gone, waiting, go = threading.Barrier(2), threading.Event(), threading.Event(), threading.Event()
    honest = Connector._create_connection

    def talk(server: Server, connection: socket.socket) -> None:
        request_from(connection)
        if server.connections <= 2 and not gone.is_set():
            both.wait(20)
        connection.sendall(answer(GOOD))
        while connection.recv(1, socket.MSG_PEEK):
            if not gone.is_set():
                gone.set()
                closing(connection)
                return
            request_from(connection)
            connection.sendall(answer(GOOD))

    async def slow(self: Connector, *arguments: Any) -> Any:
        waiting.set()
        await asyncio.to_thread(go.wait, 20)
        return await honest(self, *arguments)

    with stand.with_provider(provider(talk)) as server, ThreadPoolExecutor(2) as callers:
        list(callers.map(lambda _: stand.post(), range(2)))
        monkeypatch.setattr(Connector, "_create_connection", slow)
        unlucky = callers.submit(stand.post)
        assert waiting.wait(20)
        try:
            assert stand.post().status_code == 200
            assert server.connections == 2
        finally:
            go.set()
        assert unlucky.result().status_code == 200
        assert server.connections == 3
        stand.gateway.reopen()
