"""The bench's arithmetic, without a clock."""

import math

import pytest

from bench.figures import added, percentile, ratio, typical


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [
        ([7], 50, 7),
        ([7], 99, 7),
        ([3, 1, 2], 50, 2),
        ([4, 3, 2, 1], 50, 2),
        (range(1, 101), 50, 50),
        (range(1, 101), 99, 99),
        (range(1, 101), 100, 100),
        (range(1, 201), 99, 198),
        ([1, 2], 0, 1),
    ],
)
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(
    values: list[float], percent: float, found: float
) -> None:
    assert percentile(values, percent) == found


def test_nothing_was_measured_where_nothing_was_measured() -> None:
    assert all(math.isnan(one) for one in (percentile([], 50), typical([]), ratio([], [1]), ratio([1], [])))


def test_one_disturbed_round_moves_no_typical_value() -> None:
    assert typical([1.0, 1.1, 90.0]) == 1.1


def test_what_is_added_is_counted_within_each_round() -> None:
    assert added([5, 9, 6], [1, 4, 2]) == [4, 5, 4]


@pytest.mark.parametrize(
    ("rounds", "others", "found"),
    [
        ([4], [2], 2),
        ([2, 4, 9], [1, 2, 3], 2),
        # One side was disturbed in one round, the other in another.
        ([10, 90, 10], [2, 2, 40], 5),
    ],
)
def test_a_ratio_is_that_of_the_typical_values(rounds: list[float], others: list[float], found: float) -> None:
    assert ratio(rounds, others) == found


@pytest.mark.parametrize("noise", [[0.0], [-1, -2, 4]])
def test_there_is_no_ratio_to_noise(noise: list[float]) -> None:
    assert math.isnan(ratio([1], noise))
