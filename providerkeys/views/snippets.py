"""First programs for an API key: the official SDKs and curl, with models that its provider keys serve.

The key itself is in none of them: nothing can show it again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.conf import settings

from providerkeys.providers import registry
from providerkeys.providers.base import Api
from providerkeys.views.answers import Answer, Key

PLACEHOLDER: Final = "byok_…"

_OPENAI: Final = """\
from openai import OpenAI

client = OpenAI(
    base_url="{url}/v1",
    api_key="{key}",
)
answer = client.chat.completions.create(
    model="{model}",
    messages=[{{"role": "user", "content": "Say hello."}}],
)
print(answer.choices[0].message.content)
"""
_ANTHROPIC: Final = """\
from anthropic import Anthropic

client = Anthropic(
    base_url="{url}",
    api_key="{key}",
)
answer = client.messages.create(
    model="{model}",
    max_tokens=100,
    messages=[{{"role": "user", "content": "Say hello."}}],
)
print(answer.content[0].text)
"""
_CURL: Final = """\
curl {url}/v1/chat/completions \\
  -H "Authorization: Bearer {key}" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "Say hello."}}]}}'
"""
_CURL_MESSAGES: Final = """\
curl {url}/v1/messages \\
  -H "x-api-key: {key}" \\
  -H "anthropic-version: 2023-06-01" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "{model}", "max_tokens": 100, "messages": [{{"role": "user", "content": "Say hello."}}]}}'
"""


@dataclass(frozen=True)
class Snippet:
    """One program. Without ``code`` no provider key of this API key serves its protocol."""

    slug: str
    title: str
    code: str
    other_models: Sequence[str] = ()
    is_open: bool = False
    """Whether it is the one to begin with: the first that works."""


def snippets[K: Key](answers: Sequence[Answer[K]]) -> list[Snippet]:
    """The programs that an API key with these ``answers`` can begin with."""
    chat, messages = _models(answers, Api.CHAT_COMPLETIONS), _models(answers, Api.MESSAGES)
    curl = ("curl", "curl", _CURL, chat) if chat else ("curl", "curl", _CURL_MESSAGES, messages)
    kinds = (("openai", "OpenAI SDK", _OPENAI, chat), ("anthropic", "Anthropic SDK", _ANTHROPIC, messages), curl)
    made = [Snippet(slug, title, _fill(code, models), models[1:]) for slug, title, code, models in kinds]
    begin = next((one.slug for one in made if one.code), made[0].slug)
    return [replace(one, is_open=one.slug == begin) for one in made]


def first_model[K: Key](answers: Sequence[Answer[K]]) -> str:
    """A model that an API key with these ``answers`` can ask for; empty where no provider key serves it."""
    found = (one for api in (Api.CHAT_COMPLETIONS, Api.MESSAGES) for one in _models(answers, api))
    return next(found, "")


def _models[K: Key](answers: Iterable[Answer[K]], api: Api) -> list[str]:
    """A model of each provider that serves and speaks ``api``, as the gateway calls it.

    A first program is to work: one whose every key fails is only named where all do.
    """
    known = [(one, answer) for answer in answers if answer.keys and (one := registry.find(answer.provider))]
    speaking = [(one, answer) for one, answer in known if api in one.inference.paths]
    working = [(one, answer) for one, answer in speaking if not answer.all_fail]
    return [f"{one.slug}/{one.inference.example_model}" for one, _ in working or speaking]


def _fill(code: str, models: Sequence[str]) -> str:
    return code.format(url=settings.GATEWAY_URL, key=PLACEHOLDER, model=models[0]) if models else ""
