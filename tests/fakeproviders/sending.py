"""How well-formed answers go out: at once, late, or event by event at the pace that they were asked for."""

import asyncio
from collections.abc import AsyncIterator

from tests.fakeproviders.wire import Answer, Events, chunk

# A burst must not keep the other connections of this process waiting.
_EVENTS_AT_A_STRETCH = 64


async def send(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """Send all of ``answer``, each event flushed by itself, waiting while the client does not read."""
    if answer.after:
        await asyncio.sleep(answer.after)
    if answer.events is None:
        writer.write(answer.wire)
        await writer.drain()
        return
    writer.write(answer.opening)
    async for event in paced(answer.events):
        writer.write(chunk(event))
        await writer.drain()
    writer.write(chunk(b""))
    await writer.drain()


async def paced(events: Events) -> AsyncIterator[bytes]:
    """The events, each when it is due: reckoned from the first, so that lateness does not add up."""
    clock = asyncio.get_running_loop().time
    due = clock()
    for number, (wait, event) in enumerate(events.each()):
        due += wait
        pause = due - clock() if wait else 0.0
        if pause > 0 or number % _EVENTS_AT_A_STRETCH == 0:
            await asyncio.sleep(max(pause, 0.0))
        yield event
