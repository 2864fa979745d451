"""Django admin, page by page, as a superuser who clicks on everything that only shows something."""

import re
from collections import Counter, deque
from collections.abc import Iterator
from typing import Final

from tests.trust.walk.scene import SAM, Scene
from tests.trust.walk.visitor import Answer

_LINK: Final = re.compile(r'href="(/admin/[^"#?]*|\?[^"#]*)["#]')
_PAGE_OF_AN_OBJECT: Final = re.compile(r"/admin/(\w+/\w+)/[^/]+/(change/|history/|delete/)?")
# Of each model so many change pages, so many histories, so many questions before a deletion.
_OF_A_KIND: Final = 2


def pages(scene: Scene) -> Iterator[Answer]:
    """Every list, and some pages of each kind for each model. Nothing is posted."""
    sam = scene.visitor("sam")
    sam.log_in(SAM, scene.passwords[SAM].value, "/admin/login/")
    waiting, seen, kinds = deque(["/admin/"]), {"/admin/logout/", "/admin/jsi18n/"}, Counter[tuple[str, ...]]()
    while waiting:
        path = waiting.popleft()
        if path in seen:
            continue
        seen.add(path)
        kind = _PAGE_OF_AN_OBJECT.fullmatch(path)
        if kind:
            kinds[kind.groups("")] += 1
            if kinds[kind.groups("")] > _OF_A_KIND:
                continue
        answer = sam.get(path)
        yield answer
        waiting.extend(link for link in _LINK.findall(answer.text) if link.startswith("/"))
        if kind and kind[2] == "change/":
            waiting += [path.replace("/change/", other) for other in ("/history/", "/delete/")]
