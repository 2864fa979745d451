"""No eight characters of a secret in a row get past."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.scrub import SHORTEST, scrub

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
