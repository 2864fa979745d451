"""The official SDKs, unmodified, as clients: what people's programs will do."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from organizations.access import Access
from tests.gateway.conftest import SAID, Gateway, keep

pytestmark = pytest.mark.long

if TYPE_CHECKING:
    from anthropic import Anthropic
    from openai import OpenAI

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TOOL = {
    "name": "get_weather",
    "description": "The weather at a place.",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
OPENAI_MODELS = {
    "openai": "openai/gpt-4o",
    "mistral": "mistral/mistral-large-latest",
    "deepseek": "deepseek/deepseek-chat",
    "xai": "xai/grok-4",
    "zai": "zai/glm-4.6",
    "google_vertex_ai": "google_vertex_ai/gemini-2.5-flash",
}


# Every worker collects these tests, and one runs them: the SDKs take two seconds to come.
@pytest.fixture
def openai() -> Any:
    return import_module("openai")


@pytest.fixture
def anthropic() -> Any:
    return import_module("anthropic")


@pytest.fixture
def client(gateway: Gateway, api_key: str, openai: Any) -> "Iterator[OpenAI]":
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=api_key, max_retries=0, timeout=20) as made:
        yield made


@pytest.fixture
def claude(gateway: Gateway, api_key: str, anthropic: Any) -> "Iterator[Anthropic]":
    with anthropic.Anthropic(base_url=gateway.url, api_key=api_key, max_retries=0, timeout=20) as made:
        yield made


class TestOpenAI:
    @pytest.mark.parametrize(("provider", "model"), OPENAI_MODELS.items())
    def test_completion_stream_and_tools(
        self, client: "OpenAI", alice_access: Access, provider: str, model: str
    ) -> None:
        keep(alice_access, provider)
        messages: Any = [{"role": "user", "content": SAID}]
        assert SAID in str(client.chat.completions.create(model=model, messages=messages).choices[0].message.content)
        chunks = list(client.chat.completions.create(model=model, messages=messages, stream=True))
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert SAID in text
        tools: Any = [{"type": "function", "function": TOOL}]
        called = client.chat.completions.create(model=model, messages=messages, tools=tools).choices[0].message
        assert called.tool_calls
        assert called.tool_calls[0].function.name == "get_weather"  # type: ignore[union-attr]

    def test_usage_at_the_end_of_a_stream(self, client: "OpenAI", alice_access: Access) -> None:
        keep(alice_access)
        stream = client.chat.completions.create(
            model="openai/gpt-4o",
            messages=[{"role": "user", "content": SAID}],
            stream=True,
            stream_options={"include_usage": True},
        )
        *_, last = stream
        assert last.usage
        assert last.usage.completion_tokens

    def test_an_image(self, client: "OpenAI", alice_access: Access) -> None:
        keep(alice_access)
        picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
        messages: Any = [{"role": "user", "content": [{"type": "text", "text": SAID}, picture]}]
        answer = client.chat.completions.create(model="openai/gpt-4o", messages=messages)
        assert "1 image" in str(answer.choices[0].message.content)

    @pytest.mark.parametrize("model", ["openai/text-embedding-3-small", "mistral/mistral-embed", "zai/embedding-3"])
    def test_embeddings(self, client: "OpenAI", alice_access: Access, model: str) -> None:
        keep(alice_access, model.partition("/")[0])
        vectors = client.embeddings.create(model=model, input=["one", "two"])
        assert [len(one.embedding) > 0 for one in vectors.data] == [True, True]

    @pytest.mark.parametrize("model", ["openai/gpt-4o", "xai/grok-4"])
    def test_responses(self, client: "OpenAI", alice_access: Access, model: str) -> None:
        keep(alice_access, model.partition("/")[0])
        assert SAID in client.responses.create(model=model, input=SAID).output_text
        events = list(client.responses.create(model=model, input=SAID, stream=True))
        assert events[-1].type == "response.completed"

    def test_models_are_those_of_the_keys(self, client: "OpenAI", alice_access: Access, openai: Any) -> None:
        keep(alice_access)
        keep(alice_access, "google_vertex_ai")
        ids = [model.id for model in client.models.list()]
        assert "openai/gpt-4o" in ids
        assert any(one.startswith("google_vertex_ai/google/gemini-") for one in ids)
        assert {one.partition("/")[0] for one in ids} == {"openai", "google_vertex_ai"}
        assert client.models.retrieve("openai/gpt-4o").id == "openai/gpt-4o"
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("openai/nobody")

    @pytest.mark.parametrize(
        ("scenario", "error"),
        [
            ("status400", "BadRequestError"),
            ("wrong", "AuthenticationError"),
            ("region", "PermissionDeniedError"),
            ("status404", "NotFoundError"),
            ("status409", "ConflictError"),
            ("status422", "UnprocessableEntityError"),
            ("rate", "RateLimitError"),
            ("quota", "RateLimitError"),
            ("error500", "InternalServerError"),
            ("close", "InternalServerError"),
        ],
    )
    def test_errors(self, client: "OpenAI", alice_access: Access, scenario: str, error: str, openai: Any) -> None:
        keep(alice_access, scenario=scenario)
        with pytest.raises(getattr(openai, error)) as raised:
            client.chat.completions.create(model="openai/gpt-4o", messages=[{"role": "user", "content": "hi"}])
        assert raised.value.request_id
        assert raised.value.request_id.startswith("req_")

    def test_our_own_refusals(self, client: "OpenAI", gateway: Gateway, openai: Any) -> None:
        messages: Any = [{"role": "user", "content": "hi"}]
        with pytest.raises(openai.PermissionDeniedError) as forbidden:
            client.chat.completions.create(model="openai/gpt-4o", messages=messages)
        assert forbidden.value.code == "no_provider_key"
        with pytest.raises(openai.BadRequestError) as bad:
            client.chat.completions.create(model="gpt-4o", messages=messages)
        assert "openai/gpt-4o" in bad.value.message
        with (
            openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="byok_wrong", max_retries=0) as stranger,
            pytest.raises(openai.AuthenticationError),
        ):
            stranger.models.list()

    def test_the_programs_own_time_out(self, client: "OpenAI", alice_access: Access, openai: Any) -> None:
        keep(alice_access, scenario="hang")
        with pytest.raises(openai.APITimeoutError):
            client.with_options(timeout=0.3).chat.completions.create(
                model="openai/gpt-4o", messages=[{"role": "user", "content": "hi"}]
            )

    def test_a_retry_of_the_sdk_is_told_how_long_to_wait(
        self, client: "OpenAI", alice_access: Access, openai: Any
    ) -> None:
        keep(alice_access, scenario="rate")
        with pytest.raises(openai.RateLimitError) as limited:
            client.chat.completions.create(model="openai/gpt-4o", messages=[{"role": "user", "content": "hi"}])
        assert limited.value.response.headers["retry-after"] == "20"
        assert limited.value.response.headers["x-ratelimit-limit-requests"] == "500"


class TestAnthropic:
    def test_message_stream_tools_and_count(self, claude: "Anthropic", alice_access: Access) -> None:
        keep(alice_access, "anthropic")
        model, messages = "claude-sonnet-5-5", [{"role": "user", "content": SAID}]
        asked: Any = {"model": model, "max_tokens": 64, "messages": messages}
        answer = claude.messages.create(**asked)
        assert SAID in answer.content[0].text
        assert answer.usage.input_tokens
        with claude.messages.stream(**asked) as stream:
            assert SAID in "".join(stream.text_stream)
        tools: Any = [{"name": TOOL["name"], "description": "Weather.", "input_schema": TOOL["parameters"]}]
        called = claude.messages.create(**asked, tools=tools)
        assert [block.name for block in called.content if block.type == "tool_use"] == ["get_weather"]
        assert claude.messages.count_tokens(model=model, messages=asked["messages"]).input_tokens

    def test_the_provider_may_be_named(self, claude: "Anthropic", alice_access: Access) -> None:
        keep(alice_access, "anthropic")
        answer = claude.messages.create(
            model="anthropic/claude-sonnet-5-5", max_tokens=9, messages=[{"role": "user", "content": SAID}]
        )
        assert answer.model == "claude-sonnet-5-5"

    def test_an_image(self, claude: "Anthropic", alice_access: Access) -> None:
        keep(alice_access, "anthropic")
        picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
        messages: Any = [{"role": "user", "content": [picture, {"type": "text", "text": SAID}]}]
        answer = claude.messages.create(model="claude-sonnet-5-5", max_tokens=9, messages=messages)
        assert "1 image" in answer.content[0].text  # type: ignore[union-attr]

    def test_models(self, claude: "Anthropic", alice_access: Access) -> None:
        keep(alice_access, "anthropic")
        keep(alice_access)
        ids = [model.id for model in claude.models.list()]
        assert ids
        assert all(one.startswith("anthropic/claude-") for one in ids)

    @pytest.mark.parametrize(
        ("scenario", "error"),
        [
            ("status400", "BadRequestError"),
            ("wrong", "AuthenticationError"),
            ("permission", "PermissionDeniedError"),
            ("status404", "NotFoundError"),
            ("rate", "RateLimitError"),
            ("error500", "InternalServerError"),
            ("overloaded", "OverloadedError"),
            ("close", "InternalServerError"),
        ],
    )
    def test_errors(self, claude: "Anthropic", alice_access: Access, scenario: str, error: str, anthropic: Any) -> None:
        keep(alice_access, "anthropic", scenario)
        with pytest.raises(getattr(anthropic, error)):
            claude.messages.create(
                model="claude-sonnet-5-5", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
            )

    def test_our_own_refusals(self, claude: "Anthropic", anthropic: Any) -> None:
        with pytest.raises(anthropic.PermissionDeniedError) as forbidden:
            claude.messages.create(
                model="claude-sonnet-5-5", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
            )
        assert "No Anthropic key" in forbidden.value.message


def test_the_examples_run_as_they_stand(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    """Side by side: most of their time goes into importing the SDKs."""
    examples = {"openai_sdk.py": keep(alice_access), "anthropic_sdk.py": keep(alice_access, "anthropic")}
    environment = {**os.environ, "BYOK_URL": gateway.url, "BYOK_API_KEY": api_key}
    running = {
        example: subprocess.Popen(
            [sys.executable, EXAMPLES / example],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for example in examples
    }
    for example, key in examples.items():
        with running[example] as process:
            said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert "Say hello in one short sentence." in said
        assert f"served by {key.pk} as request req_" in said
        assert "Count to three." in said
