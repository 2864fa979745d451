"""Groups of tests that one worker of a parallel run must have to itself: `pytest.mark.xdist_group`.

pytest-xdist 3.8 writes a group where pytest 9.2 no longer reads it, and then spreads its tests over all workers without a
word (pytest-dev/pytest-xdist#1386): each would start the product that was meant to be shared.
"""

from typing import Any

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[Any]) -> None:
    # Only workers have this option, and only of a run by groups.
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        group = item.get_closest_marker("xdist_group")
        if group and not item.nodeid.endswith(f"@{group.args[0]}"):
            item._id = type(item._id).parse(f"{item.nodeid}@{group.args[0]}")
