"""Static files: whole, compressed, unchangeable, and read without a thread for each piece."""

import warnings
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.core.management import call_command
from django.http import HttpResponse
from django.templatetags.static import static
from django.test import RequestFactory
from pytest_django import Settings

from byok_site.middleware import StaticFiles
from byok_site.static_files import JOINED, StaticFilesStorage

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


@pytest.fixture
def parts(settings: Settings, tmp_path: Path) -> Path:
    """A small console of two parts each, to be collected."""
    source = tmp_path / "source"
    for name, text in {
        "css/console.css": '@layer a, b;\n@import url("one.css") layer(a);\n@import url("two.css") layer(b);\n',
        "css/staff.css": '@import url("two.css");\n',
        "js/staff.js": 'import "./two.js";\n',
        "css/one.css": "p { color: red }\n",
        "css/two.css": "i { color: blue }\n",
        "js/console.js": 'import "./one.js";\nimport "./two.js";\n',
        "js/one.js": "const mine = 1;\n",
        "js/two.js": "const mine = 2;\n",
    }.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    settings.STATICFILES_DIRS, settings.STATICFILES_FINDERS = [source], FINDERS
    settings.STATIC_ROOT = str(tmp_path / "collected")
    # The suite's own are not hashed, so that nothing has to be collected.
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": f"{StaticFilesStorage.__module__}.{StaticFilesStorage.__name__}"},
    }
    return source


FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]


def collected(settings: Settings) -> dict[str, str]:
    """What a page's links lead to."""
    call_command("collectstatic", interactive=False, verbosity=0)
    return {name: Path(storages["staticfiles"].path(_hashed(name))).read_text() for name in JOINED}


def _hashed(name: str) -> str:
    return str(static(name)).removeprefix("/static/")


def test_the_parts_of_the_console_are_one_file_each_keeping_what_is_its_own(parts: Path, settings: Settings) -> None:
    assert collected(settings) == {
        "css/console.css": "@layer a, b;\n@layer a {\np { color: red }\n}\n\n@layer b {\ni { color: blue }\n}\n\n",
        "css/staff.css": "i { color: blue }\n\n",
        "js/console.js": "{\nconst mine = 1;\n}\n\n{\nconst mine = 2;\n}\n\n",
        "js/staff.js": "{\nconst mine = 2;\n}\n\n",
    }


def test_comments_with_lines_to_themselves_are_not_sent_and_all_else_is(parts: Path, settings: Settings) -> None:
    (parts / "css" / "one.css").write_text("/* Of two\n   lines. */\np { color: red } /* kept */\n  /* inside */\n")
    script = 'const mine = "// no comment";\nconst other = "https://example.com"; // kept\n'
    (parts / "js" / "one.js").write_text(f"// Gone.\n{script}  // Gone, too.\n")

    sent = collected(settings)

    assert "@layer a {\np { color: red } /* kept */\n}\n" in sent["css/console.css"]
    assert f"{{\n{script}}}\n" in sent["js/console.js"]


def test_a_changed_part_is_in_the_next_collection(parts: Path, settings: Settings) -> None:
    before = collected(settings)
    (parts / "css" / "two.css").write_text("i { color: green }\n")
    assert collected(settings)["css/console.css"] == before["css/console.css"].replace("blue", "green")


def test_a_part_that_is_not_there_is_not_left_out_in_silence(parts: Path, settings: Settings) -> None:
    (parts / "js" / "two.js").unlink()
    with pytest.raises(KeyError, match=r"js/two\.js"):
        collected(settings)


@pytest.mark.parametrize("line", ["export const mine = 2;", 'import { mine } from "./one.js";'])
def test_a_part_that_could_not_be_joined_is_named(parts: Path, settings: Settings, line: str) -> None:
    (parts / "js" / "two.js").write_text(f"// A part.\n{line}\n")
    with pytest.raises(ValueError, match=r"two\.js imports or exports"):
        collected(settings)
