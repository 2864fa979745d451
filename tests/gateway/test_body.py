"""A body is looked into, never written anew: only the bytes of its top-level model change."""

import asyncio
import json
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import room, skim
from gateway.body import LARGE, Body
from gateway.refusals import Refusal
from gateway.room import MOST_BYTES_OF_ONE, Room

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


@pytest.mark.long
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


# Large ones are skimmed

PADDING = b'"padding":"' + b"x" * LARGE + b'"'


def large(sent: bytes) -> bytes:
    """The object ``sent`` with one more member, which makes it large."""
    return sent.replace(b"{", b"{" + PADDING + b",", 1)


def skimmed(sent: bytes) -> Body:
    assert len(sent) > LARGE
    return asyncio.run(Body.of(sent))


@pytest.mark.parametrize(
    "sent",
    [
        b'{"n":1e400,"m":-0.0,"t":true,"f":false,"z":null,"model":"a/b"}',
        b'{ \n"messages" : [ ] ,\t"model" : "a/b" }\r\n',
        b'{"mod\\u0065l":"a/b"}',
        '{"model":"a/b","emoji":"\u2603 \\\\\\" \\ud83d\\ude00"}'.encode(),
        b'{"metadata":{"model":"inner","model":"twice","x":[[{"model":"}]"}]]},"model":"a/b"}',
        b'{"model":"a\\/b"}',
    ],
)
def test_a_large_body_is_read_like_a_small_one(sent: bytes) -> None:
    sent = large(sent)
    body = skimmed(sent)
    assert (body.model, body.stream) == ("a/b", False)
    assert body.with_model("a/b") == sent
    assert json.loads(body.with_model("x")) == {**json.loads(sent), "model": "x"}


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b'{"model":"a/b"', "malformed_json"),
        (b'{"model":"a/b",}', "malformed_json"),
        (b'{"model":"a/b"} {}', "malformed_json"),
        (b'{"model":"a/b" "x":1}', "malformed_json"),
        (b'{"model":"a/b","x":NaN}', "malformed_json"),
        (b'{"model":"a/b","x":[}]}', "malformed_json"),
        (b'{"model":"a/b","x":[', "malformed_json"),
        (b'{"model":"a/b","x":"\\"}', "malformed_json"),
        (b'{"model":"\xff"}', "malformed_json"),
        (b'{"model":"a/b","x":' + b"[" * 2000 + b"]" * 2000 + b"}", "malformed_json"),
        (b"{}", "malformed_json"),
        (b'{"x":1}', "missing_model"),
        (b'{"model":["a/b"]}', "missing_model"),
        (b'{"model":"a/b","model":"c/d"}', "duplicate_model"),
        (b'{"model":"a/b","mod\\u0065l":"c/d"}', "duplicate_model"),
    ],
)
def test_a_large_body_that_names_no_model_is_refused(sent: bytes, reason: str) -> None:
    with pytest.raises(Refusal) as refusal:
        skimmed(large(sent))
    assert (refusal.value.status, refusal.value.reason) == (400, reason)


HEAVY = {
    "blanks": b" " * (8 << 20) + b'{"model":"a/b"}',
    "lists": b'{"model":"a/b","x":[' + b"[]," * 100_000 + b"1]}",
    "texts": b'{"model":"a/b","x":[' + b'"ab",' * 100_000 + b"1]}",
    "members": b'{"model":"a/b"' + b',"a":1' * 50_000 + b"}",
    "quotes in a text": b'{"model":"a/b","x":"' + b'\\"' * 200_000 + b'"}',
    "a long text": b'{"model":"a/b","x":"' + b"a" * (8 << 20) + b'"}',
    "a long number": b'{"model":"a/b","x":' + b"9" * (2 << 20) + b"}",
}


@pytest.mark.parametrize("sent", HEAVY.values(), ids=HEAVY)
def test_nobody_waits_for_a_heavy_body(sent: bytes) -> None:
    """Others have their turn all the time; parsed as a whole, it would keep them waiting for up to a second."""
    turns = [time.process_time()]

    async def others() -> None:
        while True:
            await asyncio.sleep(0)
            turns.append(time.process_time())

    async def both() -> Body:
        waiting = asyncio.ensure_future(others())
        await asyncio.sleep(0)
        body = await Body.of(sent)
        await asyncio.sleep(0)
        waiting.cancel()
        return body

    assert asyncio.run(both()).model == "a/b"
    assert max(later - earlier for earlier, later in pairwise(turns)) < 0.1


def test_a_body_of_too_many_values_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skim, "MOST", 1000)
    with pytest.raises(Refusal, match="malformed_json"):
        skimmed(large(b'{"model":"a/b","x":[' + b"[]," * 1000 + b"1]}"))


# How much is held at once


def test_an_organization_cannot_hold_all_the_room_there_is() -> None:
    with Room("one") as first, Room("one") as second, Room("two") as other:
        first.take(MOST_BYTES_OF_ONE - 1)
        second.take(1)
        with pytest.raises(Refusal) as refused:
            second.take(1)
        assert (refused.value.status, refused.value.reason, refused.value.retry_after) == (503, "busy", 1)
        other.take(1)
        first.leave()
        second.take(1)
    assert Room.taken == 0


def test_all_of_them_together_cannot_hold_more_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_BYTES", 10)
    with Room("one") as one, Room("two") as two:
        one.take(6)
        with pytest.raises(Refusal):
            two.take(5)
        two.take(4)
    assert Room.taken == 0
