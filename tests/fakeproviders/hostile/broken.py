"""Answers that are not HTTP, or stop being it. Several hold the key, because a library's error text would quote them."""

from typing import Final

from tests.fakeproviders.hostile.act import Act, Stage, lenient_list
from tests.fakeproviders.wire import head

_JSON: Final = ("content-type", "application/json")


async def _reset(stage: Stage) -> None:
    await stage.reset()


async def _reset_in_body(stage: Stage) -> None:
    await _part_of_body(stage)
    await stage.reset()


async def _close(_stage: Stage) -> None:
    """The connection is closed when an act returns."""


async def _part_of_body(stage: Stage) -> None:
    body = lenient_list(stage)
    await stage.send(head(200, (_JSON, ("content-length", str(len(body) * 2)))) + body)


async def _bad_status(stage: Stage) -> None:
    await stage.send(f"HTTP/1.1 {stage.ask.credential}\r\n\r\n".encode("latin-1", "replace"))


async def _bad_length(stage: Stage) -> None:
    # No list here: some libraries read such a body to its end, and would call the key good.
    await stage.send(head(200, (_JSON, ("content-length", stage.ask.credential))) + b"{}")


async def _bad_chunk(stage: Stage) -> None:
    await stage.send(head(200, (_JSON, ("transfer-encoding", "chunked"))))
    await stage.send(
        f"{stage.ask.credential}\r\n".encode("latin-1", "replace") + lenient_list(stage) + b"\r\n0\r\n\r\n"
    )


async def _bad_gzip(stage: Stage) -> None:
    body = lenient_list(stage)
    await stage.send(head(200, (_JSON, ("content-encoding", "gzip"), ("content-length", str(len(body))))) + body)


ACTS: Final[dict[str, Act]] = {
    "reset": _reset,
    "resetbody": _reset_in_body,
    "close": _close,
    "cutbody": _part_of_body,
    "badstatus": _bad_status,
    "badlength": _bad_length,
    "badchunk": _bad_chunk,
    "badgzip": _bad_gzip,
}
