"""The size guard: what is too large never reaches the application, however it is sent."""

import asyncio
from collections.abc import Sequence

import pytest
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope

from byok_site import bodies
from byok_site.answers import send_start
from byok_site.bodies import limit_body
from tests.house.calls import Call, ask

LIMIT = 1000


class Recorder:
    """An application that keeps every body it was given."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        event = await receive()
        assert event["type"] == "http.request"
        assert not event["more_body"]
        self.bodies.append(event["body"])
        await send_start(send, 200, b"text/plain", 0)  # type: ignore[arg-type]
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@pytest.mark.parametrize(
    "chunks",
    [(b"",), (b"a" * LIMIT,), (b"a" * 400, b"b" * 600), (b"a",) * LIMIT],
    ids=["none", "at the limit", "in two parts", "byte by byte"],
)
@pytest.mark.parametrize("declared", [True, False])
def test_a_body_within_the_limit_arrives_whole(chunks: Sequence[bytes], declared: bool) -> None:
    app = Recorder()
    headers = {"Content-Length": str(sum(map(len, chunks)))} if declared else {}

    assert ask(limit_body(app, LIMIT), Call("/", "POST", headers, chunks)).status == 200
    assert app.bodies == [b"".join(chunks)]


@pytest.mark.parametrize(
    "call",
    [
        Call("/", "POST", {"Content-Length": str(LIMIT + 1)}, (b"a" * (LIMIT + 1),)),
        Call("/", "POST", {}, (b"a" * (LIMIT + 1),)),
        Call("/", "POST", {}, (b"a" * LIMIT, b"b")),
        Call("/", "POST", {"Content-Length": "5"}, (b"a" * LIMIT, b"b" * LIMIT)),
        Call("/", "POST", {"Content-Length": "9" * 30}, (b"",)),
    ],
    ids=["declared", "not declared", "one byte more", "declared as less", "declared as endless"],
)
def test_a_larger_body_is_refused_before_the_application_sees_it(call: Call) -> None:
    app = Recorder()

    answer = ask(limit_body(app, LIMIT), call)

    assert answer.status == 413
    assert answer.headers["connection"] == "close"
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert app.bodies == []


def test_the_rest_of_a_refused_body_is_thrown_away_so_that_its_sender_reads_the_answer() -> None:
    call = Call("/", "POST", {"Content-Length": str(LIMIT * 5)}, (b"a" * LIMIT,) * 5)

    assert ask(limit_body(Recorder(), LIMIT), call).status == 413
    assert call.read == 5


def test_an_endless_body_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "DRAIN_BYTES", 10 * LIMIT)
    call = Call("/", "POST", {}, (b"a" * LIMIT,) * 1000)

    assert ask(limit_body(Recorder(), LIMIT), call).status == 413
    assert call.read < 20


def test_a_sender_that_stalls_after_its_refusal_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "DRAIN_SECONDS", 0.01)
    call = Call("/", "POST", {"Content-Length": str(LIMIT + 1)}, ())

    assert ask(limit_body(Recorder(), LIMIT), call).status == 413


def test_a_client_that_leaves_in_the_middle_reaches_nobody() -> None:
    app = Recorder()

    assert ask(limit_body(app, LIMIT), Call("/", "POST", {}, (b"a",), leaves=True)).status == 0
    assert app.bodies == []


def test_the_application_still_learns_that_its_client_left() -> None:
    seen: list[str] = []

    async def app(_scope: Scope, receive: ASGIReceiveCallable, _send: ASGISendCallable) -> None:
        seen.append((await receive())["type"])
        seen.append((await asyncio.wait_for(receive(), 1))["type"])

    call = Call("/", "POST", {"Content-Length": "1"}, (b"a",))

    async def receive_then_leave() -> object:
        return await Call.receive(call) if call.read == 0 else {"type": "http.disconnect"}

    call.receive = receive_then_leave  # type: ignore[assignment,method-assign]
    ask(limit_body(app, LIMIT), call)

    assert seen == ["http.request", "http.disconnect"]


def test_a_body_that_is_never_finished_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_SECONDS", 0.01)
    app = Recorder()

    assert ask(limit_body(app, LIMIT), Call("/", "POST", {"Content-Length": "5"}, ())).status == 408
    assert app.bodies == []
