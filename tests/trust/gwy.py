"""What the cases of the family GWY share: a gateway in front of the fakes, its routes, and a count of what it asks of a database."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pytest
import requests
from django.db import models
from django.db.backends.utils import CursorWrapper

from providerkeys import vault
from providerkeys.models import ProviderKey
from tests.gateway.conftest import SAID, Gateway, api_key, db, keep

ROUTES: Final = (
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/responses"),
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/messages"),
    ("POST", "/v1/messages/count_tokens"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/openai/gpt-4o"),
)
BODY: Final[dict[str, Any]] = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": SAID}]}
SPEAKERS: Final = {
    "openai": "gpt-4o",
    "mistral": "mistral-large-latest",
    "deepseek": "deepseek-chat",
    "xai": "grok-4",
    "zai": "glm-4.6",
    "google_vertex_ai": "gemini-2.5-flash",
    "anthropic": "claude-sonnet-5-5",
}
"""Each provider that is served, and one of its models."""


def ask(
    gateway: Gateway, headers: Mapping[str, str], path: str = "/v1/chat/completions", /, **body: Any
) -> requests.Response:
    """A completion, or whatever ``path`` stands for; ``body`` goes over the standard one."""
    method = next(method for method, known in ROUTES if known == path.partition("?")[0])
    return gateway.send(method, path, headers, json={**BODY, **body} if method == "POST" else None)


def complete(gateway: Gateway, api_key: str, provider: str, **body: Any) -> requests.Response:
    """A completion by ``provider``, at the route that it is served at."""
    path = "/v1/messages" if provider == "anthropic" else "/v1/chat/completions"
    return gateway.post(api_key, path, model=f"{provider}/{SPEAKERS[provider]}", max_tokens=64, **body)


def code(answer: requests.Response) -> tuple[int, str]:
    """The status, and the code of an error."""
    if answer.ok:
        return answer.status_code, ""
    error = answer.json()["error"]
    return answer.status_code, error.get("code") or error["type"]


def secret_of(key: ProviderKey) -> str:
    """What a provider key holds."""
    return vault.reveal(key, vault.Purpose.GATEWAY)


def windows(secret: str, length: int = 8) -> set[str]:
    """All that counts as a part of ``secret``."""
    return {secret[start : start + length] for start in range(len(secret) - length + 1)}


@contextmanager
def counting_queries() -> Iterator[list[str]]:
    """The statements that any thread sends to the database meanwhile."""
    sent = list[str]()
    honest = CursorWrapper.execute

    def execute(cursor: CursorWrapper, sql: str, params: Any = None) -> Any:
        sent.append(sql)
        return honest(cursor, sql, params)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(CursorWrapper, "execute", execute)
        yield sent


def row(model: type[models.Model], pk: str, **columns: Any) -> None:
    """Write into a row behind everybody's back, as only who can write to the database does."""
    assert model._default_manager.filter(pk=pk).update(**columns) == 1


__all__ = [
    "BODY", "ROUTES", "SAID", "SPEAKERS", "Gateway", "api_key", "ask", "code", "complete", "counting_queries", "db", "keep",
    "row", "secret_of", "windows",
]  # fmt: skip
