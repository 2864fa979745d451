"""Asking the fakes for inference, and taking their answers apart."""

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders_tests import raw

SAID: Final = "Grüße from a test"
MESSAGES: Final = [{"role": "user", "content": SAID}]
VERTEX: Final = "/v1/projects/fake-example-project/locations/global/endpoints/openapi/chat/completions"
CHAT: Final = {
    "openai": ("/v1/chat/completions", "gpt-4o"),
    "mistral": ("/v1/chat/completions", "mistral-small-latest"),
    "deepseek": ("/chat/completions", "deepseek-chat"),
    "xai": ("/v1/chat/completions", "grok-4"),
    "zai": ("/api/paas/v4/chat/completions", "glm-4.6"),
    "google_vertex_ai": (VERTEX, "google/gemini-2.5-flash"),
}
ROUTES: Final = {**CHAT, "anthropic": ("/v1/messages", "claude-opus-4-5")}
"""Where each provider is asked, and for which model."""


def key(provider: str, scenario: str = "good") -> str:
    """A key for ``scenario``; at Vertex AI an access token, as the sign-in would give it."""
    if provider == "google_vertex_ai":
        return f"ya29.FAKE{'0' * 64}-1-{scenario}"
    return samples.fresh_key(provider, scenario)


def headers(provider: str, credential: str, **more: str) -> dict[str, str]:
    """What a correct request for inference carries."""
    sent = raw.headers(provider, credential) if provider != "google_vertex_ai" else {}
    sent = sent or {"host": "aiplatform.googleapis.com", "authorization": f"Bearer {credential}"}
    wanted = {name: value for name, value in sent.items() if not name.startswith("accept")}
    return {**wanted, "content-type": "application/json", **more}


def body(provider: str, **more: Any) -> bytes:
    """A plain question to ``provider``; ``more`` goes over it, and ``model`` may be an ending alone."""
    model = ROUTES[provider][1]
    ending = more.pop("ending", "")
    limit = {"max_tokens": 100} if provider == "anthropic" else {}
    document = {"model": model + ending, "messages": MESSAGES, **limit, **more}
    return json.dumps(document, ensure_ascii=False).encode()


@dataclass(frozen=True)
class Asking:
    """The fakes, asked by one correct client."""

    providers: CheckedProviders

    def __call__(
        self, provider: str, credential: str = "", *, path: str = "", sent: dict[str, str] | None = None, **more: Any
    ) -> raw.Reply:
        credential = credential or key(provider)
        url, path = self.providers.base_urls[provider], path or ROUTES[provider][0]
        reply = raw.ask(url, headers(provider, credential, **(sent or {})), path, "POST", body(provider, **more))
        chunked = reply.headers.get("transfer-encoding") == "chunked"
        return raw.Reply(reply.status, reply.headers, dechunked(reply.body) if chunked else reply.body)

    def plain(self, provider: str) -> bytes:
        """The body of a plain question."""
        return body(provider)

    def opened(self, provider: str, credential: str, **more: Any) -> tuple[str, bytes]:
        """Where to connect, and the bytes to send, for a test that reads the answer as it comes."""
        sent = raw.request_bytes(headers(provider, credential), ROUTES[provider][0], "POST", body(provider, **more))
        return self.providers.base_urls[provider], sent

    def address(self, provider: str) -> tuple[str, int]:
        parts = urlsplit(self.providers.base_urls[provider])
        return str(parts.hostname), int(parts.port or 0)


def dechunked(data: bytes) -> bytes:
    """The body of an answer in chunks, up to its last one or to where it was cut."""
    whole = bytearray()
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            break
        whole += data[:length]
        data = data[length + 2 :]
    return bytes(whole)


def ended(data: bytes) -> bool:
    """Whether an answer in chunks has its last one."""
    return data.endswith(b"\r\n0\r\n\r\n")


def events(body: bytes) -> list[Any]:
    """The documents of a stream's events, comments and ``[DONE]`` left out."""
    lines = [line.removeprefix("data: ") for line in body.decode().split("\n") if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def text(provider: str, body: bytes) -> str:
    """The text of a streamed answer, put together."""
    documents = events(body)
    if provider == "anthropic":
        return "".join(event["delta"].get("text", "") for event in documents if event["type"] == "content_block_delta")
    return "".join(choice["delta"].get("content") or "" for chunk in documents for choice in chunk["choices"])
