"""The shapes in which a secret can turn up. What is planted in these must be found."""

import gzip
import json
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from quopri import encodestring
from typing import Final
from urllib.parse import quote, quote_plus

from django.core import signing
from django.utils.html import escape

# Something around the secret: it never stands alone, and a compressed form is shorter only than a text that repeats itself.
_AROUND: Final = "the text around it, " * 4


def _each(form: str) -> Callable[[str], bytes]:
    return lambda secret: "".join(form.format(ord(character)) for character in secret).encode()


def _base64(shift: int) -> Callable[[str], bytes]:
    return lambda secret: b64encode(b"?" * shift + secret.encode())


def _celery(secret: str) -> bytes:
    body = b64encode(json.dumps([[secret], {}, {"callbacks": None}]).encode()).decode()
    return json.dumps({"body": body, "content-type": "application/json"}).encode()


DISGUISES: Final[Mapping[str, Callable[[str], bytes]]] = {
    "raw": str.encode,
    "percent": lambda secret: quote(secret, safe="").encode(),
    "form": lambda secret: quote_plus(secret).encode(),
    "html": lambda secret: escape(secret).encode(),
    "html references": _each("&#x{:x};"),
    "json": lambda secret: json.dumps({"a": secret}).encode(),
    "json escapes": _each("\\u{:04x}"),
    "python": lambda secret: repr(secret.encode()).encode(),
    "base64 at 0": _base64(0),
    "base64 at 1": _base64(1),
    "base64 at 2": _base64(2),
    "base64url": lambda secret: urlsafe_b64encode(secret.encode()),
    "hex": lambda secret: secret.encode().hex().encode(),
    "upper hex": lambda secret: secret.encode().hex().upper().encode(),
    "utf-16": lambda secret: secret.encode("utf-16-le"),
    "gzip": lambda secret: gzip.compress((_AROUND + secret).encode()),
    "zlib": lambda secret: zlib.compress((_AROUND + secret).encode()),
    "celery": _celery,
    "session": lambda secret: signing.dumps(_AROUND + secret, key="not a key", compress=True).encode(),
    "mail": lambda secret: encodestring(f"{'.' * 70}{secret}".encode()),
    "json in html": lambda secret: escape(json.dumps(secret)).encode(),
}


def as_text(data: bytes) -> str:
    """``data`` for a place that takes text alone: as it is, or in base64."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return b64encode(data).decode()
    return text if text.isprintable() else b64encode(data).decode()
