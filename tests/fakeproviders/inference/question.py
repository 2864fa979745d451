"""What was asked, whichever of the protocols it was asked in: model, last message, images, and the tool to call."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.fakeproviders.inference import manner

_MOST_REPEATED: Final = 2_000
_IMAGES: Final = frozenset({"image", "image_url", "input_image"})
_TOOL_RESULTS: Final = frozenset({"function_call_output", "tool_result"})


class Unusable(Exception):
    """The provider would refuse this request; the message says why."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that may be called; ``schema`` is the JSON schema of its arguments."""

    name: str
    schema: dict[str, Any] = field(default_factory=dict)

    def arguments(self, text: str) -> dict[str, Any]:
        """Arguments that its schema allows, ``text`` wherever there is room for some."""
        return {
            name: _example(_mapping(schema), text) for name, schema in _mapping(self.schema.get("properties")).items()
        }


@dataclass(frozen=True, slots=True)
class Question:
    """``text`` is the last message; ``tool`` is the one to call, ``None`` when there is none, or it was called already."""

    document: dict[str, Any]
    model: str
    text: str
    images: int
    answers_a_tool: bool
    tool: Tool | None

    @property
    def stream(self) -> bool:
        """Whether it is to be answered event by event."""
        return self.document.get("stream") is True

    @property
    def asks_for_usage(self) -> bool:
        """Whether a stream is to tell its usage, where that isn't told anyway."""
        return _mapping(self.document.get("stream_options")).get("include_usage") is True

    @property
    def manner(self) -> manner.Manner:
        """How the answer is to come."""
        return manner.read(self.model)

    @property
    def said(self) -> str:
        """What is answered: the last message, so that a test can tell who got what."""
        seen = f" I see {self.images} image{'s' if self.images > 1 else ''}." if self.images else ""
        return f"{'The tool' if self.answers_a_tool else 'You'} said: {self.text}{seen}"

    @property
    def tokens(self) -> int:
        """How many tokens it counts for; 100 for each image."""
        return tokens(self.text) + 100 * self.images


def read(body: bytes, messages: str, *more: str) -> Question:
    """The question in ``body``, whose field ``messages`` holds what is asked; ``more`` are fields that it needs too.

    Raises ``Unusable``.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise Unusable("We could not parse the JSON body of your request.") from None
    if not isinstance(document, dict):
        raise Unusable("The body of your request is not a JSON object.")
    missing = next((name for name in ("model", messages, *more) if not document.get(name)), None)
    if missing or not isinstance(document["model"], str):
        raise Unusable(f"{missing or 'model'}: field required")
    said = _as_messages(document[messages])
    last = said[-1] if said else {}
    result = _result(last)
    text = _text(_parts(last)) if result is None else result
    return Question(
        document=document,
        model=document["model"],
        # Half a surrogate pair is valid JSON and no text.
        text=text[:_MOST_REPEATED].encode("utf-8", "replace").decode(),
        images=sum(part.get("type") in _IMAGES for message in said for part in _parts(message)),
        answers_a_tool=result is not None,
        tool=None if result is not None else _tool(document),
    )


def tokens(text: str) -> int:
    """How many tokens ``text`` counts for."""
    return len(text) // 4 + 1


def _as_messages(said: Any) -> list[dict[str, Any]]:
    """Messages, or the plain text that the Responses API takes for one."""
    if isinstance(said, str):
        return [{"role": "user", "content": said}]
    return _mappings(said)


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else _mappings(content)


def _text(parts: Iterable[dict[str, Any]]) -> str:
    return " ".join(part["text"] for part in parts if isinstance(part.get("text"), str))


def _result(last: dict[str, Any]) -> str | None:
    """What a tool gave back, when that is the last thing that was said."""
    if last.get("role") == "tool":
        return _text(_parts(last))
    if last.get("type") in _TOOL_RESULTS:
        return str(last.get("output", ""))
    given = [part for part in _parts(last) if part.get("type") in _TOOL_RESULTS]
    return _text(part for result in given for part in _parts(result)) if given else None


def _tool(document: dict[str, Any]) -> Tool | None:
    """The tool that was chosen, else the first; none where that was asked for. Each protocol nests them its own way."""
    choice = document.get("tool_choice")
    if choice == "none" or _mapping(choice).get("type") == "none":
        return None
    chosen = _inner(_mapping(choice)).get("name")
    tools = [_inner(tool) for tool in _mappings(document.get("tools"))]
    named = [tool for tool in tools if isinstance(tool.get("name"), str) and chosen in (None, tool["name"])]
    if not named:
        return None
    return Tool(named[0]["name"], _mapping(named[0].get("parameters") or named[0].get("input_schema")))


def _inner(tool: dict[str, Any]) -> dict[str, Any]:
    return _mapping(tool.get("function")) or tool


def _example(schema: dict[str, Any], text: str) -> Any:
    if schema.get("enum"):
        return schema["enum"][0]
    examples: dict[str, Any] = {"integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}, "null": None}
    return examples.get(str(schema.get("type")), text)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
