"""Programs that use the gateway with keys of this run: served, streamed, refused, failed over, cut; and what they are told.

``walk`` wants a product whose people can already log in. It saves its own provider keys, each for an API key of its own.
"""

import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, IncompleteRead
from typing import Any, Final
from urllib.parse import urlsplit

from organizations import tokens
from tests.fakeproviders.shape import API_KEY
from tests.processes import eventually
from tests.trust.canary import Canary
from tests.trust.faults.layers import GATEWAY
from tests.trust.faults.slips import SLIPPED, SLIPS
from tests.trust.walk.keys import issue, save_form
from tests.trust.walk.kinds import ACCOUNT, form_of
from tests.trust.walk.scene import Scene, Typed
from tests.trust.walk.visitor import Answer, Visitor

_PATIENCE: Final = 30.0
_SAID: Final = [{"role": "user", "content": "hi"}]
_MODELS: Final = {
    "openai": "gpt-4o",
    "anthropic": "claude-sonnet-5-5",
    "mistral": "mistral-large-latest",
    "deepseek": "deepseek-chat",
    "xai": "grok-4",
    "zai": "glm-4.6",
    ACCOUNT: "gemini-2.5-flash",
}
# Of each provider a success, and the answers that repeat the key. The n-th of all of them serve the n-th API key.
_SCENARIOS: Final = {
    "openai": ("good", "echo", "echoinstream", "echo500", "badstatus", "badlength", "cutstream", "region"),
    "anthropic": ("good", "echo", "echoinstream", "echo500", "badchunk"),
    "mistral": ("good", "echo", "echoinstream"),
    "deepseek": ("good", "echo", "echo500"),
    "xai": ("good", "echo", "echoinstream"),
    "zai": ("good", "echo", "echo500"),
    ACCOUNT: ("good", "thenecho500", "thenechoinstream", "echo"),
}


@dataclass(frozen=True)
class Program:
    """A client program with an API key, or with what it takes for one."""

    scene: Scene
    name: str
    api_key: str

    def complete(self, provider: str, **more: Any) -> Answer:
        """A completion by ``provider``, at the route that it is served at."""
        path = "/v1/messages" if provider == "anthropic" else "/v1/chat/completions"
        asked = {"model": f"{provider}/{_MODELS[provider]}", "max_tokens": 9, "messages": _SAID, **more}
        return self.post(path, asked)

    def post(self, path: str, body: Any) -> Answer:
        return self.send("POST", path, json.dumps(body).encode())

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """One request; with ``headers`` in the place of its own. What was cut off on the way is kept as far as it came."""
        connection = HTTPConnection(urlsplit(self.scene.product.base_url).netloc, timeout=_PATIENCE)
        own = {"x-api-key": self.api_key, "content-type": "application/json"}
        try:
            connection.request(method, path, body or None, own if headers is None else dict(headers))
            response = connection.getresponse()
            try:
                said = response.read()
            except IncompleteRead as cut:
                said = cut.partial
            except (HTTPException, OSError):
                said = b""
            return self.scene.record.keep(f"{self.name}, {method} {path}", response.status, response.getheaders(), said)
        finally:
            connection.close()

    def leave(self, **more: Any) -> None:
        """Ask for a stream, and hang up after its first bytes."""
        asked = {"model": "openai/gpt-4o-every20x200", "stream": True, "messages": _SAID, **more}
        body = json.dumps(asked).encode()
        parts = urlsplit(self.scene.product.base_url)
        with socket.create_connection((parts.hostname, parts.port), _PATIENCE) as connection:
            head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: {parts.netloc}\r\nx-api-key: {self.api_key}\r\n"
            connection.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            connection.recv(1024)


def walk(scene: Scene, visitor: Visitor, account: Typed) -> None:
    """All of it, in the name of an Admin of Acme; ``account`` lends its private key to all service accounts."""
    programs = _equip(scene, visitor, account)
    for program, served in programs:
        for provider in served:
            program.complete(provider)
            program.complete(provider, stream=True)
        program.send("GET", "/v1/models")
    first = programs[0][0]
    first.post("/v1/responses", {"model": "openai/gpt-4o", "input": "hi"})
    first.post("/v1/embeddings", {"model": "openai/text-embedding-3-small", "input": ["hi"]})
    first.post("/v1/messages/count_tokens", {"model": "claude-sonnet-5-5", "messages": _SAID})
    first.leave()
    _fail_over(scene, visitor)
    _refused(scene, visitor, first)
    _unreadable(scene, visitor)
    _down(scene, first)
    _await_records(scene)
    _fail_everywhere(scene, visitor)
    _slip(scene, visitor)


def _equip(scene: Scene, visitor: Visitor, account: Typed) -> list[tuple[Program, list[str]]]:
    """A program for each row of the scenarios, and the providers that have a key for it."""
    found = []
    for number in range(max(map(len, _SCENARIOS.values()))):
        program, pk = _issue(scene, visitor, f"program {number}")
        served = [provider for provider, names in _SCENARIOS.items() if number < len(names)]
        for provider in served:
            typed = _typed(scene, provider, _SCENARIOS[provider][number], account)
            _save_for(scene, visitor, typed, pk)
        found.append((program, served))
    return found


def _typed(scene: Scene, provider: str, scenario: str, account: Typed) -> Typed:
    if provider == ACCOUNT:
        return scene.secrets.renamed(account, scenario, "used by a program")
    return scene.secrets.credential(provider, scenario, "used by a program")


def _issue(scene: Scene, visitor: Visitor, name: str) -> tuple[Program, str]:
    """A program with a new API key, and that key's id."""
    pk = issue(scene, visitor, name)
    (canary,) = (one for one in scene.secrets.canaries if one.name == f"API key {name}")
    return Program(scene, name, canary.value), pk


def _save_for(scene: Scene, visitor: Visitor, typed: Typed, *api_keys: str) -> str:
    fields = form_of([typed])
    del fields["assign_to_organization"]
    return save_form(scene, visitor, {**fields, "api_key_ids": list(api_keys)})


def _fail_over(scene: Scene, visitor: Visitor) -> None:
    """The first key is limited, the second repeats itself, the third serves; then all of them fail."""
    program, pk = _issue(scene, visitor, "program with three keys")
    for scenario in ("rate", "echo500", "good"):
        _save_for(scene, visitor, scene.secrets.credential("openai", scenario, "one of three"), pk)
    served = program.complete("openai")
    assert (served.status, served.header("x-byok-attempts")) == (200, "3"), served.place
    unlucky, pk = _issue(scene, visitor, "program with two bad keys")
    for scenario in ("badstatus", "echo"):
        _save_for(scene, visitor, scene.secrets.credential("openai", scenario, "one of two"), pk)
    assert unlucky.complete("openai").status == 401


def _refused(scene: Scene, visitor: Visitor, good: Program) -> None:
    """Everything that the gateway itself refuses, with a secret wherever one can stand in it."""
    mistyped = scene.secrets.add(Canary.api_key("API key that is mistyped", _mistyped())).value
    unknown = scene.secrets.add(Canary.api_key("API key that nobody has", tokens.mint("byok_").plaintext)).value
    for key in (mistyped, unknown):
        for program in _carrying(scene, key):
            assert program.status == 401, program.place
    pasted = scene.secrets.key("openai", "good", "pasted into a request", refused=True).value
    nobody, _ = _issue(scene, visitor, "program without a provider key")
    refused = [
        (good.send("POST", "/v1/chat/completions", f'{{"model": {pasted}'.encode()), 400),
        (good.post("/v1/chat/completions", {"messages": _SAID, "api_key": pasted}), 400),
        (good.post("/v1/chat/completions", {"model": pasted, "messages": _SAID}), 400),
        (good.post("/v1/chat/completions", {"model": f"nobody/{pasted}"}), 400),
        (good.post("/v1/chat/completions", {"model": "bedrock/x", "aws_secret_access_key": pasted}), 400),
        (good.post("/v1/messages", {"model": "openai/gpt-4o", "key": pasted}), 400),
        (good.send("GET", "/v1/chat/completions"), 405),
        (good.send("GET", f"/v1/models/openai/{pasted}"), 404),
        (good.send("POST", "/v1/files", pasted.encode()), 404),
        (nobody.complete("mistral", api_key=pasted), 403),
    ]
    disabled, pk = _issue(scene, visitor, "program that is shut out")
    _write(scene, "UPDATE organizations_apikey SET enabled = 0 WHERE id = ?", pk)
    refused.append((disabled.complete("openai"), 401))
    wrong = {answer.place: answer.status for answer, status in refused if answer.status != status}
    assert not wrong, wrong


def _carrying(scene: Scene, key: str) -> Iterator[Answer]:
    """A key that is none, wherever one can be put."""
    program = Program(scene, "program with a wrong key", key)
    body = json.dumps({"model": "openai/gpt-4o", "messages": _SAID}).encode()
    for headers in ({"x-api-key": key}, {"Authorization": f"Bearer {key}"}, {"x-goog-api-key": key}):
        yield program.send("POST", "/v1/chat/completions", body, headers)
        yield program.send("POST", "/v1/messages", body, headers)
        yield program.send("GET", "/v1/models", headers=headers)
    yield program.send("POST", f"/v1/chat/completions?key={key}", body, {})


def _mistyped() -> str:
    right = tokens.mint("byok_").plaintext
    return right[:-1] + ("0" if right[-1] != "0" else "1")


def _unreadable(scene: Scene, visitor: Visitor) -> None:
    """What is stored for a program can't be opened."""
    program, pk = _issue(scene, visitor, "program with an unreadable key")
    stored = _save_for(scene, visitor, scene.secrets.credential("openai", "good", "made unreadable"), pk)
    # Sealed for another destination, so that it no longer fits.
    _write(scene, 'UPDATE providerkeys_providerkey SET destination = \'{"location": "eu"}\' WHERE id = ?', stored)
    assert program.complete("openai").status == 503


def _write(scene: Scene, sql: str, *parameters: str) -> None:
    """Write into the database behind everybody's back."""
    database = scene.database()
    database.execute(sql, parameters)
    database.commit()
    database.close()


def _down(scene: Scene, program: Program) -> None:
    """The provider can't be reached."""
    scene.fakes.down("mistral", "refuse")
    try:
        assert program.complete("mistral").status == 502
    finally:
        scene.fakes.up("mistral")


def _await_records(scene: Scene) -> None:
    """They are written about once a second; the sweep wants all of them."""
    named = "SELECT count(*) FROM gateway_requestrecord WHERE reason LIKE 'cut%' OR reason = 'caller_left'"
    eventually(lambda: scene.one(named) >= 2, _PATIENCE)


def _fail_everywhere(scene: Scene, visitor: Visitor) -> None:
    """Ask while each layer of the gateway fails; of records, until the log says so."""
    program, pk = _issue(scene, visitor, "program in trouble")
    _save_for(scene, visitor, scene.secrets.credential("openai", "echo", "used in trouble"), pk)
    for name in GATEWAY:
        with scene.failing(name) as statuses:
            statuses.append(program.complete("openai").status)
            if name == "record":
                log = scene.product.data_dir / "log" / "web.log"
                eventually(lambda log=log: b"could not be recorded" in log.read_bytes(), _PATIENCE)  # type: ignore[misc]


def _slip(scene: Scene, visitor: Visitor) -> None:
    """The gateway logs a secret, records it and leaves it in an error: planted, and to be found in all three."""
    program, pk = _issue(scene, visitor, SLIPPED)
    typed = scene.secrets.credential("openai", "echo", SLIPPED)
    scene.secrets.planted.add(typed.fields[API_KEY].name)
    _save_for(scene, visitor, typed, pk)
    with scene.failing(SLIPS):
        assert typed.value in program.complete("openai").text
        told = "SELECT count(*) FROM gateway_requestrecord WHERE provider_key_hint = ?"
        eventually(lambda: scene.one(told, typed.value) == 1, _PATIENCE)
