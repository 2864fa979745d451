"""What the hostile scenarios put on the wire, byte by byte where it matters."""

import json
import time
import zlib

import pytest

from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders.hostile.floods import BIG_BYTES, BOMB_MIB, bomb
from tests.fakeproviders_tests.raw import ask, connected, exchange, headers, parse, read_all, request_bytes

PROVIDERS = pytest.mark.parametrize("provider", samples.KEYED)
TICK = 1.0


def url_and_headers(providers: CheckedProviders, provider: str, scenario: str) -> tuple[str, dict[str, str]]:
    return providers.base_urls[provider], headers(provider, samples.key(provider, scenario))


@PROVIDERS
def test_hang_takes_the_request_and_says_nothing(provider: str, providers: CheckedProviders) -> None:
    url, sent = url_and_headers(providers, provider, "hang")
    with connected(url) as connection:
        connection.sendall(request_bytes(sent))
        providers.wait_for(samples.key(provider, "hang"))
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    assert providers.wait_for(samples.key(provider, "hang"), outcome="left")


@pytest.mark.long
def test_drips_send_a_byte_a_second(providers: CheckedProviders) -> None:
    with (
        connected(providers.base_urls["openai"]) as at_headers,
        connected(providers.base_urls["openai"]) as at_body,
    ):
        at_headers.sendall(request_bytes(headers("openai", samples.key("openai", "dripheaders"))))
        at_body.sendall(request_bytes(headers("openai", samples.key("openai", "dripbody"))))
        started = time.monotonic()
        first = [at_headers.recv(100) for _ in range(3)]
        took = time.monotonic() - started
        head, _, body = at_body.recv(65536).partition(b"\r\n\r\n")
    assert b"".join(first) == b"HTT"
    assert 1.5 * TICK < took < 4 * TICK
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert len(body) <= 4


def test_late_answers_are_good_and_late(providers: CheckedProviders) -> None:
    url, sent = url_and_headers(providers, "openai", "slow1")
    started = time.monotonic()
    assert ask(url, sent).document["object"] == "list"
    assert time.monotonic() - started > 0.9


@PROVIDERS
@pytest.mark.parametrize("code", [200, 401, 403, 404, 502])
def test_pages_of_machines_on_the_way(provider: str, code: int, providers: CheckedProviders) -> None:
    answer = ask(*url_and_headers(providers, provider, f"html{code}"))
    assert answer.status == code
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.body.startswith(b"<!doctype html>")


@PROVIDERS
@pytest.mark.parametrize("code", [204, 302, 405, 418, 429, 599])
def test_any_status_can_be_had(provider: str, code: int, providers: CheckedProviders) -> None:
    assert ask(*url_and_headers(providers, provider, f"status{code}")).status == code


@PROVIDERS
def test_200_is_no_proof(provider: str, providers: CheckedProviders) -> None:
    answers = {
        name: ask(*url_and_headers(providers, provider, name))
        for name in ("empty", "text", "notjson", "wrongjson", "wrongtype", "array", "errorinside", "truncated")
    }
    assert {answer.status for answer in answers.values()} == {200}
    kinds = {name: answer.headers["content-type"] for name, answer in answers.items()}
    assert kinds.pop("text") == "text/plain"
    assert set(kinds.values()) == {"application/json"}
    assert answers["empty"].body == b""
    assert answers["text"].document
    assert not isinstance(answers["wrongtype"].document["data"], list)
    assert isinstance(answers["array"].document, list)
    assert "error" in answers["errorinside"].document
    for name in ("notjson", "truncated"):
        with pytest.raises(json.JSONDecodeError):
            json.loads(answers[name].body)


def test_json_that_breaks_parsers(providers: CheckedProviders) -> None:
    bodies = {
        name: ask(*url_and_headers(providers, "openai", name)).body for name in ("badutf8", "deepjson", "hugenumber")
    }
    with pytest.raises(UnicodeDecodeError):
        json.loads(bodies["badutf8"])
    with pytest.raises(RecursionError):
        json.loads(bodies["deepjson"])
    with pytest.raises(ValueError, match="digits"):
        json.loads(bodies["hugenumber"])


def test_the_bomb_is_small_on_the_wire_and_huge_unpacked(providers: CheckedProviders) -> None:
    answer = parse(exchange(*url_and_headers(providers, "openai", "gzipbomb")))
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) < 512 * 1024
    # Unpacked step by step into nothing: the size is what counts.
    unpacker, size, rest = zlib.decompressobj(16 + zlib.MAX_WBITS), 0, answer.body
    while rest and not unpacker.eof:
        size += len(unpacker.decompress(rest, 1 << 20))
        rest = unpacker.unconsumed_tail
    assert size >= 300 * 1024 * 1024
    assert size == BOMB_MIB * 1024 * 1024


def test_the_bomb_is_made_as_it_is_sent() -> None:
    pieces = bomb()
    assert len(next(pieces)) + len(next(pieces)) < 4096


def test_the_big_body_is_whole(providers: CheckedProviders) -> None:
    answer = ask(*url_and_headers(providers, "openai", "big"))
    assert len(answer.body) == int(answer.headers["content-length"]) == BIG_BYTES
    assert list(answer.document) == ["padding"]


@pytest.mark.parametrize(
    ("scenario", "start", "repeated"),
    [
        ("endless", b"HTTP/1.1 200 OK", b"4000\r\n"),
        ("trailers", b"HTTP/1.1 200 OK", b"\r\nx-trailer: "),
        ("headerflood", b"HTTP/1.1 200 OK", b"\r\nx-flood: "),
        ("longheader", b"HTTP/1.1 200 OK\r\nx-long: ", b"aaaaaaaa"),
        ("continues", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_streams_without_end(scenario: str, start: bytes, repeated: bytes, providers: CheckedProviders) -> None:
    url, sent = url_and_headers(providers, "anthropic", scenario)
    with connected(url) as connection:
        connection.sendall(request_bytes(sent))
        data = read_all(connection, limit=4096)
        more = read_all(connection, limit=4096)
    assert data.startswith(start)
    assert repeated in data
    assert repeated in more
    assert scenario != "headerflood" or b"\r\n\r\n" not in data + more
    # The fakes stop when the client leaves: no flood outlives its test.
    assert providers.wait_for(samples.key("anthropic", scenario), outcome="left")


@PROVIDERS
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_lead_to_the_same_host_another_and_loopback(
    provider: str, code: int, providers: CheckedProviders
) -> None:
    locations = {}
    for kind in ("", "other", "loop"):
        url = providers.base_urls[provider]
        answer = ask(url, headers(provider, samples.fresh_key(provider, f"redirect{code}{kind}")))
        assert answer.status == code
        locations[kind] = answer.headers["location"]
    others = {origin for name, origin in providers.base_urls.items() if name != provider}
    assert locations[""].startswith("/redirected/")
    assert any(locations["other"].startswith(f"{origin}/redirected/") for origin in others)
    assert locations["loop"].startswith(f"{providers.trap_url}/redirected/")


def test_a_reset_comes_before_any_answer(providers: CheckedProviders) -> None:
    url, sent = url_and_headers(providers, "openai", "reset")
    with connected(url) as connection:
        connection.sendall(request_bytes(sent))
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_reset_in_mid_body_comes_after_a_part_of_it(providers: CheckedProviders) -> None:
    url, sent = url_and_headers(providers, "openai", "resetbody")
    with connected(url) as connection:
        connection.sendall(request_bytes(sent))
        answer = parse(connection.recv(65536))
        assert 0 < len(answer.body) < int(answer.headers["content-length"])
        with pytest.raises(ConnectionResetError):
            read_all(connection)


@pytest.mark.parametrize("scenario", ["close", "cutbody"])
def test_early_ends_are_ends(scenario: str, providers: CheckedProviders) -> None:
    data = exchange(*url_and_headers(providers, "openai", scenario))
    if scenario == "close":
        assert data == b""
    else:
        answer = parse(data)
        assert len(answer.body) < int(answer.headers["content-length"])


@pytest.mark.parametrize("scenario", ["badstatus", "badlength", "badchunk", "echo500"])
def test_broken_answers_quote_the_key(scenario: str, providers: CheckedProviders) -> None:
    key = samples.fresh_key("openai", scenario)
    data = exchange(providers.base_urls["openai"], {**headers("openai", key), "connection": "close"})
    assert key.encode() in data


def test_what_is_called_gzip_is_none(providers: CheckedProviders) -> None:
    answer = ask(*url_and_headers(providers, "openai", "badgzip"))
    assert answer.headers["content-encoding"] == "gzip"
    with pytest.raises(zlib.error):
        zlib.decompress(answer.body, 16 + zlib.MAX_WBITS)


def test_places_without_a_stand_in_can_be_hostile_too(providers: CheckedProviders) -> None:
    providers.expect_violations("unknown_route")
    sent = {"host": "fake.openai.azure.com", "authorization": "Bearer fake-key-html502"}
    assert ask(providers.base_urls["azure"], sent).status == 502
    assert ask(providers.base_urls["azure"], {**sent, "authorization": "Bearer fake"}).status == 404
