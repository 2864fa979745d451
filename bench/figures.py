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
    """The median of the ratios within each round, none where one side was not measured.

    Over a denominator that noise has made zero or less a ratio is infinite: it must not look like a good one.
    """
    if not rounds or not others:
        return NONE
    return median(one / other if other > 0 else math.inf for one, other in zip(rounds, others, strict=True))
