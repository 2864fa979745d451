"""The bench's arithmetic: percentiles, medians and ratios of rounds."""

import math
from collections.abc import Sequence
from statistics import median
from typing import Final

NONE: Final = math.nan
"""A figure that was not measured. Whatever is computed from it is none either, and no comparison with it holds."""


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least ``percent`` % of ``values`` do not exceed; none of nothing."""
    if not values:
        return NONE
    rank = math.ceil(len(values) * percent / 100)
    return sorted(values)[max(rank, 1) - 1]


def typical(rounds: Sequence[float]) -> float:
    """The median of what rounds measured, none where nothing was: one disturbed round does not move it."""
    return median(rounds) if rounds else NONE


def added(rounds: Sequence[float], direct: Sequence[float]) -> list[float]:
    """What each round measured above the direct way in the same round."""
    return [one - other for one, other in zip(rounds, direct, strict=True)]


def ratio(rounds: Sequence[float], others: Sequence[float]) -> float:
    """One typical value over another; none where one side was not measured or noise has made the other zero or less."""
    under = typical(others)
    return typical(rounds) / under if under > 0 else NONE
