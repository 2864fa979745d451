"""Events instead of sleeps: arrivals, gates, outages, and a reset that forgets."""

import hashlib
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from tests.fakeproviders import samples
from tests.fakeproviders.client import FakeProviders
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders_tests.raw import ask, connected, headers, request_bytes


def get(providers: FakeProviders, key: str, provider: str = "openai") -> int:
    return ask(providers.base_urls[provider], headers(provider, key)).status


def test_a_request_is_written_down_in_full(providers: CheckedProviders) -> None:
    providers.expect_violations("unknown_route")
    key, body = samples.fresh_key("openai", "good"), b'{"model": "gpt-4o"}'
    ask(providers.base_urls["openai"], headers("openai", key), "/v1/chat%20x?a=1&b=", "POST", body)
    (row,) = providers.requests(credential=key)
    assert (row.name, row.method, row.path, row.query) == ("openai", "POST", "/v1/chat x", {"a": "1", "b": ""})
    assert row.header("authorization") == f"Bearer {key}"
    assert (row.body_length, row.body_sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert (row.scenario, row.followed_redirect, row.outcome) == ("good", False, "answered")
    assert abs(row.at - time.time()) < 5


def test_requests_can_be_narrowed(providers: CheckedProviders) -> None:
    keys = [samples.fresh_key("openai", "good") for _ in range(3)]
    for key in keys:
        get(providers, key)
    get(providers, samples.fresh_key("anthropic", "good"), "anthropic")
    assert [row.credential for row in providers.requests(name="openai")] == keys
    assert len(providers.requests()) == 4
    with pytest.raises(ValueError, match="AttributeError"):
        providers.requests(no_such_field="x")


def test_waiting_ends_with_the_nth_arrival(providers: CheckedProviders) -> None:
    key = samples.fresh_key("openai", "good")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(providers.wait_for, key, count=2)
        get(providers, key)
        assert not waiting.done()
        get(providers, key)
        assert len(waiting.result(timeout=5)) == 2


def test_waiting_gives_up(providers: CheckedProviders) -> None:
    with pytest.raises(TimeoutError, match="0 of 1"):
        providers.wait_for(samples.fresh_key("openai", "good"), seconds=0.05)


@pytest.mark.parametrize(("scenario", "status"), [("good", 200), ("rate", 429), ("wrong", 401)])
def test_a_gate_holds_the_answer_until_it_is_opened(scenario: str, status: int, providers: CheckedProviders) -> None:
    key = samples.fresh_key("openai", "gate")
    with ThreadPoolExecutor() as pool:
        asking = pool.submit(get, providers, key)
        assert [row.outcome for row in providers.wait_for(key)] == ["open"]
        assert not asking.done()
        providers.release(key, scenario)
        assert asking.result(timeout=5) == status
    assert providers.wait_for(key, outcome="answered")


def test_a_gate_can_be_opened_early_and_is_one_keys_own(providers: CheckedProviders) -> None:
    key, another = samples.fresh_key("openai", "gatealice"), samples.fresh_key("openai", "gatedana")
    providers.release(key)
    assert get(providers, key) == 200
    with ThreadPoolExecutor() as pool:
        asking = pool.submit(get, providers, another)
        providers.wait_for(another)
        assert not asking.done()
        providers.release(another)
        assert asking.result(timeout=5) == 200


def test_a_gate_in_mid_answer_lets_the_headers_through(providers: CheckedProviders) -> None:
    key = samples.fresh_key("openai", "gatebody")
    with connected(providers.base_urls["openai"]) as connection:
        connection.sendall(request_bytes(headers("openai", key)))
        assert connection.recv(65536).endswith(b"\r\n\r\n")
        providers.release(key)
        assert connection.recv(65536).startswith(b'{"object": "list"')


def test_a_client_that_dies_at_the_gate_is_noticed(providers: CheckedProviders) -> None:
    key = samples.fresh_key("openai", "gate")
    with connected(providers.base_urls["openai"]) as connection:
        connection.sendall(request_bytes(headers("openai", key)))
        providers.wait_for(key)
    assert providers.wait_for(key, outcome="left")
    providers.release(key)
    assert get(providers, key) == 200


def test_a_refusing_provider_comes_back_at_the_same_port(providers: CheckedProviders) -> None:
    key = samples.fresh_key("openai", "good")
    with connected(providers.base_urls["openai"]) as kept:
        providers.down("openai")
        with pytest.raises(ConnectionResetError):
            kept.recv(1)
    with pytest.raises(ConnectionRefusedError):
        get(providers, key)
    assert get(providers, samples.fresh_key("anthropic", "good"), "anthropic") == 200
    providers.up("openai")
    assert get(providers, key) == 200


def test_a_frozen_provider_takes_requests_and_answers_when_it_thaws(providers: CheckedProviders) -> None:
    key = samples.fresh_key("openai", "good")
    providers.down("openai", "freeze")
    with ThreadPoolExecutor() as pool:
        asking = pool.submit(get, providers, key)
        assert [row.outcome for row in providers.wait_for(key)] == ["open"]
        assert not asking.done()
        providers.up("openai")
        assert asking.result(timeout=5) == 200


def test_a_black_hole_takes_no_connection_and_refuses_none(providers: CheckedProviders) -> None:
    providers.down("openai", "blackhole")
    parts = urlsplit(providers.base_urls["openai"])
    with socket.socket() as connection:
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.connect((parts.hostname, parts.port))
    providers.up("openai")
    assert get(providers, samples.fresh_key("openai", "good")) == 200


def test_unknown_names_modes_and_operations_are_refused(providers: CheckedProviders) -> None:
    for name, mode in (("nobody", "refuse"), ("openai", "sideways")):
        with pytest.raises(ValueError, match=r"KeyError|ValueError"):
            providers.down(name, mode)  # type: ignore[arg-type]
    assert ask(providers.control_url, {"host": "control"}, "/nothing").status == 404


def test_a_reset_forgets_everything(providers: CheckedProviders) -> None:
    hung, wrong = samples.fresh_key("openai", "hang"), headers("openai", samples.fresh_key("openai", "good"))
    providers.down("anthropic")
    ask(providers.base_urls["openai"], {**wrong, "host": "evil.example"})
    with connected(providers.base_urls["openai"]) as connection:
        connection.sendall(request_bytes(headers("openai", hung)))
        providers.wait_for(hung)
        providers.reset()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert providers.requests() == []
    assert providers.violations() == []
    assert get(providers, samples.fresh_key("anthropic", "good"), "anthropic") == 200


def test_what_was_open_at_a_reset_does_not_come_back(providers: CheckedProviders) -> None:
    for _ in range(5):
        hung, fresh = samples.fresh_key("openai", "gate"), samples.fresh_key("openai", "gate")
        with connected(providers.base_urls["openai"]) as connection:
            connection.sendall(request_bytes(headers("openai", hung)))
            providers.wait_for(hung)
            providers.reset()
        with connected(providers.base_urls["openai"]) as connection:
            connection.sendall(request_bytes(headers("openai", fresh)))
            providers.wait_for(fresh)
            assert [row.credential for row in providers.requests()] == [fresh]


def test_many_clients_at_once(providers: CheckedProviders) -> None:
    keys = [samples.fresh_key("openai", "gate") for _ in range(50)]
    with ThreadPoolExecutor(50) as pool:
        asking = [pool.submit(get, providers, key) for key in keys]
        providers.wait_for(count=50, name="openai")
        for key in keys:
            providers.release(key)
        assert {future.result(timeout=10) for future in asking} == {200}
    assert threading.active_count() < 50
