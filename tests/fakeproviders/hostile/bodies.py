"""Well-formed answers with the wrong thing inside: none of them says anything about the key."""

import json
import re
from typing import Any, Final

from tests.fakeproviders.hostile.act import Act, Stage, lenient_list
from tests.fakeproviders.wire import Answer, json_answer

_PAGE: Final = "<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
_TITLES: Final = {200: "Welcome to the guest network", 401: "Proxy sign-in required", 403: "Blocked by policy"}
_DEPTH: Final = 100_000
_DIGITS: Final = 10_000


def _says(answer: Answer) -> Act:
    async def act(stage: Stage) -> None:
        await stage.finish(answer)

    return act


def _says_json(document: Any) -> Act:
    return _says(json_answer(200, document))


def _says_bytes(body: bytes, content_type: str = "application/json") -> Act:
    return _says(Answer(200, body, content_type))


async def _plain_text(stage: Stage) -> None:
    await stage.finish(Answer(200, lenient_list(stage), "text/plain"))


async def _truncated(stage: Stage) -> None:
    body = lenient_list(stage)
    await stage.finish(Answer(200, body[: len(body) * 2 // 3]))


async def _debug_page(stage: Stage) -> None:
    """What a framework's debug page does: show everything, in the body and in a header."""
    lines = "\n".join(f"{name}: {value}" for name, value in stage.ask.request.headers)
    page = f"Traceback (most recent call last):\n  KeyError: {stage.ask.credential!r}\n\n{lines}\n"
    await stage.finish(Answer(500, page.encode(), "text/plain", (("x-debug", stage.ask.credential),)))


def status(name: str) -> Act | None:
    """``status<code>``: that status with an empty JSON object."""
    found = re.fullmatch(r"status([2-5]\d\d)", name)
    return _says(json_answer(int(found[1]), {})) if found else None


def html(name: str) -> Act | None:
    """``html`` or ``html<code>``: that status with somebody else's page."""
    found = re.fullmatch(r"html([2-5]\d\d)?", name)
    return _says(_page(int(found[1] or 200))) if found else None


def _page(code: int) -> Answer:
    page = _PAGE.format(title=_TITLES.get(code, f"{code} from a machine on the way"))
    return Answer(code, page.encode(), "text/html; charset=utf-8")


ACTS: Final[dict[str, Act]] = {
    "empty": _says_bytes(b""),
    "text": _plain_text,
    "notjson": _says_bytes(_PAGE.format(title="Welcome").encode()),
    "wrongjson": _says_json({"status": "ok"}),
    "wrongtype": _says_json({"object": "list", "data": "none", "is_available": "yes"}),
    "array": _says_json([{"id": "gpt-4o"}]),
    "errorinside": _says_json(
        {"code": 401, "msg": "token expired or incorrect", "success": False, "error": {"code": "1"}}
    ),
    "truncated": _truncated,
    "badutf8": _says_bytes(b'{"object": "list", "data": ["\xff\xfe\xfd"]}'),
    "deepjson": _says_bytes(b'{"data": ' + b"[" * _DEPTH + b"]" * _DEPTH + b"}"),
    "hugenumber": _says_bytes(json.dumps({"data": []}).encode()[:-1] + b', "n": ' + b"9" * _DIGITS + b"}"),
    "echo500": _debug_page,
}
