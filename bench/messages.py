"""What is asked and answered: one chat completion of ordinary size, and streams of events, in the protocol of OpenAI."""

import json
import re
from dataclasses import dataclass
from typing import Final

PATH: Final = "/v1/chat/completions"
PROVIDER_KEY: Final = "-".join(("sk", "proj", "FAKE", "bench" * 8))
"""Obviously fake. The provider answers 401 without it, so that nothing passes for a gateway that does not swap keys."""

_PROMPT: Final = "Summarise the following minutes in three sentences for somebody who was not there. " * 8
_MODEL: Final = re.compile(rb'"model": ?"(?:openai/)?(\w+)-(\d+)-(\d+)"')


@dataclass(frozen=True)
class Stream:
    """``events`` of one stream, every ``period`` milliseconds; 0: as fast as they are taken. No events: no stream."""

    events: int = 0
    period: int = 0

    @property
    def model(self) -> str:
        return f"bench-{self.events}-{self.period}"

    @classmethod
    def asked_in(cls, body: bytes) -> "Stream":
        asked = _MODEL.search(body)
        return cls(int(asked[2]), int(asked[3])) if asked else cls()


ANSWER: Final = Stream()


def question(stream: Stream, prefix: str = "") -> bytes:
    """The body of a request; ``prefix`` names the provider where that is part of the model."""
    messages = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": _PROMPT}]
    document = {"model": prefix + stream.model, "stream": bool(stream.events), "messages": messages}
    return json.dumps(document).encode()


def completion() -> bytes:
    """The body of an answer that is no stream."""
    message = {"role": "assistant", "content": "The minutes say that it costs less than it did. " * 8}
    usage = {"prompt_tokens": 150, "completion_tokens": 88, "total_tokens": 238}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    document = {"id": "chatcmpl-bench", "object": "chat.completion", "created": 0, "model": "bench"}
    return json.dumps({**document, "choices": choices, "usage": usage}).encode()


def event() -> bytes:
    """One event of a stream."""
    choices = [{"index": 0, "delta": {"content": "minutes "}, "finish_reason": None}]
    document = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 0, "model": "bench"}
    return b"data: " + json.dumps({**document, "choices": choices}).encode() + b"\n\n"


LAST_EVENT: Final = b"data: [DONE]\n\n"
