"""The console's template tags: what people read for a time, a name, a list."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine

from byok_site.templatetags import console

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=12), "12 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(hours=30), "yesterday"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=7), "3 Mar 2026"),
        (timedelta(seconds=-20), "just now"),
        (timedelta(minutes=-5), "in 5 min"),
        (timedelta(hours=-24, seconds=10), "in 24 h"),
        (timedelta(hours=-23, minutes=-5), "in 23 h"),
        (timedelta(hours=-30), "tomorrow"),
        (timedelta(days=-61), "in 61 days"),
    ],
)
def test_a_time_reads_as_people_say_it(ago: timedelta, words: str) -> None:
    with time_machine.travel(NOW, tick=False):
        assert console.relative(NOW - ago) == words


def test_the_title_of_a_time_is_absolute_and_names_who() -> None:
    with time_machine.travel(NOW, tick=False):
        html = console.when(NOW - timedelta(hours=3), "Alice <b>")
    assert html == (
        '<time datetime="2026-03-10T06:30:00+00:00" title="10 Mar 2026, 06:30 UTC, by Alice &lt;b&gt;">3 h ago</time>'
    )


def test_a_day_is_its_date_or_today() -> None:
    with time_machine.travel(NOW, tick=False):
        assert ">today<" in console.day(NOW)
        assert ">14 Jan 2026<" in console.day(datetime(2026, 1, 14, 9, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Alice Keller", "AK"), ("alice", "A"), ("Ana Maria de Souza", "AS"), ("", "")],
)
def test_initials_are_first_and_last(name: str, letters: str) -> None:
    assert console.initials(name) == letters


@pytest.mark.parametrize(
    ("words", "joined"),
    [([], ""), (["name"], "name"), (["name", "credentials", "place"], "name, credentials and place")],
)
def test_words_are_joined_as_a_sentence_joins_them(words: list[str], joined: str) -> None:
    assert console.conjoin(words) == joined


@pytest.mark.parametrize(
    ("sentence", "html"),
    [
        ("`token_uri` is missing.", "<code>token_uri</code> is missing."),
        ("Nothing is marked.", "Nothing is marked."),
        ("<b>`<i>`", "&lt;b&gt;<code>&lt;i&gt;</code>"),
    ],
)
def test_what_stands_between_backticks_is_code_and_all_is_escaped(sentence: str, html: str) -> None:
    assert console.with_code(sentence) == html


def test_only_finished_results_count_as_usable() -> None:
    results = [
        SimpleNamespace(state="done", verdict="valid"),
        SimpleNamespace(state="done", verdict="forbidden"),
        SimpleNamespace(state="running", verdict=""),
    ]
    assert len(console.finished(results)) == 2
    assert len(console.usable(results)) == 1


def test_an_icon_is_inline_hidden_from_screen_readers_and_without_style() -> None:
    svg = console.draw("key-round", 18, "spin")
    assert svg.startswith("<svg ")
    assert 'aria-hidden="true"' in svg
    assert 'width="18"' in svg
    assert 'class="icon spin"' in svg
    assert "style" not in svg
