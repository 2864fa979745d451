"""What a pasted service account is taken for before any call: put together anew, or refused by the name of its field."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providerkeys import vault
from providerkeys.providers import service_account
from providerkeys.providers.refusals import Refused
from tests.providerkeys.providers.service_account_inputs import (
    FIELDS,
    GOOD,
    PRIVATE_KEY,
    REQUIRED,
    bad,
    changed,
    same,
)

_KEPT = {"type", "project_id", "private_key_id", "private_key", "client_email", "token_uri", "universe_domain"}


def _refusal(pasted: str) -> str:
    """The sentence by which ``pasted`` is refused; empty when it is taken."""
    try:
        service_account.parse(pasted)
    except Refused as refused:
        # What hangs on an exception as its context may hold all of the paste.
        return str(refused) if refused.__context__ is None else "The refusal carries another exception."
    return ""


def _quotes(sentence: str, pasted: str) -> bool:
    """Whether ``sentence`` holds eight characters in a row of a value in ``pasted``."""
    try:
        document = json.loads(pasted)
    except (ValueError, RecursionError):
        document = pasted
    values = (
        [value for value in document.values() if isinstance(value, str)] if isinstance(document, dict) else [pasted]
    )
    # Part of every address of a service account, and words of ours.
    values = [value.replace("account", "") for value in values]
    windows = {value[start : start + 8] for value in values for start in range(min(len(value), 20_000) - 7)}
    return any(window in sentence for window in windows)


@pytest.mark.parametrize("case", bad())
def test_what_cannot_be_used_is_refused_by_the_name_of_its_field(case: str) -> None:
    given = bad()[case]
    sentence = _refusal(given.text)
    assert sentence == given.says
    assert not _quotes(sentence, given.text)


@pytest.mark.parametrize("case", same())
def test_one_key_is_stored_in_one_way_however_it_is_pasted(case: str) -> None:
    account = service_account.parse(same()[case])
    assert account.document == service_account.parse(GOOD).document
    assert account.private_key == PRIVATE_KEY


def test_of_a_paste_seven_fields_are_kept_and_two_of_them_are_ours() -> None:
    stored = json.loads(service_account.parse(same()["with the former token address"]).document)
    assert set(stored) == _KEPT
    assert stored == {name: FIELDS[name] for name in _KEPT}
    assert stored["token_uri"] == "https://oauth2.googleapis.com/token"
    assert stored["universe_domain"] == "googleapis.com"


def test_what_is_stored_is_taken_again() -> None:
    stored = service_account.parse(GOOD).document
    assert service_account.parse(stored).document == stored


def test_equal_keys_have_equal_fingerprints() -> None:
    prints = {
        vault.fingerprint(b"salt", service_account.parse(pasted).document, {"location": "global"})
        for pasted in same().values()
    }
    assert len(prints) == 1


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({}, ""),
        ({"private_key_id": "my-own-id"}, "private_key_id"),
        ({"project_id": "another-project"}, "another project than project_id"),
        ({"client_email": "100-compute@developer.gserviceaccount.com"}, ""),
        ({"client_email": "fake@appspot.gserviceaccount.com"}, ""),
        ({"project_id": "example.com:fake-one", "client_email": "x@fake-one.example.com.iam.gserviceaccount.com"}, ""),
        ({"project_id": "example.com:fake-one"}, "another project than project_id"),
    ],
)
def test_what_is_only_unusual_is_a_hint(fields: dict[str, str], hint: str) -> None:
    said = service_account.parse(changed(**fields)).shape_hint
    assert hint in said
    assert bool(said) is bool(hint)


def test_a_service_account_does_not_show_its_key() -> None:
    account = service_account.parse(GOOD)
    assert PRIVATE_KEY.splitlines()[3] not in repr(account)
    assert FIELDS["private_key_id"] not in repr(account)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(st.text(max_size=2000))
def test_any_text_is_refused_and_never_quoted(pasted: str) -> None:
    sentence = _refusal(pasted)
    assert sentence
    # Said of any text that is no JSON, it quotes nobody, whoever else wrote the same words.
    assert sentence == _refusal("no JSON") or not _quotes(sentence, pasted)


@given(name=st.sampled_from(REQUIRED), value=_VALUES)
def test_any_value_in_place_of_a_required_one_is_refused_by_name(name: str, value: object) -> None:
    pasted = changed(**{name: value})
    sentence = _refusal(pasted)
    # A project or a key id of another name is no mistake.
    assert (
        f"`{name}`" in sentence
        or "number that is none" in sentence
        or (name in {"project_id", "private_key_id"} and not sentence)
    )
    assert not _quotes(sentence, pasted)


@pytest.mark.long
@given(st.dictionaries(st.text(max_size=20), _VALUES, max_size=8))
def test_whatever_else_a_file_holds_changes_nothing_or_refuses_it(more: dict[str, object]) -> None:
    pasted = json.dumps({**more, **FIELDS})
    sentence = _refusal(pasted)
    if sentence:
        assert "number that is none" in sentence
    else:
        assert service_account.parse(pasted).document == service_account.parse(GOOD).document


@given(position=st.integers(0, len(PRIVATE_KEY) - 1), character=st.characters(codec="utf-8"))
def test_a_key_with_one_other_character_is_refused_or_the_same(position: int, character: str) -> None:
    altered = PRIVATE_KEY[:position] + character + PRIVATE_KEY[position + 1 :]
    pasted = changed(private_key=altered)
    sentence = _refusal(pasted)
    if not sentence:
        assert service_account.parse(pasted).private_key == PRIVATE_KEY
    assert not _quotes(sentence, pasted)
