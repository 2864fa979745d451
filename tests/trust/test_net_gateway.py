"""NET-05…09 at the gateway's way out: no secret in a URL, one client, no redirect, TLS as it should be, nothing of the machine."""

import ast
import os
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from django.conf import settings as django_settings
from pytest_django.fixtures import Settings

from gateway import upstream
from organizations.access import Access
from providerkeys.providers.base import Endpoint
from tests.fakeproviders.fixtures import CheckedProviders
from tests.trust.controls import Control, Plant, controls
from tests.trust.gwy import SPEAKERS, Gateway, api_key, code, complete, db, keep, secret_of, windows
from tests.trust.net import Server, everywhere, secure
from tests.trust.net_certificates import HOST, WRONG, Authority
from tests.trust.net_host import MARKS, hostile_environment
from tests.trust.sources import names, sources
from tests.trust.test_net_door import is_opener

EVERY_SPEAKER = pytest.mark.parametrize("provider", SPEAKERS)


# NET-05


@EVERY_SPEAKER
def test_net_05_no_secret_is_in_a_url_of_the_gateway(
    provider: str, gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    """Neither the key nor the token that was given for it; neither at a question nor at a list of models."""
    keep(alice_access, provider)
    assert complete(gateway, api_key, provider).ok
    assert gateway.send("GET", "/v1/models", {"x-api-key": api_key}).json()["data"]
    received = [one for one in providers.requests() if one.name != "google_oauth"]
    assert len(received) == 2
    for one in received:
        said = one.path + str(one.query)
        assert not [part for part in windows(one.credential) if part in said]
    assert providers.violations() == []


# NET-06

UPSTREAM: Final = {"gateway/upstream.py", "gateway/connections.py"}


def of_the_gateway() -> dict[str, ast.Module]:
    return {path: tree for path, tree in sources().items() if path.startswith("gateway/")}


def using(*wanted: str) -> set[str]:
    """The modules of the gateway that name one of these."""
    return {path for path, tree in of_the_gateway().items() if set(wanted) & set(names(tree))}


def test_net_06_one_module_of_the_gateway_opens_connections() -> None:
    assert {path for path, tree in of_the_gateway().items() if is_opener(tree)} == UPSTREAM
    assert using("ClientSession") == {"gateway/upstream.py"}
    assert using("TCPConnector") == {"gateway/connections.py"}


def test_net_06_its_client_has_the_callers_that_it_is_for() -> None:
    """Questions and lists of models; what signs in goes through the door of the checks."""
    assert using("gateway.upstream") == {"gateway/app.py", "gateway/catalog.py", "gateway/forward.py"}
    assert using("providerkeys.providers.http") == {"gateway/ways_in.py"}


# NET-07

REDIRECTS: Final = tuple(
    f"{provider} {'then' if provider == 'google_vertex_ai' else ''}{redirect}"
    for provider in ("openai", "anthropic", "google_vertex_ai")
    for redirect in ("redirect301", "redirect302other", "redirect307other", "redirect302loop", "redirect308loop")
)


@pytest.mark.parametrize("redirect", REDIRECTS)
def test_net_07_the_gateway_follows_no_redirect(
    redirect: str, gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access
) -> None:
    provider, _, scenario = redirect.partition(" ")
    keep(alice_access, provider, scenario)
    assert complete(gateway, api_key, provider).status_code == 502
    assert providers.complaint() == ""
    assert [one.name for one in providers.requests() if one.name != "google_oauth"] == [provider]


# NET-08


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority]:
    """One that the gateway trusts, and one that it doesn't know."""
    folder = tmp_path_factory.mktemp("authorities")
    return Authority("trusted", folder), Authority("unknown", folder)


@pytest.fixture(scope="module")
def servers(authorities: tuple[Authority, Authority]) -> Iterator[dict[str, Server]]:
    """A server that is wrong in each way, and the one called ``right``."""
    running = dict[str, Server]()
    with ExitStack() as stack, warnings.catch_warnings():
        # Python warns who sets up a server for a version as old as that.
        warnings.simplefilter("ignore", DeprecationWarning)
        for name, make in WRONG.items():
            running[name] = stack.enter_context(secure(make(*authorities)))
        running["right"] = stack.enter_context(secure(authorities[0].context()))
        yield running


@dataclass
class Caller:
    """Somebody with an API key and a provider key, whose requests leave by a client that is made for the purpose."""

    gateway: Gateway
    settings: Settings
    api_key: str = field(repr=False)
    secret: str = field(repr=False)

    def to(self, server: Server, scheme: str = "https", **settings: str) -> tuple[int, str]:
        """What comes of a request when the provider is ``server``."""
        self.settings.PROVIDER_BASE_URLS = everywhere(f"{scheme}://{HOST}:{server.port}")
        for name, value in settings.items():
            setattr(self.settings, name, value)
        self.gateway.reopen()
        return code(complete(self.gateway, self.api_key, "openai"))


@pytest.fixture
def caller(gateway: Gateway, settings: Settings, api_key: str, alice_access: Access) -> Iterator[Caller]:
    yield Caller(gateway, settings, api_key, secret_of(keep(alice_access)))
    settings.OUTBOUND_PROXY = settings.OUTBOUND_CA_FILE = ""
    gateway.reopen()


type Authorities = tuple[Authority, Authority]
type Servers = dict[str, Server]


@pytest.mark.parametrize("wrong", WRONG)
def test_net_08_a_wrong_certificate_is_sent_nothing(
    wrong: str, caller: Caller, servers: Servers, authorities: Authorities
) -> None:
    server = servers[wrong]
    before = (len(server.received), server.connections)
    trusted = str(authorities[0].file)
    assert caller.to(server, OUTBOUND_CA_FILE=trusted) == (502, "provider_unreachable")
    assert len(server.received) == before[0]
    assert server.connections > before[1]


def test_net_08_the_right_one_is_accepted(caller: Caller, servers: Servers, authorities: Authorities) -> None:
    """The twin: it is the certificate that makes the difference, and the file that makes it right."""
    server = servers["right"]
    assert caller.to(server, OUTBOUND_CA_FILE=str(authorities[0].file)) == (200, "")
    assert caller.secret.encode() in server.received[-1]
    sent = len(server.received)
    assert caller.to(server, OUTBOUND_CA_FILE="") == (502, "provider_unreachable")
    assert len(server.received) == sent


# NET-09


def relaying(refusal: bytes = b"") -> Server:
    """A proxy: joins a caller with whom it asks for; or says ``refusal`` to everybody."""

    def serve(connection: socket.socket) -> None:
        asked = proxy.read_request(connection).split(b" ")
        if refusal or asked[0] != b"CONNECT":
            connection.sendall(refusal)
            return
        host, _, port = asked[1].decode().rpartition(":")
        with socket.create_connection((host, int(port)), 5) as other:
            connection.sendall(b"HTTP/1.1 200 Joined\r\n\r\n")
            back = threading.Thread(target=pour, args=(other, connection), daemon=True)
            back.start()
            pour(connection, other)
            back.join()

    proxy = Server(serve)
    return proxy


def pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def test_net_09_the_proxy_that_was_set_is_taken_and_sees_no_key(
    caller: Caller, servers: Servers, authorities: Authorities
) -> None:
    server, trusted = servers["right"], str(authorities[0].file)
    with relaying() as proxy:
        through = f"http://user:word@127.0.0.1:{proxy.port}"
        assert caller.to(server, OUTBOUND_CA_FILE=trusted, OUTBOUND_PROXY=through) == (200, "")
        assert len(proxy.received) == 1
        asked = proxy.received[0]
    assert asked.startswith(f"CONNECT {HOST}:{server.port} ".encode())
    assert b"proxy-authorization" in asked.lower()
    assert caller.secret.encode() not in asked
    assert b"proxy-authorization" not in server.received[-1].lower()


@pytest.mark.parametrize("status", [b"407 Proxy Authentication Required", b"502 Bad Gateway", b"200"])
def test_net_09_a_proxy_that_refuses_is_no_provider(
    status: bytes, caller: Caller, servers: Servers, authorities: Authorities
) -> None:
    """Nor does anything go past it."""
    server, trusted = servers["right"], str(authorities[0].file)
    sent = len(server.received)
    with relaying(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\n\r\n") as proxy:
        through = f"http://127.0.0.1:{proxy.port}"
        assert caller.to(server, OUTBOUND_CA_FILE=trusted, OUTBOUND_PROXY=through) == (502, "provider_unreachable")
        assert caller.secret.encode() not in b"".join(proxy.received)
    assert len(server.received) == sent


def test_net_09_what_goes_to_this_machine_takes_no_proxy(caller: Caller, providers: CheckedProviders) -> None:
    """It is plain http: the proxy would see the key."""
    with relaying() as proxy:
        caller.settings.OUTBOUND_PROXY = f"http://127.0.0.1:{proxy.port}"
        caller.gateway.reopen()
        assert complete(caller.gateway, caller.api_key, "openai").ok
    assert proxy.connections == 0
    assert len(providers.requests()) == 1


@EVERY_SPEAKER
def test_net_09_nothing_of_the_machine_is_used(
    provider: str, caller: Caller, providers: CheckedProviders, alice_access: Access, tmp_path: Path
) -> None:
    """Neither its proxies, nor its logins, nor its keys, endpoints and certificates."""
    if provider != "openai":
        keep(alice_access, provider)
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in [name for name in os.environ if name.upper().startswith(("AWS_", "GOOGLE_", "NO_PROXY"))]:
            monkeypatch.delenv(name)
        for name, value in hostile_environment(tmp_path, providers.trap_url).items():
            monkeypatch.setenv(name, value)
        caller.gateway.reopen()
        assert complete(caller.gateway, caller.api_key, provider).ok
    sent = " ".join(f"{name}: {value}" for one in providers.requests() for name, value in one.headers)
    assert not [mark for mark in MARKS if mark in sent]
    assert providers.complaint() == ""


def test_net_09_certificates_of_the_machine_vouch_for_nobody(
    caller: Caller, servers: Servers, authorities: Authorities, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authorities[1].file))
    monkeypatch.setenv("SSL_CERT_DIR", str(authorities[1].folder))
    assert caller.to(servers["of an unknown authority"]) == (502, "provider_unreachable")
    assert servers["of an unknown authority"].received == []


# Defects


def the_key_in_the_query(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = upstream._send

    async def send(endpoint: Endpoint, path: str, sent: Any, body: Any, mine: Any) -> Any:
        given = sent.get("Authorization", sent.get("x-api-key", "")).removeprefix("Bearer ")
        return await honest(endpoint, f"{path}{'&' if '?' in path else '?'}key={given}", sent, body, mine)

    monkeypatch.setattr(upstream, "_send", send)


def module(text: str) -> Plant:
    """One more module of the gateway."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        with_it = {**sources(), "gateway/planted.py": ast.parse(text)}
        monkeypatch.setitem(globals(), "sources", lambda: with_it)

    plant.__name__ = text
    return plant


def following_redirects(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = aiohttp.ClientSession.request

    def request(session: Any, *rest: Any, **options: Any) -> Any:
        return honest(session, *rest, **{**options, "allow_redirects": True})

    monkeypatch.setattr(aiohttp.ClientSession, "request", request)


def believing_any_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    def context(**_: Any) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
        made.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            made.minimum_version = ssl.TLSVersion.TLSv1_1
        return made

    monkeypatch.setattr(ssl, "create_default_context", context)


def trusting_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """As libraries do unless they are told otherwise."""
    honest = aiohttp.ClientSession.__init__
    monkeypatch.setattr(
        aiohttp.ClientSession,
        "__init__",
        lambda session, **options: honest(session, **{**options, "trust_env": True}),
    )


def trusting_its_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: honest())


def everything_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "_proxy", lambda _: upstream._parsed(django_settings.OUTBOUND_PROXY))


def nothing_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "_proxy", lambda _: None)


@controls(
    [
        *(
            Control(test_net_05_no_secret_is_in_a_url_of_the_gateway, the_key_in_the_query, {"provider": provider})
            for provider in ("openai", "anthropic", "google_vertex_ai")
        ),
        *(
            Control(test_net_06_one_module_of_the_gateway_opens_connections, module(text))
            for text in ("import aiohttp", "from httpx import AsyncClient", "asyncio.open_connection('x', 1)")
        ),
        *(
            Control(test_net_06_its_client_has_the_callers_that_it_is_for, module(text))
            for text in ("from gateway import upstream", "from providerkeys.providers import http")
        ),
        *(
            Control(test_net_07_the_gateway_follows_no_redirect, following_redirects, {"redirect": redirect})
            for redirect in REDIRECTS
        ),
        *(
            Control(test_net_08_a_wrong_certificate_is_sent_nothing, believing_any_certificate, {"wrong": wrong})
            for wrong in WRONG
        ),
        Control(test_net_08_the_right_one_is_accepted, believing_any_certificate),
        Control(test_net_09_the_proxy_that_was_set_is_taken_and_sees_no_key, nothing_through_the_proxy),
        Control(test_net_09_a_proxy_that_refuses_is_no_provider, nothing_through_the_proxy, {"status": b"407 No"}),
        Control(test_net_09_what_goes_to_this_machine_takes_no_proxy, everything_through_the_proxy),
        Control(test_net_09_nothing_of_the_machine_is_used, trusting_the_machine, {"provider": "anthropic"}),
        Control(test_net_09_certificates_of_the_machine_vouch_for_nobody, trusting_its_certificates),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
    request.getfixturevalue("providers").reset()


__all__ = ["api_key", "db"]
