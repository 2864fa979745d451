"""What is wrapped around a text: escapes, a mail's line ends, base64 (Celery bodies, sessions), gzip, zlib, the broker's own compression."""

import html
import re
import zlib
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from quopri import decodestring
from typing import Final
from urllib.parse import unquote_to_bytes

# So often something may be wrapped.
DEPTH: Final = 4
_LONGEST: Final = 8 * 1024 * 1024
_CHUNK: Final = 16 * 1024
_URL_ALPHABET: Final = bytes.maketrans(b"-_", b"+/")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_GZIP: Final = re.compile(rb"\x1f\x8b\x08")
_ZLIB: Final = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_ESCAPE: Final = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\"'/\\abfnrtv]))")
_CONTROLS: Final = bytes.maketrans(b"abfnrtv", b"\a\b\f\n\r\t\v")


def inside(data: bytes) -> Iterator[bytes]:
    """What is wrapped in ``data``, one layer down."""
    plain = _unescaped(data)
    if plain != data:
        yield plain
    if b"=\n" in data:
        yield decodestring(data)
    yield from _base64(data)
    yield from _inflated(data, _GZIP, 31)
    yield from _inflated(data, _ZLIB, 15)
    if data.startswith((b"REDIS", b"VALKEY")):
        yield from _lzf_strings(data)


def _unescaped(data: bytes) -> bytes:
    """Without percent, HTML, JSON and Python escapes. A text that is escaped twice takes another round."""
    if b"&" in data:
        data = html.unescape(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    if b"%" in data:
        data = unquote_to_bytes(data)
    return _ESCAPE.sub(_meant, data) if b"\\" in data else data


def _meant(escape: re.Match[bytes]) -> bytes:
    code, byte, character = escape.groups()
    if code:
        return chr(int(code, 16)).encode("utf-8", "surrogatepass")
    return bytes((int(byte, 16),)) if byte else bytes(character).translate(_CONTROLS)


def _base64(data: bytes) -> Iterator[bytes]:
    # Most are names and addresses, the same again and again.
    for found in dict.fromkeys(_BASE64.findall(data)):
        text = found.translate(_URL_ALPHABET)
        whole = text[: len(text) - 1] if len(text) % 4 == 1 else text
        yield b64decode(whole + b"=" * (-len(whole) % 4))


def _inflated(data: bytes, start: re.Pattern[bytes], window_bits: int) -> Iterator[bytes]:
    """What starts like a compressed stream and goes on like one to its end, checksum included.

    One that is cut off counts only where it is all there is: two bytes alone start like one by chance.
    """
    for found in start.finditer(data):
        stream = zlib.decompressobj(window_bits)
        inflated = bytearray()
        with suppress(zlib.error):
            for at in range(found.start(), len(data), _CHUNK):
                inflated += stream.decompress(memoryview(data)[at : at + _CHUNK])
                if stream.eof or len(inflated) > _LONGEST:
                    break
            if inflated and (stream.eof or not found.start()):
                yield bytes(inflated)


def _lzf_strings(data: bytes) -> Iterator[bytes]:
    """The compressed strings of an RDB file: 0xC3, two lengths, LZF. What does not fit its lengths was none."""
    at = data.find(b"\xc3")
    while at >= 0:
        with suppress(IndexError, ValueError):
            packed, start = _length(data, at + 1)
            unpacked, start = _length(data, start)
            yield _lzf(data[start : start + packed], unpacked)
        at = data.find(b"\xc3", at + 1)


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A length as RDB writes it, and where the next thing starts."""
    kind = data[at] >> 6
    if kind == 0:
        return data[at] & 0x3F, at + 1
    if kind == 1:
        return (data[at] & 0x3F) << 8 | data[at + 1], at + 2
    if data[at] == 0x80:
        return int.from_bytes(data[at + 1 : at + 5], "big"), at + 5
    raise ValueError("no length of a string")


def _lzf(packed: bytes, length: int) -> bytes:
    """Raises ``ValueError`` or ``IndexError`` for anything but LZF of ``length`` bytes."""
    out = bytearray()
    at = 0
    while at < len(packed) and len(out) <= length:
        control, at = packed[at], at + 1
        if control < 32:
            out += packed[at : at + control + 1]
            at += control + 1
            continue
        count = control >> 5
        if count == 7:
            count, at = count + packed[at], at + 1
        back, at = (control & 0x1F) << 8 | packed[at], at + 1
        if back >= len(out):
            raise ValueError("a reference to before the start")
        for _ in range(count + 2):
            out.append(out[-back - 1])
    if len(out) != length or not length:
        raise ValueError("not of that length")
    return bytes(out)
