"""Redirects to where a careless client would carry the key."""

import re
from typing import Final

from tests.fakeproviders.hostile.act import Act, Stage
from tests.fakeproviders.wire import Answer

TARGET_PATH: Final = "/redirected"
"""Every redirect leads below this path, so that whoever arrives there has followed one."""


def redirect(name: str) -> Act | None:
    """``redirect<code>`` to the same host, or with ``other`` (another provider) or ``loop`` (a loopback listener)."""
    found = re.fullmatch(r"redirect(301|302|303|307|308)(other|loop)?", name)
    if not found:
        return None
    code, kind = int(found[1]), found[2] or "same"

    async def act(stage: Stage) -> None:
        location = f"{stage.targets.get(kind, '')}{TARGET_PATH}/{kind}{stage.ask.request.target}"
        stage.redirected()
        await stage.finish(Answer(code, b"", "", (("location", location),)))

    return act
