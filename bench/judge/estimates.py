"""Estimates: numbers that can be defended, and a refusal for those that cannot.

Percentiles are order statistics, a failure is an infinitely late answer, and an
interval comes from repeats: the clients of one run are not independent.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.tell.units import seconds

CONFIDENCE = 0.95
ALPHA = (1 - CONFIDENCE) / 2  # on either side
FEWEST_REPEATS = 5  # for an interval: of 5 it covers the median 15 times in 16


def floor_of(share: float) -> int:
    """The fewest samples with a finite upper bound for a percentile.

    If n samples all lie below it, which has the probability share**n, then none
    of them bounds it from above. That must be rarer than ALPHA.
    """
    return math.ceil(math.log(ALPHA) / math.log(share))


def is_defended(share: float, count: int) -> bool:
    """Are there enough samples for this percentile?"""
    return share == 0 or count >= floor_of(share)


@dataclass(frozen=True)
class Percentile:
    """One percentile of one run: a number, or why there is none."""

    share: float  # 0.99 for p99
    count: int
    value: float  # NaN below the floor, infinite where failures begin
    limit: float  # what a client waited at most before it gave up

    @property
    def is_defended(self) -> bool:
        """Are there enough samples?"""
        return is_defended(self.share, self.count)

    def __str__(self) -> str:
        if not self.is_defended:
            return f"n/a (needs n ≥ {floor_of(self.share)})"
        if math.isinf(self.value):
            return f"> {seconds(self.limit)}"
        return seconds(self.value)


def percentile(values: Sequence[float], share: float, limit: float) -> Percentile:
    """The smallest value that so large a share does not exceed."""
    count = len(values)
    if not is_defended(share, count):
        return Percentile(share, count, math.nan, limit)
    return Percentile(share, count, sorted(values)[rank_of(share, count) - 1], limit)


def rank_of(share: float, count: int) -> int:
    """The rank, from 1, of a percentile among so many sorted values."""
    return max(1, math.ceil(share * count - 1e-9))


def ranks_around(share: float, count: int) -> tuple[int, int] | None:
    """Between which ranks a percentile lies with CONFIDENCE; None if nobody can say.

    How many of the values lie below it is binomial, whatever their distribution.
    """
    low = quantile_of_binomial(ALPHA, count, share)
    high = quantile_of_binomial(1 - ALPHA, count, share) + 1
    return (low, high) if low >= 1 and high <= count else None


def quantile_of_binomial(level: float, count: int, share: float) -> int:
    """The least k of which P(at most k of count) reaches a level."""
    total, k = 0.0, -1
    while total < level and k < count:
        k += 1
        total += math.comb(count, k) * share**k * (1 - share) ** (count - k)
    return k


@dataclass(frozen=True)
class Interval:
    """What repeats say of a number: their median, and how far they lie apart."""

    middle: float
    low: float
    high: float
    repeats: int

    @property
    def is_defended(self) -> bool:
        """Are there enough repeats to call it an interval?"""
        return self.repeats >= FEWEST_REPEATS

    def overlaps(self, other: "Interval") -> bool:
        """May both be the same number?"""
        return self.low <= other.high and other.low <= self.high

    def words(self, write: Callable[[float], str] = seconds) -> str:
        """The median, and from where to where."""
        if self.repeats < 2:
            return f"{write(self.middle)} ({self.repeats} run)"
        ends = f"{write(self.low)} to {write(self.high)}"
        if self.is_defended:
            return f"{write(self.middle)} [{ends}]"
        return f"{write(self.middle)} ({self.repeats} runs: {ends})"

    def __str__(self) -> str:
        return self.words()


def interval(repeats: Sequence[float]) -> Interval:
    """One number for each repeat becomes an interval for their median.

    From six repeats on, its ranks cover the median with CONFIDENCE; below that
    it reaches from the least to the most.
    """
    ordered = sorted(repeats)
    if not ordered:
        return Interval(math.nan, math.nan, math.nan, 0)
    low, high = ranks_around(0.5, len(ordered)) or (1, len(ordered))
    return Interval(median(ordered), ordered[low - 1], ordered[high - 1], len(ordered))
