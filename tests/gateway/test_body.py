"""A body is looked into, never written anew: only the bytes of its top-level model change."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.body import MAX_BYTES, Body
from gateway.refusals import Refusal

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def refused(sent: bytes) -> str:
    with pytest.raises(Refusal) as refusal:
        Body.parse(sent)
    assert refusal.value.status == 400
    return refusal.value.reason


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    before=st.dictionaries(st.text().filter(lambda name: name not in {"model", "stream"}), _JSON, max_size=3),
    after=st.dictionaries(st.text().filter(lambda name: name not in {"model", "stream"}), _JSON, max_size=3),
    model=st.text(min_size=1).filter(lambda text: text.encode("utf-8", "ignore").decode() == text),
    indent=st.sampled_from([None, 1]),
    ascii_only=st.booleans(),
)
def test_every_other_byte_stays(
    before: dict[str, Any], after: dict[str, Any], model: str, indent: int | None, ascii_only: bool
) -> None:
    mark = "the-model-of-this-test"
    document = {**before, "model": mark, **{name: after[name] for name in after if name not in before}}
    try:
        text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
        sent = text.encode()
    except UnicodeEncodeError:
        return
    body = Body.parse(sent)
    assert body.model == mark
    assert body.with_model(mark) == sent
    changed = body.with_model(model)
    place = sent.index(b'"the-model-of-this-test"')
    assert changed.startswith(sent[:place])
    assert changed.endswith(sent[place + len(mark) + 2 :])
    assert json.loads(changed)["model"] == model


@pytest.mark.parametrize(
    "sent",
    [
        b'{"model":"a/b","n":1e400,"m":-0.0,"big":123456789012345678901234567890}',
        b'  {\n"messages" : [ ] ,\t"model" : "a/b" }\r\n',
        b'{"mod\\u0065l":"a/b"}',
        '{"model":"a/b","emoji":"👩‍👩‍👧","escaped":"\\ud83d\\ude00"}'.encode(),
        b'{"model":"a/b","metadata":{"model":"inner","model":"twice"}}',
        b'{"model":"a\\/b"}',
    ],
)
def test_what_is_unusual_and_valid_passes(sent: bytes) -> None:
    body = Body.parse(sent)
    assert body.model == "a/b"
    assert body.with_model("a/b") == sent
    assert json.loads(body.with_model("x")) == {**json.loads(sent), "model": "x"}


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "malformed_json"),
        (b"nonsense", "malformed_json"),
        (b'{"model":"a/b"', "malformed_json"),
        (b'{"model":"a/b",}', "malformed_json"),
        (b'{"model":"a/b"} {}', "malformed_json"),
        (b'{"model":"a/b" "x":1}', "malformed_json"),
        (b'{model:"a/b"}', "malformed_json"),
        (b'{"model":"a/b","x":NaN}', "malformed_json"),
        (b'{"model":"a/b","x":tru}', "malformed_json"),
        (b'{"model":"a\nb"}', "malformed_json"),
        (b'["model"]', "malformed_json"),
        (b'\xef\xbb\xbf{"model":"a/b"}', "malformed_json"),
        (b'{"model":"\xff"}', "malformed_json"),
        (b'{"model":"a/b","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "malformed_json"),
        (b"{}", "missing_model"),
        (b'{"model":""}', "missing_model"),
        (b'{"model":null}', "missing_model"),
        (b'{"model":["a/b"]}', "missing_model"),
        (b'{"model":"a/b","model":"c/d"}', "duplicate_model"),
        (b'{"model":"a/b","mod\\u0065l":"c/d"}', "duplicate_model"),
    ],
)
def test_what_names_no_model_is_refused(sent: bytes, reason: str) -> None:
    assert refused(sent) == reason


def test_only_true_is_a_stream() -> None:
    assert Body.parse(b'{"model":"a/b","stream":true}').stream
    assert not Body.parse(b'{"model":"a/b","stream":"true"}').stream
    assert not Body.parse(b'{"model":"a/b","inner":{"stream":true}}').stream


def test_a_huge_number_costs_nothing() -> None:
    assert Body.parse(b'{"model":"a/b","n":' + b"9" * 5_000_000 + b"}").model == "a/b"


def test_blanks_stop_nobody() -> None:
    started = time.process_time()
    assert Body.parse(b" " * (MAX_BYTES - 99) + b'{"model":"a/b"}').model == "a/b"
    assert time.process_time() - started < 1
