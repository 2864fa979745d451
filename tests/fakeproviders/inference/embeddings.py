"""OpenAI's embeddings: a vector for each text, as numbers or as base64."""

import base64
import hashlib
import struct
from typing import Any, Final

from tests.fakeproviders.inference.question import Question, tokens
from tests.fakeproviders.inference.routes import Api, Dialect
from tests.fakeproviders.model import Ask
from tests.fakeproviders.wire import Answer, json_answer

_WIDTH: Final = 1536
_WIDEST: Final = 4096


def _speak(question: Question, dialect: Dialect, ask: Ask) -> Answer:
    texts = _texts(question.document["input"])
    asked = question.document.get("dimensions") or question.document.get("output_dimension")
    width = min(asked, _WIDEST) if isinstance(asked, int) and asked > 0 else _WIDTH
    as_base64 = question.document.get("encoding_format") == "base64"
    rows = [
        {"object": "embedding", "index": index, "embedding": _vector(text, width, as_base64=as_base64)}
        for index, text in enumerate(texts)
    ]
    given = sum(tokens(text) for text in texts)
    usage = {"prompt_tokens": given, "total_tokens": given}
    return json_answer(200, {"object": "list", "data": rows, "model": question.model, "usage": usage})


def _texts(asked: Any) -> list[str]:
    """One text, several, or tokens in their place."""
    if isinstance(asked, list) and asked and not isinstance(asked[0], int):
        return [str(text) for text in asked]
    return [str(asked)]


def _vector(text: str, width: int, *, as_base64: bool) -> str | list[float]:
    """The unit vector of ``text``: the same for the same text, another for another."""
    seed = [byte - 127.5 for byte in hashlib.sha256(text.encode("utf-8", "replace")).digest()]
    numbers = (seed * (width // len(seed) + 1))[:width]
    length = sum(number * number for number in numbers) ** 0.5
    packed = struct.pack(f"<{width}f", *(number / length for number in numbers))
    return base64.b64encode(packed).decode() if as_base64 else list(struct.unpack(f"<{width}f", packed))


EMBEDDINGS: Final = Api(name="embeddings", messages="input", speak=_speak)
