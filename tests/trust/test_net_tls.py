"""NET-08: a certificate that is wrong in any way judges no key and is sent none."""

import ssl
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pytest_django.fixtures import Settings
from requests.adapters import HTTPAdapter
from urllib3.exceptions import InsecureRequestWarning
from urllib3.util.ssl_ import create_urllib3_context

from providerkeys.providers import registry
from providerkeys.providers.transport import _WatchedTlsConnection
from tests.fakeproviders import samples
from tests.trust.controls import Control, controls
from tests.trust.net import Server, ask, everywhere, secure
from tests.trust.net_certificates import HOST, WRONG, Authority

EVERY_PROVIDER = pytest.mark.parametrize("slug", samples.PROVIDERS)

type Servers = Callable[[str], Server]


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority]:
    """One that the door trusts, and one that it doesn't know."""
    folder = tmp_path_factory.mktemp("authorities")
    return Authority("trusted", folder), Authority("unknown", folder)


@pytest.fixture(scope="module")
def servers(authorities: tuple[Authority, Authority]) -> Iterator[Servers]:
    """The server that is wrong in the way that is asked for; the one called ``right`` is not."""
    running = dict[str, Server]()
    with ExitStack() as stack, warnings.catch_warnings():
        # Python warns who sets up a server for a version as old as that.
        warnings.simplefilter("ignore", DeprecationWarning)
        for name, make in WRONG.items():
            running[name] = stack.enter_context(secure(make(*authorities)))
        running["right"] = stack.enter_context(secure(authorities[0].context()))
        yield running.__getitem__


@pytest.fixture
def trusting(settings: Settings, authorities: tuple[Authority, Authority]) -> Settings:
    settings.OUTBOUND_CA_FILE = str(authorities[0].file)
    return settings


@EVERY_PROVIDER
@pytest.mark.parametrize("wrong", WRONG)
def test_net_08_a_wrong_certificate_is_unreachable(wrong: str, slug: str, servers: Servers, trusting: Settings) -> None:
    server = servers(wrong)
    trusting.PROVIDER_BASE_URLS = everywhere(f"https://{HOST}:{server.port}")
    before = server.connections
    reason = ask(slug, samples.key(slug, "good"))
    assert reason.partition("@")[0] == "tls"
    assert registry.get(slug).verdict(reason) == "unreachable"
    assert server.received == []
    assert server.connections > before


@pytest.mark.parametrize("wrong", ["of an unknown authority", "self-signed"])
def test_net_08_without_a_file_of_its_own_the_door_trusts_whom_everybody_trusts(
    wrong: str, servers: Servers, settings: Settings
) -> None:
    settings.OUTBOUND_CA_FILE = ""
    settings.PROVIDER_BASE_URLS = everywhere(f"https://{HOST}:{servers(wrong).port}")
    assert ask("openai", samples.key("openai", "good")) == "tls"
    assert servers(wrong).received == []


def test_net_08_the_right_certificate_is_accepted(servers: Servers, trusting: Settings) -> None:
    """The twin: it is the certificate that makes the difference."""
    trusting.PROVIDER_BASE_URLS = everywhere(f"https://{HOST}:{servers('right').port}")
    assert ask("openai", samples.key("openai", "good")) == "accepted"
    assert len(servers("right").received) == 1


# Defects


def looking_at_no_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = HTTPAdapter.send
    monkeypatch.setattr(HTTPAdapter, "send", lambda *rest, **options: honest(*rest, **{**options, "verify": False}))
    warnings.simplefilter("ignore", InsecureRequestWarning)


def looking_at_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = _WatchedTlsConnection.connect

    def connect(connection: _WatchedTlsConnection) -> None:
        connection.assert_hostname = False
        honest(connection)

    monkeypatch.setattr(_WatchedTlsConnection, "connect", connect)


def speaking_any_version(monkeypatch: pytest.MonkeyPatch) -> None:

    def lenient(**options: Any) -> ssl.SSLContext:
        context = create_urllib3_context(**{**options, "ciphers": "ALL:@SECLEVEL=0"})
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        return context

    monkeypatch.setattr("urllib3.connection.create_urllib3_context", lenient)
    warnings.simplefilter("ignore", DeprecationWarning)


def trusting_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = HTTPAdapter.send
    monkeypatch.setattr(HTTPAdapter, "send", lambda *rest, **options: honest(*rest, **{**options, "verify": True}))


@controls(
    [
        *(
            Control(
                test_net_08_a_wrong_certificate_is_unreachable,
                looking_at_no_certificate,
                {"wrong": wrong, "slug": slug},
            )
            for wrong, slug in (
                ("expired", "openai"),
                ("self-signed", "bedrock"),
                ("not valid yet", "google_vertex_ai"),
            )
        ),
        Control(
            test_net_08_a_wrong_certificate_is_unreachable,
            speaking_any_version,
            {"wrong": "over TLS 1.1", "slug": "openai"},
        ),
        Control(
            test_net_08_a_wrong_certificate_is_unreachable,
            looking_at_no_name,
            {"wrong": "for another host", "slug": "xai"},
        ),
        Control(
            test_net_08_without_a_file_of_its_own_the_door_trusts_whom_everybody_trusts,
            looking_at_no_certificate,
            {"wrong": "self-signed"},
        ),
        Control(test_net_08_the_right_certificate_is_accepted, trusting_nobody),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest, servers: Servers) -> None:
    control.must_bite(request)
    for name in WRONG:
        servers(name).received.clear()
