"""OpenAI's Responses: one response, or its stream of named, numbered events."""

import json
import time
from collections.abc import Iterator
from typing import Any, Final

from tests.fakeproviders.inference import sse
from tests.fakeproviders.inference.manner import Manner
from tests.fakeproviders.inference.question import Question, tokens
from tests.fakeproviders.inference.routes import Api, Dialect
from tests.fakeproviders.model import Ask
from tests.fakeproviders.wire import Answer, json_answer

_Documents = Iterator[tuple[float, dict[str, Any]]]


def _speak(question: Question, dialect: Dialect, ask: Ask) -> Answer:
    if question.stream:
        return sse.answer(lambda: _numbered(_events(question, ask)), lambda message: _failure(dialect, ask, message))
    return json_answer(200, _response(question, ask, [_item(question, ask)], _usage(question)))


def _response(question: Question, ask: Ask, output: list[Any], usage: dict[str, Any] | None) -> dict[str, Any]:
    asked = question.document
    return {
        "id": f"resp_FAKE{ask.id:024d}",
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed" if usage else "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": asked.get("instructions"),
        "max_output_tokens": asked.get("max_output_tokens"),
        "model": question.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": asked.get("previous_response_id"),
        "reasoning": {"effort": None, "summary": None},
        "store": asked.get("store", True),
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": asked.get("tool_choice", "auto"),
        "tools": asked.get("tools", []),
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage,
        "metadata": asked.get("metadata") or {},
    }


def _item(question: Question, ask: Ask) -> dict[str, Any]:
    """The one item that the response consists of, complete."""
    if question.tool:
        arguments = json.dumps(question.tool.arguments(question.text))
        call = {"type": "function_call", "call_id": f"call_FAKE{ask.id:024d}", "name": question.tool.name}
        return {"id": f"fc_FAKE{ask.id:024d}", "status": "completed", **call, "arguments": arguments}
    content = [_part(question.manner.whole(question.said))]
    message = {"type": "message", "role": "assistant", "content": content}
    return {"id": f"msg_FAKE{ask.id:024d}", "status": "completed", **message}


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _usage(question: Question) -> dict[str, Any]:
    said = question.text if question.tool else question.manner.whole(question.said)
    given, taken = question.tokens, tokens(said)
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": taken,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": given + taken,
    }


def _events(question: Question, ask: Ask) -> _Documents:
    item = _item(question, ask)
    begun = _response(question, ask, [], None)
    nothing: dict[str, Any] = {"arguments": ""} if question.tool else {"content": []}
    empty = {**item, "status": "in_progress", **nothing}
    yield 0.0, {"type": "response.created", "response": begun}
    yield 0.0, {"type": "response.in_progress", "response": begun}
    yield 0.0, {"type": "response.output_item.added", "output_index": 0, "item": empty}
    yield from _calling(question, item) if question.tool else _saying(question, item)
    yield 0.0, {"type": "response.output_item.done", "output_index": 0, "item": item}
    yield 0.0, {"type": "response.completed", "response": _response(question, ask, [item], _usage(question))}


def _saying(question: Question, item: dict[str, Any]) -> _Documents:
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    [part] = item["content"]
    yield 0.0, {"type": "response.content_part.added", **place, "part": _part("")}
    for wait, piece in question.manner.pieces(question.said):
        yield wait, {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
    yield 0.0, {"type": "response.output_text.done", **place, "text": part["text"], "logprobs": []}
    yield 0.0, {"type": "response.content_part.done", **place, "part": part}


def _calling(question: Question, item: dict[str, Any]) -> _Documents:
    place = {"item_id": item["id"], "output_index": 0}
    for wait, piece in Manner(every=question.manner.every).pieces(item["arguments"]):
        yield wait, {"type": "response.function_call_arguments.delta", **place, "delta": piece}
    done = {"name": item["name"], "arguments": item["arguments"]}
    yield 0.0, {"type": "response.function_call_arguments.done", **place, **done}


def _numbered(documents: _Documents) -> sse.Paced:
    for number, (wait, document) in enumerate(documents):
        yield wait, sse.named({**document, "sequence_number": number})


def _failure(dialect: Dialect, ask: Ask, message: str) -> bytes:
    said = message.replace("{whole}", ask.credential)
    error = {"type": "error", "code": "server_error", "message": said, "param": None}
    return sse.named({**error, "sequence_number": sse.FAILS_AFTER})


RESPONSES: Final = Api(name="responses", messages="input", speak=_speak)
