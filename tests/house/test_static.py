"""Static files: whole, compressed, unchangeable, and read without a thread for each piece."""

import warnings
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from byok_site.middleware import StaticFiles

CONTENT = b"a { color: inherit }\n" * 40


@pytest.fixture
def middleware(settings: Settings, tmp_path: Path) -> StaticFiles:
    (tmp_path / "some.css").write_bytes(CONTENT)
    settings.STATIC_ROOT = str(tmp_path)
    return StaticFiles(lambda _request: HttpResponse("a page"))


def test_a_file_is_one_whole_answer(middleware: StaticFiles) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = middleware(RequestFactory().get("/static/some.css"))

    assert not answer.streaming
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["Content-Type"] == 'text/css; charset="utf-8"'
    assert answer.headers["Content-Length"] == str(len(CONTENT))


def test_a_part_of_a_file_can_be_asked_for(middleware: StaticFiles) -> None:
    answer = middleware(RequestFactory().get("/static/some.css", headers={"Range": "bytes=2-8"}))

    assert (answer.status_code, answer.content) == (206, CONTENT[2:9])


def test_a_known_file_is_not_sent_again(middleware: StaticFiles) -> None:
    known = middleware(RequestFactory().get("/static/some.css")).headers["Last-Modified"]

    answer = middleware(RequestFactory().get("/static/some.css", headers={"If-Modified-Since": known}))

    assert (answer.status_code, answer.content) == (304, b"")


def test_everything_else_is_passed_on(middleware: StaticFiles) -> None:
    assert middleware(RequestFactory().get("/login/")).content == b"a page"
