"""Inference as each provider serves it: what SDKs parse, and what tells who got what."""

import base64
import json
import struct
from typing import Any

import pytest

from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders_tests import raw
from tests.fakeproviders_tests.inference import CHAT, MESSAGES, ROUTES, SAID, Asking, events, headers, key, text

EVERYONE = pytest.mark.parametrize("provider", ROUTES)
IMAGES = [
    {"type": "text", "text": SAID},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}},
]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "unit": {"enum": ["c", "f"]}}}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}
CALLED_WITH = {"city": SAID, "unit": "c"}


@pytest.fixture
def ask(providers: CheckedProviders) -> Asking:
    return Asking(providers)


def said(provider: str, document: Any) -> str:
    if provider == "anthropic":
        return str(document["content"][0]["text"])
    return str(document["choices"][0]["message"]["content"])


@EVERYONE
def test_an_answer_repeats_the_question_streamed_or_not(provider: str, ask: Asking) -> None:
    whole, streamed = ask(provider), ask(provider, stream=True)
    assert SAID in said(provider, whole.document)
    assert text(provider, streamed.body) == said(provider, whole.document)
    assert whole.headers["content-type"] == "application/json"
    assert streamed.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("provider", CHAT)
def test_a_stream_of_chunks_has_one_id_an_end_and_a_reason(provider: str, ask: Asking) -> None:
    body = ask(provider, stream=True).body
    assert body.endswith(b"data: [DONE]\n\n")
    chunks = events(body)
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]][-1] == "stop"


@pytest.mark.parametrize(
    ("provider", "options", "choices"),
    [
        ("openai", None, None),
        ("openai", {"include_usage": True}, 0),
        ("google_vertex_ai", None, None),
        ("google_vertex_ai", {"include_usage": True}, 0),
        ("xai", None, 0),
        ("mistral", None, 1),
        ("deepseek", None, 1),
        ("zai", None, 1),
    ],
)
def test_a_stream_tells_its_usage_where_this_provider_does(
    provider: str, options: dict[str, bool] | None, choices: int | None, ask: Asking
) -> None:
    more: dict[str, Any] = {"stream_options": options} if options else {}
    told = [chunk for chunk in events(ask(provider, stream=True, **more).body) if chunk.get("usage")]
    assert [len(chunk["choices"]) for chunk in told] == ([] if choices is None else [choices])
    usage = ask(provider).document["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert all(chunk["usage"] == usage for chunk in told)


def test_deepseek_sends_comments_while_it_thinks(ask: Asking) -> None:
    assert ask("deepseek", stream=True).body.startswith(b": keep-alive\n\n: keep-alive\n\ndata: {")


@EVERYONE
def test_each_answer_has_a_name_of_its_own(provider: str, ask: Asking) -> None:
    credential = key(provider)
    assert ask(provider, credential).document["id"] != ask(provider, credential).document["id"]


@pytest.mark.parametrize("provider", CHAT)
def test_a_tool_is_called_as_its_schema_allows_streamed_in_pieces(provider: str, ask: Asking) -> None:
    choice = ask(provider, tools=[TOOL]).document["choices"][0]
    [call] = choice["message"]["tool_calls"]
    assert (choice["finish_reason"], call["function"]["name"]) == ("tool_calls", "get_weather")
    assert json.loads(call["function"]["arguments"]) == CALLED_WITH
    chunks = events(ask(provider, tools=[TOOL], stream=True).body)
    pieces = [
        piece for chunk in chunks for choice in chunk["choices"] for piece in choice["delta"].get("tool_calls", ())
    ]
    assert len(pieces) > 3
    assert "".join(piece["function"]["arguments"] for piece in pieces) == call["function"]["arguments"]


TOOL_CHOICES: dict[str, tuple[Any, str | None]] = {
    "automatic": ("auto", "get_weather"),
    "none": ("none", None),
    "the other": ({"type": "function", "function": {"name": "get_time"}}, "get_time"),
}


@pytest.mark.parametrize("choice", TOOL_CHOICES)
def test_the_chosen_tool_is_called(choice: str, ask: Asking) -> None:
    chosen, name = TOOL_CHOICES[choice]
    other = {"type": "function", "function": {"name": "get_time"}}
    message = ask("openai", tools=[TOOL, other], tool_choice=chosen).document["choices"][0]["message"]
    assert [call["function"]["name"] for call in message.get("tool_calls", ())] == ([name] if name else [])


def test_what_a_tool_gave_is_repeated_and_no_tool_called_again(ask: Asking) -> None:
    given = [*MESSAGES, {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}]
    assert said("openai", ask("openai", messages=given, tools=[TOOL]).document) == "The tool said: sunny"
    result = [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "rain"}]}]
    claude = ask("anthropic", messages=[*MESSAGES, {"role": "user", "content": result}], tools=[TOOL])
    assert said("anthropic", claude.document) == "The tool said: rain"


def test_images_are_counted(ask: Asking) -> None:
    answer = ask("openai", messages=[{"role": "user", "content": IMAGES}])
    assert said("openai", answer.document).endswith("I see 2 images.")


class TestMessages:
    def test_the_events_come_in_order_with_usage_at_both_ends(self, ask: Asking) -> None:
        body = ask("anthropic", stream=True).body
        documents = events(body)
        names = [line.removeprefix("event: ") for line in body.decode().split("\n") if line.startswith("event: ")]
        kinds = [document["type"] for document in documents]
        assert names == kinds
        assert kinds[:3] == ["message_start", "content_block_start", "ping"]
        assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
        usage = ask("anthropic").document["usage"]
        assert documents[0]["message"]["usage"]["input_tokens"] == usage["input_tokens"]
        assert documents[-2]["usage"]["output_tokens"] == usage["output_tokens"]

    def test_a_tool_is_used(self, ask: Asking) -> None:
        tool = {"name": "get_weather", "input_schema": SCHEMA}
        message = ask("anthropic", tools=[tool]).document
        assert (message["stop_reason"], message["content"][0]["input"]) == ("tool_use", CALLED_WITH)
        documents = events(ask("anthropic", tools=[tool], stream=True).body)
        pieces = [
            document["delta"]["partial_json"] for document in documents if document["type"] == "content_block_delta"
        ]
        assert json.loads("".join(pieces)) == CALLED_WITH

    def test_tokens_are_counted(self, ask: Asking) -> None:
        counted = ask("anthropic", path="/v1/messages/count_tokens").document
        assert counted == {"input_tokens": ask("anthropic").document["usage"]["input_tokens"]}

    @pytest.mark.parametrize(("version", "status"), [("2023-06-01", 200), ("2026-10-21", 400)])
    def test_the_newer_version_has_no_sampling(self, version: str, status: int, ask: Asking) -> None:
        assert ask("anthropic", temperature=1, sent={"anthropic-version": version}).status == status
        assert ask("anthropic", sent={"anthropic-version": version}).status == 200

    def test_a_key_may_be_a_bearer_token_which_is_not_how_it_is_ours(self, providers: CheckedProviders) -> None:
        providers.expect_violations("key_in_header", "unknown_header")
        sent = headers("anthropic", key("anthropic"))
        sent["authorization"] = f"Bearer {sent.pop('x-api-key')}"
        document = json.dumps({"model": "claude-opus-4-5", "max_tokens": 9, "messages": MESSAGES}).encode()
        assert raw.ask(providers.base_urls["anthropic"], sent, "/v1/messages", "POST", document).status == 200


class TestResponses:
    @pytest.mark.parametrize("provider", ["openai", "xai"])
    @pytest.mark.parametrize("asked", [SAID, [{"role": "user", "content": [{"type": "input_text", "text": SAID}]}]])
    def test_the_stream_ends_in_the_whole_response(self, provider: str, asked: Any, ask: Asking) -> None:
        whole = ask(provider, path="/v1/responses", input=asked).document
        assert SAID in whole["output"][0]["content"][0]["text"]
        documents = events(ask(provider, path="/v1/responses", input=asked, stream=True).body)
        assert [document["sequence_number"] for document in documents] == list(range(len(documents)))
        assert documents[0]["type"] == "response.created"
        last = documents[-1]
        assert (last["type"], last["response"]["usage"]) == ("response.completed", whole["usage"])
        pieces = [document["delta"] for document in documents if document["type"] == "response.output_text.delta"]
        assert "".join(pieces) == whole["output"][0]["content"][0]["text"]

    def test_a_function_is_called(self, ask: Asking) -> None:
        tool = {"type": "function", "name": "get_weather", "parameters": SCHEMA}
        call = ask("openai", path="/v1/responses", input=SAID, tools=[tool]).document["output"][0]
        assert (call["type"], json.loads(call["arguments"])) == ("function_call", CALLED_WITH)
        documents = events(ask("openai", path="/v1/responses", input=SAID, tools=[tool], stream=True).body)
        pieces = [row["delta"] for row in documents if row["type"] == "response.function_call_arguments.delta"]
        assert "".join(pieces) == call["arguments"]


EMBEDDINGS = {"openai": "/v1/embeddings", "mistral": "/v1/embeddings", "zai": "/api/paas/v4/embeddings"}


@pytest.mark.parametrize("provider", EMBEDDINGS)
def test_embeddings_come_as_numbers_or_base64(provider: str, ask: Asking) -> None:
    asked: dict[str, Any] = {"path": EMBEDDINGS[provider], "input": ["one", "two"]}
    numbers = ask(provider, **asked).document["data"]
    packed = ask(provider, **asked, encoding_format="base64").document["data"]
    assert [row["index"] for row in numbers] == [0, 1]
    assert numbers[0]["embedding"] != numbers[1]["embedding"]
    for row, same in zip(numbers, packed, strict=True):
        assert list(struct.unpack("<1536f", base64.b64decode(same["embedding"]))) == row["embedding"]
    assert len(ask(provider, **asked, dimensions=8).document["data"][0]["embedding"]) == 8


REFUSED: dict[str, tuple[dict[str, Any], int]] = {
    "no model": ({"model": None}, 400),
    "a model that is none": ({"model": 7}, 400),
    "no messages": ({"messages": []}, 400),
    "the gateway's prefix": ({"model": "openai/google/gpt-4o/more"}, 404),
}


@EVERYONE
@pytest.mark.parametrize("what", REFUSED)
def test_what_no_provider_takes_is_refused_in_its_own_words(provider: str, what: str, ask: Asking) -> None:
    more, status = REFUSED[what]
    answer = ask(provider, **more)
    assert answer.status == status
    document = answer.document[0] if provider == "google_vertex_ai" else answer.document
    assert isinstance(document, dict)
    assert "error" in document or document["object"] == "error"


@pytest.mark.parametrize(("provider", "model"), [("openai", "openai/gpt-4o"), ("google_vertex_ai", "gemini-2.5-flash")])
def test_ids_of_models_have_a_publisher_at_vertex_alone(provider: str, model: str, ask: Asking) -> None:
    assert ask(provider, model=model).status == 404
    assert ask(provider).status == 200


def test_odd_requests_are_answered_too(providers: CheckedProviders) -> None:
    sent, path = headers("openai", key("openai")), "/v1/chat/completions"
    odd = [
        (b"[" * 100_000, 400),
        (b'{"model": "gpt-4o", "messages": [1, {"content": [2, {"text": 3}]}]}', 200),
        (b'{"model": "gpt-4o", "messages": [{"content": "\\ud83d"}], "tools": {"a": 1}, "stream_options": 1}', 200),
        (b'{"model": "gpt-4o", "stream": true, "messages": [{"content": "\\ud83d"}], "stream_options": 1}', 200),
    ]
    for body, status in odd:
        assert raw.ask(providers.base_urls["openai"], sent, path, "POST", body).status == status


class TestModels:
    @pytest.mark.parametrize(
        ("provider", "path", "model"),
        [
            ("openai", "/v1/models", "gpt-4o"),
            ("deepseek", "/models", "deepseek-chat"),
            ("google_vertex_ai", "/v1beta1/publishers/google/models", "publishers/google/models/gemini-2.5-flash"),
            ("xai", "/v1/models", "grok-4"),
            ("zai", "/api/paas/v4/models", "glm-4.6"),
        ],
    )
    def test_are_listed(self, provider: str, path: str, model: str, providers: CheckedProviders) -> None:
        language = {"accept-language": "en-US,en"} if provider == "zai" else {}
        sent = headers(provider, key(provider), accept="application/json", **language)
        listed = raw.ask(providers.base_urls[provider], sent, path).document
        rows = listed.get("data") or listed["publisherModels"]
        assert model in [row.get("id") or row["name"] for row in rows]

    def test_anthropics_come_in_pages(self, providers: CheckedProviders) -> None:
        sent = raw.headers("anthropic", samples.fresh_key("anthropic", "longlist"))
        found: list[str] = []
        more, after = True, ""
        while more:
            page = raw.ask(providers.base_urls["anthropic"], sent, f"/v1/models?limit=5000{after}").document
            found += [row["id"] for row in page["data"]]
            more, after = page["has_more"], f"&after_id={page['last_id']}"
        assert len(found) == len(set(found)) == 1203
        assert len(providers.requests(name="anthropic")) == 2
