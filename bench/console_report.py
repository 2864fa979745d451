"""What a run of the console's bench prints: a line for each page, and the goal met or missed."""

from collections.abc import Iterator
from typing import Final

from bench.pages import Costs, Measured, Page
from bench.report import Goal

_LONGEST, _QUERIES, _RATIO = 15.0, 6, 1.2
_TITLES: Final = (
    "",
    "p50 ms",
    "p95 ms",
    "CPU ms",
    "p50 of 50",
    "ratio",
    "queries",
    "decrypts",
    "rows",
    "kB",
    "kB sent",
)


def lines(measured: Measured) -> Iterator[str]:
    yield _line(*_TITLES)
    yield _line("---", *["--:"] * (len(_TITLES) - 1))
    for page, costs in measured.items():
        yield _row(page, costs["large"], costs["small"])
    yield ""
    yield from map(str, goals(measured))


def goals(measured: Measured) -> Iterator[Goal]:
    """G6 of the design, for each list as it is opened."""
    for page, costs in measured.items():
        if not page.query:
            large, small = costs["large"], costs["small"]
            yield Goal("G6", f"{page.title}: p95 of server time, ms", large.milliseconds(95), _LONGEST, places=1)
            yield Goal("G6", f"{page.title}: queries", large.queries, _QUERIES, places=0)
            yield Goal("G6", f"{page.title}: decryptions", large.decryptions, 0, places=0)
            yield Goal("G6", f"{page.title}: time ÷ that of 50 provider keys", large.ratio(small), _RATIO)


def _row(page: Page, large: Costs, small: Costs) -> str:
    """A page that an organization with few keys can't fill has nothing beside it to be compared with."""
    beside = (f"{small.milliseconds(50):.1f}", f"{large.ratio(small):.2f}") if page.full else ("–", "–")
    times = (large.milliseconds(50), large.milliseconds(95), large.cpu_milliseconds())
    counts = (large.queries, large.decryptions, large.rows)
    sizes = (large.size, large.sent)
    return _line(
        page.title,
        *(f"{one:.1f}" for one in times),
        *beside,
        *map(str, counts),
        *(f"{one / 1e3:.0f}" for one in sizes),
    )


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
