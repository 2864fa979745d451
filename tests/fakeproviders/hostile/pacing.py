"""Providers that take their time: silence, a byte a second, late answers, and gates that a test opens."""

import asyncio
import re
from typing import Final

from tests.fakeproviders.hostile.act import Act, Stage, lenient_list
from tests.fakeproviders.wire import head

SECONDS_PER_BYTE: Final = 1.0


async def hang(_stage: Stage) -> None:
    await asyncio.Event().wait()


async def drip_headers(stage: Stage) -> None:
    await _drip(stage, stage.answer("good").wire)


async def drip_body(stage: Stage) -> None:
    body = lenient_list(stage)
    await stage.send(head(200, (("content-type", "application/json"), ("content-length", str(len(body))))))
    await _drip(stage, body)


async def _drip(stage: Stage, data: bytes) -> None:
    for index in range(len(data)):
        await stage.send(data[index : index + 1])
        await asyncio.sleep(SECONDS_PER_BYTE)


def slow(name: str) -> Act | None:
    """``slow<seconds>``: the good answer, that much later."""
    found = re.fullmatch(r"slow(\d+)", name)
    if not found:
        return None
    seconds = int(found[1])

    async def answer_late(stage: Stage) -> None:
        await asyncio.sleep(seconds)
        await stage.finish(stage.answer("good"))

    return answer_late


def gate(name: str) -> Act | None:
    """``gate…``: nothing until the test opens the gate; ``gatebody…``: the headers first."""
    if not name.startswith("gate"):
        return None
    return _gate_before_body if name.startswith("gatebody") else _gate_before_headers


async def _gate_before_headers(stage: Stage) -> None:
    await stage.finish(stage.answer(await stage.gate()))


async def _gate_before_body(stage: Stage) -> None:
    body = lenient_list(stage)
    await stage.send(head(200, (("content-type", "application/json"), ("content-length", str(len(body))))))
    await stage.gate()
    await stage.send(body)


ACTS: Final[dict[str, Act]] = {"hang": hang, "dripheaders": drip_headers, "dripbody": drip_body}
