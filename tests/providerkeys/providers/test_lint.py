"""What a pasted API key is taken for before any call, provider by provider. What any form says of it: the family INP."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providerkeys.providers import lint, registry
from providerkeys.providers.base import ApiKeyProvider, Credential
from tests.fakeproviders import samples

_API_KEY_PROVIDERS = [slug for slug in samples.PROVIDERS if isinstance(registry.get(slug), ApiKeyProvider)]
_OPENAI = samples.key("openai", "good")
_ANTHROPIC = samples.key("anthropic", "good")


def _provider(slug: str) -> ApiKeyProvider:
    provider = registry.get(slug)
    assert isinstance(provider, ApiKeyProvider)
    return provider


@pytest.mark.parametrize("slug", _API_KEY_PROVIDERS)
def test_each_providers_samples_pass(slug: str) -> None:
    for sample in samples.documented(slug):
        assert lint.lint(_provider(slug), sample.key) == lint.Linted(sample.key, "")


@pytest.mark.parametrize("slug", _API_KEY_PROVIDERS)
def test_each_providers_wrong_kinds_are_refused_everywhere(slug: str) -> None:
    for key in samples.wrong_kinds(slug):
        for chosen in _API_KEY_PROVIDERS:
            with pytest.raises(lint.Refused, match="can never be used"):
                lint.lint(_provider(chosen), key)


def test_a_mebibyte_of_quotes_is_refused_at_once() -> None:
    quotes = "'" * 512 * 1024
    started = time.thread_time()
    with pytest.raises(lint.Refused, match="longer than any API key"):
        lint.lint(_provider("openai"), f"{quotes}{_OPENAI}{quotes}")
    assert time.thread_time() - started < 0.1


@pytest.mark.parametrize("key", ["pk_" + "F" * 40, "key_short", "ork_" + "F" * 22, "sk-https://" + "F" * 22])
def test_what_only_resembles_an_id_or_an_address_is_not_refused(key: str) -> None:
    assert lint.lint(_provider("openai"), key).key == key


def test_an_unusual_shape_is_only_a_hint() -> None:
    linted = lint.lint(_provider("openai"), "sk-0123456789abcdef")
    assert linted.key == "sk-0123456789abcdef"
    assert linted.hint == "This doesn’t look like a usual OpenAI key. Testing it will tell."


# A key without a mark of its own could still be the chosen provider's: what it looks like is said, not decided.
_LOOKS_LIKE = {
    ("openai", samples.key("deepseek", "good")): "it looks like one of DeepSeek.",
    ("zai", samples.key("mistral", "good")): "it looks like one of Mistral.",
    ("mistral", samples.key("zai", "good")): "it looks like one of zAI.",
    ("deepseek", samples.key("mistral", "good")): "it looks like one of Mistral.",
}


@pytest.mark.parametrize(("chosen", "key"), _LOOKS_LIKE)
def test_a_key_that_looks_like_anothers_is_only_a_hint(chosen: str, key: str) -> None:
    linted = lint.lint(_provider(chosen), key)
    assert linted.key == key
    assert _LOOKS_LIKE[chosen, key] in linted.hint


_POSITIVELY_ANOTHERS = {
    "OpenAI's by its prefix": (samples.key("openai", "good"), "a key of OpenAI"),
    "OpenAI's by its middle": ("sk-" + "F" * 20 + "T3Blbk" + "FJ" + "F" * 20, "a key of OpenAI"),
    "Anthropic's": (samples.key("anthropic", "good"), "a key of Anthropic"),
    "xAI's": (samples.key("xai", "good"), "a key of xAI"),
    "an OpenAI admin key": ("sk-admin-" + "F" * 60, "an OpenAI admin key"),
    "an xAI management key": ("xai-token-" + "F" * 60, "an xAI management key"),
}


@pytest.mark.parametrize("case", _POSITIVELY_ANOTHERS)
@pytest.mark.parametrize("chosen", ["mistral", "deepseek", "zai"])
def test_a_key_that_is_positively_anothers_is_refused(chosen: str, case: str) -> None:
    pasted, named = _POSITIVELY_ANOTHERS[case]
    with pytest.raises(lint.Refused, match=named):
        lint.lint(_provider(chosen), pasted)


@pytest.mark.parametrize("beginning", ["eyJ", "AKIA", "ABSK", "AIza"])
def test_a_mistral_key_may_begin_like_anything(beginning: str) -> None:
    key = beginning.ljust(32, "F")
    assert lint.lint(_provider("mistral"), key) == lint.Linted(key, "")


_HINTS = {"mistral": "…k7Wd", "zai": "…k7Wd", "deepseek": "sk-…k7Wd", "xai": "xai-…k7Wd"}


@pytest.mark.parametrize("slug", _HINTS)
def test_a_hint_shows_the_public_prefix_and_the_last_four(slug: str) -> None:
    key = samples.key(slug, "good")[:-4] + "k7Wd"
    assert registry.get(slug).hint(Credential(key)) == _HINTS[slug]


def test_ciphertext_pasted_as_a_key_stays_as_it_is() -> None:
    token = "gAAAAABm" + "Fake0123456789" * 8 + "=="
    assert lint.lint(_provider("openai"), token).key == token


def test_a_linted_key_does_not_show_in_a_repr() -> None:
    assert _OPENAI not in repr(lint.lint(_provider("openai"), _OPENAI))


# Of these every refusal is made, so a text that is made of them too is not quoted.
_OUR_WORDS = "".join(path.read_text("utf-8") for path in Path(lint.__file__).parent.rglob("*.py"))


def _outcome(pasted: str) -> tuple[str, str]:
    """The key that ``pasted`` is taken for, or else the refusal."""
    try:
        return lint.lint(_provider("anthropic"), pasted).key, ""
    except lint.Refused as refused:
        return "", str(refused)


@given(st.text(max_size=2000))
def test_any_text_is_taken_or_refused_and_never_quoted(pasted: str) -> None:
    key, refusal = _outcome(pasted)
    windows = {pasted[start : start + 8] for start in range(len(pasted) - 7)}
    assert not any(window in refusal and window not in _OUR_WORDS for window in windows)
    assert bool(key) is not bool(refusal)
    assert key in pasted
    assert key.isascii()
