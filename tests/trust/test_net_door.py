"""NET-05 and NET-06: no secret is ever in a URL, and one door alone opens connections."""

import ast
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any, Final

import pytest
import requests

from organizations.access import Access
from providerkeys import vault
from providerkeys.models import CredentialCheck, Row, check_run
from providerkeys.providers import aws_requests, google_count_tokens, google_oauth, http, registry
from providerkeys.providers.base import Answer, ApiKeyProvider, Credential, Request, Send
from tests.fakeproviders import providers as stand_ins
from tests.fakeproviders import samples
from tests.providerkeys.offline import Offline
from tests.providerkeys.sample import letterbox, verdicts
from tests.trust.controls import Control, Plant, controls
from tests.trust.net import Guard
from tests.trust.sources import names, sources

EVERY_PROVIDER = pytest.mark.parametrize("slug", samples.PROVIDERS)


def credential_of(slug: str, key: str) -> Credential:
    return Credential(key, samples.destination(slug, key))


# NET-05


@EVERY_PROVIDER
def test_net_05_no_secret_is_in_a_url(slug: str) -> None:
    """Of nothing that is asked, whatever was answered before; nor is a token that was given for a secret."""
    for sample in samples.documented(slug):
        urls, offline = list[str](), Offline()

        def send(request: Request, urls: list[str] = urls, offline: Offline = offline) -> Answer:
            urls.append(f"https://{request.endpoint.host}{request.path}")
            return offline(request)

        with suppress(http.Unreachable):
            registry.get(slug).check(credential_of(slug, sample.key), send)
        assert urls
        parts = stand_ins.get(slug).shape.secret_parts(sample.key).values()
        # A token ends in the name of its scenario, which may be any word.
        tokens = [one.rpartition("-")[0] for one in offline.credentials if one.startswith("ya29.")]
        for secret in (*(part for pieces in parts for part in pieces), *tokens):
            windows = {secret[start : start + 8] for start in range(len(secret) - 7)}
            assert not [url for url in urls if any(window in url for window in windows)], sample.id


# NET-06: whose module may open a connection, and to whom.

DOOR: Final = {"providerkeys/providers/http.py", "providerkeys/providers/transport.py"}
# The other way out: the gateway's client, and how its connections are kept.
UPSTREAM: Final = {"gateway/upstream.py", "gateway/connections.py"}
# Its socket is that of a caller who came in: of the module it takes numbers only.
ANSWERING: Final = "byok_site/protocol.py"
OWN_PROCESSES: Final = {
    "byok_site/supervisor/broker.py": "the broker that it has started",
    "byok_site/supervisor/preparation.py": "this machine's own port, whether it is free",
    "byok_site/supervisor/readiness.py": "the web process that it has started",
}
OPENERS: Final = (
    *("socket", "socketserver", "_socket", "http.client", "urllib.request", "xmlrpc", "ftplib", "smtplib", "poplib"),
    *("imaplib", "nntplib", "telnetlib", "requests", "urllib3", "httpx", "httpcore", "aiohttp", "anyio", "trio"),
    *("websockets", "pycurl", "paramiko", "grpc", "boto3", "botocore.session", "botocore.client"),
    *("botocore.endpoint", "botocore.httpsession", "botocore.utils", "google.auth.transport", "google.auth.default"),
    *("google.auth.compute_engine", "google.cloud", "googleapiclient"),
    *("open_connection", "open_unix_connection", "create_connection", "create_unix_connection"),
)
"""Modules that can, and the verbs by which ``asyncio`` does."""
OF_AWS: Final = {"auth.SigV4Auth", "awsrequest.AWSRequest", "credentials.Credentials", "loaders.Loader"} | {
    "regions.EndpointResolver"
}
OF_GOOGLE: Final = {"auth.crypt", "oauth2.service_account"}


def product() -> dict[str, ast.Module]:
    """What is shipped. Load for measuring it comes from elsewhere."""
    return {path: tree for path, tree in sources().items() if not path.startswith("bench/")}


def opens(name: str) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in OPENERS)


@cache
def is_opener(tree: ast.Module) -> bool:
    return any(map(opens, names(tree)))


def openers() -> set[str]:
    return {path for path, tree in product().items() if is_opener(tree)}


@cache
def imported(tree: ast.Module) -> frozenset[str]:
    """What a module imports, each by its whole name."""
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
    return frozenset(found)


def taken_from(library: str) -> set[str]:
    """What the project imports of a library that could connect by itself, where it lies in it."""
    every = {name for tree in product().values() for name in imported(tree)}
    return {name.removeprefix(f"{library}.") for name in every if f"{name}.".startswith(f"{library}.")}


def test_net_06_the_door_alone_opens_connections() -> None:
    assert openers() - UPSTREAM - {ANSWERING} == DOOR | set(OWN_PROCESSES)


def test_net_06_who_answers_takes_numbers_alone_of_socket() -> None:
    """``socket`` itself is what a transport calls its own by."""
    tree = product()[ANSWERING]
    assert "socket" not in imported(tree)
    assert all(name.removeprefix("socket.").isupper() for name in names(tree) if opens(name) and name != "socket")


def test_net_06_of_the_libraries_of_aws_and_google_only_what_signs_is_used() -> None:
    """A client of theirs would bring the host's identity with it, and a way out of its own."""
    assert taken_from("botocore") == OF_AWS
    assert taken_from("google") == OF_GOOGLE
    for client in ("boto3", "openai", "anthropic", "mistralai", "xai_sdk"):
        assert taken_from(client) == set()


@pytest.mark.django_db
@EVERY_PROVIDER
def test_net_06_with_the_door_shut_nothing_leaves(
    slug: str, alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shut(request: Request, until: float | None = None) -> Answer:
        raise http.Unreachable("connect")

    letterbox(monkeypatch)
    monkeypatch.setattr(http, "send", shut)
    credential = credential_of(slug, samples.key(slug, "good"))
    print_ = vault.fingerprint(alice_access.organization.fingerprint_salt, credential.secret, credential.destination)
    check = CredentialCheck.press(alice_access, slug, [Row(print_, credential=credential)])
    with Guard.closed() as guard:
        check_run.run(check.pk)
    assert verdicts(check) == [("unreachable", "connect")]
    assert guard.packets == []


def test_net_06_the_guard_sees_what_the_door_lets_out() -> None:
    """The twin of what the guard doesn't see above."""
    with Guard.closed() as guard, pytest.raises(http.Unreachable):
        http.send(Request(google_oauth.ENDPOINT, "/token", {}))
    assert [packet.split()[0] for packet in guard.packets] == ["getaddrinfo"]


# Defects


def the_key_in_the_query(monkeypatch: pytest.MonkeyPatch) -> None:
    def probe(provider: ApiKeyProvider, key: str, send: Send) -> Answer:
        return send(Request(provider.endpoints[0], f"{provider.probe_path}?key={key}", {}))

    for provider in {type(row) for row in registry.all() if isinstance(row, ApiKeyProvider)}:
        monkeypatch.setattr(provider, "probe", probe)


def the_token_in_the_query(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = google_count_tokens._request

    def request(project: str, location: str, model: str, token: str) -> Request:
        asked = honest(project, location, model, token)
        return replace(asked, path=f"{asked.path}?access_token={token}")

    monkeypatch.setattr(google_count_tokens, "_request", request)


def a_url_that_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = aws_requests.who_am_i
    monkeypatch.setattr(
        aws_requests,
        "who_am_i",
        lambda key, region: replace(honest(key, region), path=f"/?X-Amz-Credential={key.id}"),
    )


def module(text: str, path: str = "providerkeys/providers/planted.py") -> Plant:
    """One more module, which opens a connection in a way of its own."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        with_it = {**sources(), path: ast.parse(text)}
        monkeypatch.setitem(globals(), "sources", lambda: with_it)

    plant.__name__ = text.replace("\n", "; ")
    return plant


def a_way_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider's file that asks by itself."""

    def ask(*_: Any) -> str:
        with suppress(OSError, requests.RequestException):
            requests.get("https://api.openai.com/v1/models", timeout=1)
        raise http.Unreachable("connect")

    for provider in {type(row) for row in registry.all()}:
        monkeypatch.setattr(provider, "begin", lambda _: ask)


def looking_names_up(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = http.sender

    def sender() -> Send:
        with suppress(OSError):
            socket.getaddrinfo("api.openai.com", 443)
        return honest()

    monkeypatch.setattr(http, "sender", sender)


def seeing_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guard, "_refuse", lambda *_: lambda *_, **__: [])


OPENING = (
    "import requests",
    "from requests import get",
    "import socket",
    "import http.client",
    "from http import client\nclient.HTTPSConnection('x')",
    "from urllib.request import urlopen",
    "import urllib.request as r",
    "import_module('httpx')",
    "import asyncio\nasyncio.open_connection('x', 1)",
    "from google.auth.transport.requests import Request",
    "import boto3",
)


def _controls() -> Iterator[Control]:
    for slug in samples.KEYED:
        yield Control(test_net_05_no_secret_is_in_a_url, the_key_in_the_query, {"slug": slug})
    yield Control(test_net_05_no_secret_is_in_a_url, the_token_in_the_query, {"slug": "google_vertex_ai"})
    yield Control(test_net_05_no_secret_is_in_a_url, a_url_that_is_signed, {"slug": "bedrock"})
    for text in OPENING:
        yield Control(test_net_06_the_door_alone_opens_connections, module(text))
    yield Control(test_net_06_the_door_alone_opens_connections, module(OPENING[0], "organizations/planted.py"))
    for text in ("import socket", "from socket import create_connection", "import aiohttp"):
        yield Control(test_net_06_who_answers_takes_numbers_alone_of_socket, module(text, ANSWERING))
    case = test_net_06_of_the_libraries_of_aws_and_google_only_what_signs_is_used
    yield Control(case, module("from botocore import session"))
    yield Control(case, module("import google.auth"))
    yield Control(case, module("import boto3"))
    for slug in ("openai", "bedrock"):
        yield Control(test_net_06_with_the_door_shut_nothing_leaves, a_way_of_ones_own, {"slug": slug})
        yield Control(test_net_06_with_the_door_shut_nothing_leaves, looking_names_up, {"slug": slug})
    yield Control(test_net_06_the_guard_sees_what_the_door_lets_out, seeing_nothing)


@controls(_controls())
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
