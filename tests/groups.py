"""Groups of tests that one worker of a parallel run must have to itself: `pytest.mark.xdist_group`.

pytest-xdist 3.8 writes a group where pytest 9.2 no longer reads it, and then spreads its tests over all workers without a
word (pytest-dev/pytest-xdist#1386): each would start the product that was meant to be shared.
"""

from collections import Counter
from collections.abc import Generator
from typing import Any, Final

import pytest

_BESIDE: Final = 1
"""Workers beyond one for each core: tests that start the product mostly wait for it."""
# These have few tests and take longest: begun last, they would be waited for. Groups that start the product are called after it.
_LONG: Final = "product"
_LONGEST: Final = (
    *(
        "product",
        "product-can",
        "test_inp_generated",
        "test_serve",
        "test_enc_pages",
        "look",
        "test_supervisor",
        "test_smoke",
    ),
    *(
        "test_chk_verdicts",
        "test_inp_service_accounts",
        "test_processes",
        "test_gwy_changes",
        "test_net_gateway_hostile",
    ),
)


def pytest_configure(config: pytest.Config) -> None:
    # The order is this module's; xdist's own goes by the number of tests alone.
    config.option.loadscopereorder = False


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """How many workers are ``-n auto``."""
    return (yield) + _BESIDE


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[Any]) -> None:
    # Only workers have this option, and only of a run by groups.
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        group = _group(item)
        if group and not item.nodeid.endswith(f"@{group}"):
            item._id = type(item._id).parse(f"{item.nodeid}@{group}")
    sizes = Counter(map(_group, items))
    items.sort(key=lambda item: (_place(_group(item)), -sizes[_group(item)], _group(item)))


def _place(group: str) -> int:
    """Where the group stands among those that are begun first; behind them when it need not be."""
    if group in _LONGEST:
        return _LONGEST.index(group)
    return 0 if group.startswith(_LONG) else len(_LONGEST)


def _group(item: Any) -> str:
    """The group of a test; empty when it has none."""
    marker = item.get_closest_marker("xdist_group")
    return str(marker.args[0]) if marker else ""
