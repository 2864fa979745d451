"""Anthropic's Messages: one message, or a stream of named events; and how many tokens a request would take."""

import json
from typing import Any, Final

from tests.fakeproviders.inference import sse
from tests.fakeproviders.inference.manner import Manner, Pieces
from tests.fakeproviders.inference.question import Question, tokens
from tests.fakeproviders.inference.routes import Api, Dialect
from tests.fakeproviders.model import Ask
from tests.fakeproviders.wire import Answer, json_answer

_CACHE: Final = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}


def _speak(question: Question, dialect: Dialect, ask: Ask) -> Answer:
    if question.stream:
        return sse.answer(lambda: _events(question, ask), lambda message: _failure(dialect, ask, message))
    block = _block(question, ask)
    said = {"text": question.manner.whole(question.said)} if question.tool is None else {"input": _input(question)}
    stopped = {"stop_reason": _reason(question), "stop_sequence": None}
    usage = {"input_tokens": question.tokens, **_CACHE, "output_tokens": _taken(question), "service_tier": "standard"}
    return json_answer(200, {**_message(question, ask), "content": [{**block, **said}], **stopped, "usage": usage})


def _events(question: Question, ask: Ask) -> sse.Paced:
    usage = {"input_tokens": question.tokens, **_CACHE, "output_tokens": 1, "service_tier": "standard"}
    begun = {**_message(question, ask), "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    yield 0.0, sse.named({"type": "message_start", "message": begun})
    yield 0.0, sse.named({"type": "content_block_start", "index": 0, "content_block": _block(question, ask)})
    yield 0.0, sse.named({"type": "ping"})
    for wait, piece in _pieces(question):
        kind = (
            {"type": "input_json_delta", "partial_json": piece}
            if question.tool
            else {"type": "text_delta", "text": piece}
        )
        yield wait, sse.named({"type": "content_block_delta", "index": 0, "delta": kind})
    yield 0.0, sse.named({"type": "content_block_stop", "index": 0})
    stopped = {"stop_reason": _reason(question), "stop_sequence": None}
    taken = {"input_tokens": question.tokens, **_CACHE, "output_tokens": _taken(question)}
    yield 0.0, sse.named({"type": "message_delta", "delta": stopped, "usage": taken})
    yield 0.0, sse.named({"type": "message_stop"})


def _message(question: Question, ask: Ask) -> dict[str, Any]:
    return {"id": f"msg_01FAKE{ask.id:018d}", "type": "message", "role": "assistant", "model": question.model}


def _block(question: Question, ask: Ask) -> dict[str, Any]:
    """The block that the answer consists of, empty yet."""
    if question.tool is None:
        return {"type": "text", "text": ""}
    return {"type": "tool_use", "id": f"toolu_01FAKE{ask.id:016d}", "name": question.tool.name, "input": {}}


def _pieces(question: Question) -> Pieces:
    if question.tool is None:
        return question.manner.pieces(question.said)
    return Manner(every=question.manner.every).pieces(json.dumps(_input(question)))


def _input(question: Question) -> dict[str, Any]:
    return question.tool.arguments(question.text) if question.tool else {}


def _reason(question: Question) -> str:
    return "tool_use" if question.tool else "end_turn"


def _taken(question: Question) -> int:
    return tokens(question.text if question.tool else question.manner.whole(question.said))


def _failure(dialect: Dialect, ask: Ask, message: str) -> bytes:
    return b"event: error\ndata: %b\n\n" % dialect.complain(529, message)(ask).body


def _count(question: Question, dialect: Dialect, ask: Ask) -> Answer:
    return json_answer(200, {"input_tokens": question.tokens})


MESSAGES: Final = Api(name="messages", messages="messages", speak=_speak, needs=("max_tokens",))
COUNT_TOKENS: Final = Api(name="count_tokens", messages="messages", speak=_count)
