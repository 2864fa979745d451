"""OpenAI's Chat Completions, which most providers speak: one answer, or a stream of chunks that ends in ``[DONE]``."""

import json
import time
from collections.abc import Callable
from typing import Any, Final

from tests.fakeproviders.inference import sse
from tests.fakeproviders.inference.manner import Manner
from tests.fakeproviders.inference.question import Question, Tool, tokens
from tests.fakeproviders.inference.routes import Api, Dialect
from tests.fakeproviders.model import Ask
from tests.fakeproviders.wire import Answer, json_answer

_Chunk = Callable[..., bytes]


def _speak(question: Question, dialect: Dialect, ask: Ask) -> Answer:
    known = {"id": f"chatcmpl-FAKE{ask.id:024d}", "created": int(time.time()), "model": question.model}
    if question.stream:
        return sse.answer(lambda: _events(question, dialect, known), lambda message: _failure(dialect, ask, message))
    return json_answer(200, _completion(question, dialect, known))


def _completion(question: Question, dialect: Dialect, known: dict[str, Any]) -> dict[str, Any]:
    content = None if question.tool else question.manner.whole(question.said)
    message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None, "annotations": []}
    if question.tool:
        message["tool_calls"] = [_call(question.tool, question.text, known)]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(question)}
    usage = _usage(question, dialect)
    return {"object": "chat.completion", **known, "choices": [choice], "usage": usage, "service_tier": "default"}


def _events(question: Question, dialect: Dialect, known: dict[str, Any]) -> sse.Paced:
    own_chunk = dialect.usage == "always" or (dialect.usage == "asked" and question.asks_for_usage)
    more = {"usage": None} if own_chunk else {}

    def chunk(delta: dict[str, Any], finish: str | None = None, **other: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return sse.data({"object": "chat.completion.chunk", **known, "choices": [choice], **more, **other})

    for line in dialect.waiting:
        yield 0.0, line
    yield from _calling(question.tool, question, known, chunk) if question.tool else _saying(question, chunk)
    usage = _usage(question, dialect)
    yield 0.0, chunk({}, _finish(question), **({"usage": usage} if dialect.usage == "last" else {}))
    if own_chunk:
        yield 0.0, sse.data({"object": "chat.completion.chunk", **known, "choices": [], "usage": usage})
    yield 0.0, sse.DONE


def _saying(question: Question, chunk: _Chunk) -> sse.Paced:
    yield 0.0, chunk({"role": "assistant", "content": "", "refusal": None})
    for wait, piece in question.manner.pieces(question.said):
        yield wait, chunk({"content": piece})


def _calling(tool: Tool, question: Question, known: dict[str, Any], chunk: _Chunk) -> sse.Paced:
    call = _call(tool, question.text, known)
    arguments = call["function"]["arguments"]
    opened = {"index": 0, **call, "function": {"name": tool.name, "arguments": ""}}
    yield 0.0, chunk({"role": "assistant", "content": None, "tool_calls": [opened]})
    for wait, piece in Manner(every=question.manner.every).pieces(arguments):
        yield wait, chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})


def _call(tool: Tool, text: str, known: dict[str, Any]) -> dict[str, Any]:
    function = {"name": tool.name, "arguments": json.dumps(tool.arguments(text))}
    return {"id": f"call_{known['id'][9:]}", "type": "function", "function": function}


def _finish(question: Question) -> str:
    return "tool_calls" if question.tool else "stop"


def _usage(question: Question, dialect: Dialect) -> dict[str, Any]:
    said = question.manner.whole(question.said) if question.tool is None else question.text
    given, taken = question.tokens, tokens(said)
    return {
        "prompt_tokens": given,
        "completion_tokens": taken,
        "total_tokens": given + taken,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
        **dialect.more_usage,
    }


def _failure(dialect: Dialect, ask: Ask, message: str) -> bytes:
    """An error in mid-stream: the envelope that the provider's errors have anyway, as an event."""
    return b"data: %b\n\n" % dialect.complain(500, message)(ask).body


CHAT: Final = Api(name="chat", messages="messages", speak=_speak)
