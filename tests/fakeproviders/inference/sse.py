"""Server-sent events: how the providers frame them, and an answer that consists of them."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.fakeproviders.wire import Answer, Events

DONE: Final = b"data: [DONE]\n\n"
FAILS_AFTER: Final = 3
"""How many events a stream has had when it is made to fail."""
_TYPE: Final = "text/event-stream; charset=utf-8"

Paced = Iterator[tuple[float, bytes]]


def data(document: Any) -> bytes:
    """An event without a name, as OpenAI's chat completions have them."""
    return b"data: %b\n\n" % _compact(document)


def named(document: dict[str, Any]) -> bytes:
    """An event named by the type of its ``document``."""
    return b"event: %b\ndata: %b\n\n" % (document["type"].encode(), _compact(document))


def answer(each: Callable[[], Paced], failure: Callable[[str], bytes]) -> Answer:
    """A stream of the events that ``each`` makes; ``failure`` as ``Events`` tells."""
    return Answer(200, b"", _TYPE, (("cache-control", "no-cache"),), events=Events(each, failure))


def _compact(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
