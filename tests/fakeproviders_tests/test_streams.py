"""Answers at the pace that the model's id asks for, callers that leave in the middle, and streams that go wrong."""

import asyncio
import itertools
import json
import socket
import time

import pytest

from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders_tests import raw
from tests.fakeproviders_tests.inference import CHAT, ROUTES, SAID, Asking, dechunked, ended, events, key, text
from tests.fakeproviders_tests.raw import connected, read_all

EVERYONE = pytest.mark.parametrize("provider", ROUTES)
AT_ONCE = 200


@pytest.fixture
def ask(providers: CheckedProviders) -> Asking:
    return Asking(providers)


def read_until(connection: socket.socket, end: bytes) -> bytes:
    data = bytearray()
    while not data.endswith(end):
        piece = connection.recv(65536)
        assert piece
        data += piece
    return bytes(data)


class TestManner:
    @EVERYONE
    def test_as_many_events_as_asked_each_with_its_number(self, provider: str, ask: Asking) -> None:
        told = text(provider, ask(provider, ending="-every0x40", stream=True).body)
        first, *numbers = told.rsplit(" ", 39)
        assert first.endswith(SAID)
        assert numbers == [str(number) for number in range(2, 41)]

    def test_a_burst_is_whole(self, ask: Asking) -> None:
        body = ask("openai", ending="-every0x5000", stream=True).body
        assert text("openai", body).endswith(" 5000")

    def test_each_event_goes_out_when_it_is_due(self, ask: Asking) -> None:
        url, sent = ask.opened("openai", key("openai"), ending="-every30x5", stream=True)
        with connected(url) as connection:
            connection.sendall(sent)
            arrivals = []
            for number in (" 2", " 3", " 4", " 5"):
                data = bytearray()
                while f'"content":"{number}"'.encode() not in data:
                    data += connection.recv(65536)
                arrivals.append(time.monotonic())
        gaps = [after - before for before, after in itertools.pairwise(arrivals)]
        # One that was kept back arrives together with the next. A busy machine may be late, which shortens the next gap.
        assert sum(gaps) > 0.06
        assert sum(gap > 0.01 for gap in gaps) >= 2

    def test_small_pieces_do_not_wait_for_each_other(self, ask: Asking) -> None:
        url, sent = ask.opened("openai", key("openai"), stream=True)
        took = []
        with connected(url) as connection:
            for _ in range(8):
                started = time.monotonic()
                connection.sendall(sent)
                read_until(connection, b"\r\n0\r\n\r\n")
                took.append(time.monotonic() - started)
        # Collected until they are worth a packet, all but a connection's first answer come 40 ms later.
        assert min(took[1:]) < 0.03

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("provider", ["openai", "anthropic"])
    def test_as_large_as_asked(self, provider: str, stream: bool, ask: Asking) -> None:
        answer = ask(provider, ending="-size64", stream=stream)
        told = text(provider, answer.body) if stream else str(answer.document)
        assert SAID in told
        assert 64 * 1024 <= len(told.encode()) < 65 * 1024

    @pytest.mark.parametrize("stream", [False, True])
    def test_late_when_asked(self, stream: bool, ask: Asking) -> None:
        started = time.monotonic()
        assert ask("openai", ending="-size1-after60", stream=stream).status == 200
        assert time.monotonic() - started > 0.06

    def test_a_connection_serves_another_request_after_a_stream(self, ask: Asking) -> None:
        credential = key("openai")
        url, sent = ask.opened("openai", credential, stream=True)
        with connected(url) as connection:
            for _ in range(2):
                connection.sendall(sent)
                assert read_until(connection, b"0\r\n\r\n").count(b"[DONE]") == 1
        rows = ask.providers.wait_for(credential, count=2, outcome="answered")
        assert [row.nth_on_connection for row in rows] == [1, 2]

    def test_hundreds_of_paced_streams_at_once_lose_nothing(self, ask: Asking) -> None:
        _, sent = ask.opened("openai", key("openai"), ending="-every50x4", stream=True)

        async def one() -> bytes:
            reader, writer = await asyncio.open_connection(*ask.address("openai"))
            writer.write(sent)
            data = await reader.readuntil(b"\r\n0\r\n\r\n")
            writer.close()
            return data

        async def all_of_them() -> list[bytes]:
            return await asyncio.gather(*(one() for _ in range(AT_ONCE)))

        started = time.monotonic()
        answers = asyncio.run(all_of_them())
        assert time.monotonic() - started < 10
        assert {text("openai", dechunked(answer.partition(b"\r\n\r\n")[2])) for answer in answers} == {
            f"You said: {SAID} 2 3 4"
        }
        assert ask.providers.total("openai") == AT_ONCE


@pytest.mark.parametrize(("ending", "stream"), [("-every60000x2", True), ("-after60000", True), ("-after60000", False)])
def test_a_caller_that_leaves_is_noticed_at_once(ending: str, stream: bool, ask: Asking) -> None:
    credential = key("openai")
    url, sent = ask.opened("openai", credential, ending=ending, stream=stream)
    with connected(url) as connection:
        connection.sendall(sent)
        ask.providers.wait_for(credential)
        if not ending.startswith("-after"):
            connection.recv(65536)
    left = time.monotonic()
    ask.providers.wait_for(credential, outcome="left")
    assert time.monotonic() - left < 1


class TestFaults:
    """What is said of each in ``hostile/streams.py``, as it goes over the wire."""

    @pytest.mark.parametrize("provider", ["openai", "anthropic", "google_vertex_ai"])
    @pytest.mark.parametrize("scenario", samples.STREAM_FAULTS)
    def test_three_events_are_good_and_the_stream_is_not(self, scenario: str, provider: str, ask: Asking) -> None:
        credential = key(provider, scenario)
        url, sent = ask.opened(provider, credential, stream=True)
        good = ask(provider, stream=True).body.split(b"\n\n")
        with connected(url) as connection:
            connection.sendall(sent)
            data = self._read(connection, patient=scenario != "hangstream")
        assert data.startswith(b"HTTP/1.1 200 OK\r\n")
        body = dechunked(data.partition(b"\r\n\r\n")[2])
        got = body.split(b"\n\n")
        assert len(got) > 3
        assert [event[:20] for event in got[:3]] == [event[:20] for event in good[:3]]
        ends_well = {"endstream", "errorinstream", "echoinstream", "badstream"}
        assert ended(data) is (scenario in ends_well)
        assert (b"error" in body) is (scenario in {"errorinstream", "echoinstream"})
        assert (credential.encode() in body) is (scenario == "echoinstream")
        assert (b"\xff" in body) is (scenario == "badstream")
        if scenario != "badstream":
            assert not body.endswith((good[-2] + b"\n\n", b"[DONE]\n\n"))

    @staticmethod
    def _read(connection: socket.socket, *, patient: bool) -> bytes:
        data = bytearray()
        try:
            while patient or data.count(b"\n\n") < 3:
                piece = connection.recv(65536)
                if not piece:
                    break
                data += piece
        except ConnectionResetError:
            pass
        return bytes(data)

    @pytest.mark.parametrize("scenario", samples.STREAM_FAULTS)
    def test_what_is_not_streamed_and_every_check_is_good(self, scenario: str, ask: Asking) -> None:
        credential = key("openai", scenario)
        assert SAID in str(ask("openai", credential).document)
        assert raw.ask(ask.providers.base_urls["openai"], raw.headers("openai", credential)).status == 200

    @pytest.mark.parametrize("then", ["good", "cutstream", "errorinstream"])
    def test_a_gate_in_mid_stream_goes_on_as_the_test_says(self, then: str, ask: Asking) -> None:
        credential = key("openai", "gatestream")
        url, sent = ask.opened("openai", credential, ending="-every0x9", stream=True)
        with connected(url) as connection:
            connection.sendall(sent)
            begun = read_until(connection, b"\n\n\r\n")
            while begun.count(b"data: ") < 3:
                begun += read_until(connection, b"\n\n\r\n")
            connection.settimeout(0.05)
            with pytest.raises(TimeoutError):
                connection.recv(1)
            connection.settimeout(5)
            ask.providers.release(credential, then)
            rest = read_all(connection)
        assert begun.count(b"data: ") == 3
        assert (b" 9" in rest, b"server_error" in rest) == (then == "good", then == "errorinstream")

    def test_a_caller_that_leaves_at_the_gate_is_noticed(self, ask: Asking) -> None:
        credential = key("anthropic", "gatestream")
        url, sent = ask.opened("anthropic", credential, stream=True)
        with connected(url) as connection:
            connection.sendall(sent)
            read_until(connection, b"\n\n\r\n")
        assert ask.providers.wait_for(credential, outcome="left")

    @pytest.mark.parametrize("scenario", ["reset", "close", "html502", "status418", "empty", "slow0", "echo500"])
    def test_what_any_provider_may_do_happens_to_streams_too(self, scenario: str, ask: Asking) -> None:
        url, sent = ask.opened("openai", key("openai", scenario), stream=True)
        with connected(url) as connection:
            connection.sendall(sent)
            data = self._read(connection, patient=True)
        statuses = {"html502": b"502", "status418": b"418", "empty": b"200", "slow0": b"200", "echo500": b"500"}
        assert data[9:12] == statuses.get(scenario, b"")
        assert (b"[DONE]" in data) is (scenario == "slow0")


def test_redirects_are_answered_to_inference_as_well(providers: CheckedProviders) -> None:
    url, sent = Asking(providers).opened("openai", key("openai", "redirect307other"))
    with connected(url) as connection:
        connection.sendall(sent)
        assert raw.parse(read_all(connection)).status == 307


def test_the_error_in_mid_stream_is_one_that_sdks_know(ask: Asking) -> None:
    told = {provider: events(ask(provider, key(provider, "errorinstream"), stream=True).body)[-1] for provider in CHAT}
    assert {provider for provider, event in told.items() if "error" not in event} == {"mistral"}
    claude = ask("anthropic", key("anthropic", "errorinstream"), stream=True).body.split(b"\n\n")[-2]
    assert claude.startswith(b"event: error\ndata: {")
    assert json.loads(claude.split(b"data: ")[1])["error"]["type"] == "overloaded_error"
