"""More than anyone asked for: bombs and streams without end. All are made as they are sent; none is held in memory."""

import asyncio
import struct
import zlib
from collections.abc import Iterator
from typing import Final

from tests.fakeproviders.hostile.act import Act, Stage, lenient_list
from tests.fakeproviders.wire import head

BOMB_MIB: Final = 320
BIG_BYTES: Final = 10_000_000
_MIB: Final = 1024 * 1024
_JSON: Final = ("content-type", "application/json")
_CHUNKED: Final = ("transfer-encoding", "chunked")
# Endless streams breathe: the point is that they do not end, not that they fill this machine's memory.
_BREATH: Final = 0.001


def bomb() -> Iterator[bytes]:
    """A gzip file of 320 MiB of blanks, about 0.3 MB long, piece by piece."""
    blanks = b" " * _MIB
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    # A full flush makes the block independent of what came before, so one compressed block serves 320 times.
    block = squeeze.compress(blanks) + squeeze.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    yield b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    for _ in range(BOMB_MIB):
        checksum = zlib.crc32(blanks, checksum)
        yield block
    yield squeeze.flush(zlib.Z_FINISH) + struct.pack("<II", checksum, BOMB_MIB * _MIB)


async def _gzip_bomb(stage: Stage) -> None:
    await stage.send(head(200, (_JSON, ("content-encoding", "gzip"), ("connection", "close"))))
    for piece in bomb():
        await stage.send(piece)
        await asyncio.sleep(0)


async def _big(stage: Stage) -> None:
    before, after = b'{"padding": "', b'"}'
    await stage.send(head(200, (_JSON, ("content-length", str(BIG_BYTES)))) + before)
    left = BIG_BYTES - len(before) - len(after)
    while left:
        size = min(left, 65536)
        await stage.send(b"x" * size)
        left -= size
    await stage.send(after)


async def _endless_chunks(stage: Stage) -> None:
    await stage.send(head(200, (_JSON, _CHUNKED)))
    await _for_ever(stage, b"4000\r\n" + b" " * 0x4000 + b"\r\n")


async def _endless_trailers(stage: Stage) -> None:
    body = lenient_list(stage)
    await stage.send(head(200, (_JSON, _CHUNKED)) + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n")
    await _for_ever(stage, b"x-trailer: " + b"a" * 100 + b"\r\n")


async def _endless_headers(stage: Stage) -> None:
    await stage.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
    await _for_ever(stage, b"x-flood: " + b"a" * 1000 + b"\r\n")


async def _endless_header(stage: Stage) -> None:
    await stage.send(b"HTTP/1.1 200 OK\r\nx-long: ")
    await _for_ever(stage, b"a" * 4096)


async def _endless_continues(stage: Stage) -> None:
    await _for_ever(stage, b"HTTP/1.1 100 Continue\r\n\r\n")


async def _for_ever(stage: Stage, data: bytes) -> None:
    while True:
        await stage.send(data)
        await asyncio.sleep(_BREATH)


ACTS: Final[dict[str, Act]] = {
    "gzipbomb": _gzip_bomb,
    "big": _big,
    "endless": _endless_chunks,
    "trailers": _endless_trailers,
    "headerflood": _endless_headers,
    "longheader": _endless_header,
    "continues": _endless_continues,
}
