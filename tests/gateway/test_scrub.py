"""No eight characters of a secret in a row get past."""

import time
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.scrub import SHORTEST, SHORTEST_IN_SUCCESS, Scrubber, scrub

SECRET = "sk-proj-FAKEabcdefghijklmnopqrstuvwxyz0123456789"


@settings(max_examples=300, derandomize=True, deadline=None)
@given(start=st.integers(0, len(SECRET)), end=st.integers(0, len(SECRET)), around=st.text(alphabet="xyz \n{}\"'"))
def test_every_part_is_masked_at_its_length(start: int, end: int, around: str) -> None:
    part = SECRET[start:end]
    text = f"{around}{part}{around}"
    said = scrub(text.encode(), SECRET).decode()
    assert len(said) == len(text)
    assert not any(SECRET[at : at + SHORTEST] in said for at in range(len(SECRET) - SHORTEST + 1))
    if len(part) >= SHORTEST:
        assert f"{around}{'*' * len(part)}{around}" == said


def test_shorter_parts_and_everything_else_stay() -> None:
    text = "Incorrect API key provided: sk-proj********6789. Café ☕".encode()
    assert scrub(text, SECRET) == text


def test_overlapping_and_repeated_parts() -> None:
    said = scrub(f"{SECRET}{SECRET} {SECRET[:12]}{SECRET[4:20]}".encode(), SECRET)
    assert set(said.decode()) == {"*", " "}


def test_an_empty_or_short_secret_masks_nothing() -> None:
    assert scrub(b"abc", "") == b"abc"
    assert scrub(b"abcdefg", "abcdefg") == b"abcdefg"


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    start=st.integers(0, len(SECRET)),
    end=st.integers(0, len(SECRET)),
    before=st.text(alphabet="xyz 1k\n{", max_size=40),
    cuts=st.lists(st.integers(0, 100), max_size=6),
)
def test_what_comes_piece_by_piece_shows_no_part_either(start: int, end: int, before: str, cuts: list[int]) -> None:
    """Wherever it is cut, and at once: nothing is held back."""
    text = f"{before}{SECRET[start:end]} and more".encode()
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[one:other] for one, other in pairwise(edges)]
    scrubber = Scrubber(SECRET, SHORTEST_IN_SUCCESS)
    said = [scrubber.some(piece) for piece in pieces]
    assert [len(one) for one in said] == [len(piece) for piece in pieces]
    runs = {SECRET[at : at + SHORTEST_IN_SUCCESS] for at in range(len(SECRET) - SHORTEST_IN_SUCCESS + 1)}
    assert not any(run.encode() in b"".join(said) for run in runs)
    if end - start < SHORTEST_IN_SUCCESS:
        assert b"".join(said) == text


def test_a_large_text_is_searched_like_a_small_one() -> None:
    around = b"x" * 5001
    for shortest in (SHORTEST, SHORTEST_IN_SUCCESS):
        part = SECRET[9 : 9 + shortest].encode()
        assert Scrubber(SECRET, shortest).whole(around + part + around) == around + b"*" * shortest + around


def test_parts_by_chance_stay_in_an_answer_that_is_to_be_used() -> None:
    """The public beginning of a key, and eight digits in a row."""
    text = b"Keys start with sk-proj-, and 01234567 is a number."
    assert Scrubber(SECRET, SHORTEST_IN_SUCCESS).whole(text) == text


def test_the_time_does_not_grow_with_both_text_and_secret() -> None:
    """An error of 256 KiB beside an access token of 8 KiB: each part looked for by itself took a second."""
    secret, text = "".join(f"{number:05}" for number in range(1600)), b"0123456789 " * 24_000
    # Its own time: other processes of a full machine take none of that.
    started = time.thread_time()
    assert Scrubber(secret).whole(text)
    assert time.thread_time() - started < 0.3
