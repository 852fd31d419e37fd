"""The bench's statistics: no number without the samples for it, and no difference but a real one."""

import math
import random

import pytest

from bench.judge.estimates import Interval, floor_of, interval, percentile, ranks_around


@pytest.mark.parametrize(
    "share, floor",
    [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368), (0.999, 3688), (0.9999, 36887)],
)
def test_floors_are_those_of_the_binomial(share, floor):
    assert floor_of(share) == floor


@pytest.mark.parametrize(
    "share, count, ranks",
    [(0.5, 20, (6, 15)), (0.5, 100, (40, 61)), (0.9, 100, (84, 96)), (0.5, 5, None)],
)
def test_ranks_around_a_percentile(share, count, ranks):
    assert ranks_around(share, count) == ranks


def test_a_percentile_below_its_floor_is_not_printed():
    few = percentile([1.0] * 20, 0.99, 5)
    assert not few.is_defended and math.isnan(few.value)
    assert str(few) == "n/a (needs n ≥ 368)"


def test_one_sample_decides():
    assert not percentile([1.0] * 367, 0.99, 5).is_defended
    assert str(percentile([1.0] * 368, 0.99, 5)) == "1.00 s"


def test_failures_rank_as_infinitely_late():
    latencies = [0.01] * 980 + [math.inf] * 20
    assert str(percentile(latencies, 0.99, 5)) == "> 5.00 s"
    assert str(percentile(latencies, 0.9, 5)) == "10.0 ms"


def test_failures_are_not_left_out():
    answered = [0.01] * 980
    assert (
        percentile(answered, 0.99, 5).value < math.inf
    )  # what dropping them would say


def test_an_interval_needs_repeats():
    assert not interval([1.0]).is_defended
    assert str(interval([1.0])) == "1.00 s (1 run)"
    assert str(interval([1.0, 1.1, 1.2])) == "1.10 s (3 runs: 1.00 s to 1.20 s)"
    assert str(interval([1.0, 1.1, 1.2, 1.3, 1.4])) == "1.20 s [1.00 s to 1.40 s]"


def test_an_interval_drops_outliers_once_there_are_enough():
    assert interval(range(1, 21)) == Interval(10.5, 6, 15, 20)


def trials(factor, count=100, repeats=5, noise=0.01):
    """How often two sets of repeats are told apart, the second slower by a factor."""
    numbers = random.Random(3)

    def measure(slower):
        return interval([slower * numbers.gauss(1, noise) for _ in range(repeats)])

    return sum(not measure(1).overlaps(measure(factor)) for _ in range(count))


def test_no_difference_is_found_where_there_is_none():
    assert trials(1.0) <= 5


def test_a_planted_difference_is_found():
    assert trials(1.1) >= 90


def test_pooling_would_invent_differences():
    """Why clients of one burst are not repeats: 100 of them in two noisy runs look exact."""
    numbers = random.Random(3)
    found = 0
    for _ in range(100):
        runs = [numbers.gauss(1, 0.05) for _ in range(2)]
        pools = [[run + numbers.gauss(0, 0.01) for _ in range(100)] for run in runs]
        found += not interval(pools[0]).overlaps(interval(pools[1]))
    assert found > 50
