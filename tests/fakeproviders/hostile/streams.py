"""Streams that go wrong after a good beginning of three events. What is not streamed is answered as it should be."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

from tests.fakeproviders.hostile.act import Act, Stage
from tests.fakeproviders.inference.sse import FAILS_AFTER
from tests.fakeproviders.sending import paced
from tests.fakeproviders.wire import Events, chunk

_BROKEN_EVENT: Final = b'data: {"choices": [{"delta": \xff\n\n'
_FAILED: Final = "The server had an error while processing your request."
_Rest = AsyncIterator[bytes]
_GoOn = Callable[[Stage, Events, _Rest], Coroutine[Any, Any, None]]


def _after_three(go_on: _GoOn) -> Act:
    async def act(stage: Stage) -> None:
        answer = stage.answer("good")
        if answer.events is None:
            await stage.finish(answer)
            return
        await stage.send(answer.closing().opening)
        rest = paced(answer.events)
        for _ in range(FAILS_AFTER):
            await stage.send(chunk(await anext(rest)))
        await go_on(stage, answer.events, rest)

    return act


async def _cut(_stage: Stage, _events: Events, _rest: _Rest) -> None:
    """The connection is closed when an act returns: the last chunk is missing."""


async def _end(stage: Stage, _events: Events, _rest: _Rest) -> None:
    await stage.send(chunk(b""))


async def _reset(stage: Stage, _events: Events, _rest: _Rest) -> None:
    await stage.reset()


async def _hang(_stage: Stage, _events: Events, _rest: _Rest) -> None:
    await asyncio.Event().wait()


async def _fail(stage: Stage, events: Events, _rest: _Rest) -> None:
    await stage.send(chunk(events.failure(_FAILED)) + chunk(b""))


async def _fail_with_key(stage: Stage, events: Events, _rest: _Rest) -> None:
    await stage.send(chunk(events.failure(f"{_FAILED} Your key is {{whole}}.")) + chunk(b""))


async def _go_on(stage: Stage, _events: Events, rest: _Rest) -> None:
    async for event in rest:
        await stage.send(chunk(event))
    await stage.send(chunk(b""))


async def _break_an_event(stage: Stage, events: Events, rest: _Rest) -> None:
    await stage.send(chunk(_BROKEN_EVENT))
    await _go_on(stage, events, rest)


async def _wait_at_the_gate(stage: Stage, events: Events, rest: _Rest) -> None:
    await _THEN.get(await stage.gate(), _go_on)(stage, events, rest)


_THEN: Final[dict[str, _GoOn]] = {
    "cutstream": _cut,
    "endstream": _end,
    "resetstream": _reset,
    "hangstream": _hang,
    "errorinstream": _fail,
    "echoinstream": _fail_with_key,
    "badstream": _break_an_event,
}

ACTS: Final[dict[str, Act]] = {name: _after_three(go_on) for name, go_on in _THEN.items()}

ROWS: Final = {
    "cutstream": "the connection is closed after the third event",
    "endstream": "the answer ends after the third event, without the last one of its protocol",
    "resetstream": "the connection is reset after the third event",
    "hangstream": "silence after the third event",
    "errorinstream": "the fourth event is an error",
    "echoinstream": "the fourth event is an error that quotes the key",
    "badstream": "the fourth event is neither JSON nor UTF-8",
}


def gate(name: str) -> Act | None:
    """``gatestream…``: three events, and nothing more until the test opens the gate; it may name one of the above."""
    return _after_three(_wait_at_the_gate) if name.startswith("gatestream") else None
