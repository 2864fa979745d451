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
        ([2, 4, 9], [1, 2, 3], 2),
        # The machine was twice as slow in the second round: for both.
        ([10, 20, 10], [2, 4, 2], 5),
        ([10, 10, 10], [2, 0, 5], 5),
    ],
)
def test_a_ratio_is_the_median_of_the_ratios_within_rounds(
    rounds: list[float], others: list[float], found: float
) -> None:
    assert ratio(rounds, others) == found


def test_a_ratio_to_noise_does_not_look_like_a_good_one() -> None:
    assert ratio([1, 1, 1], [-1, 0, 4]) == math.inf


def test_rounds_are_compared_with_their_own_kind() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio([1, 2], [1])
