"""Verdicts: was a promise kept? Decided by intervals, not by one lucky or unlucky run."""

import math
from dataclasses import dataclass

from bench.judge.estimates import Interval

KEPT, MISSED, UNDECIDED = "kept", "missed", "undecided"
FEWEST_RUNS = 3  # with fewer, a range says nothing of what more runs would bring


@dataclass(frozen=True)
class Promise:
    """What the project promises of a number: that it lies between two bounds."""

    low: float = -math.inf
    high: float = math.inf
    words: str = ""
    fewest: int = FEWEST_RUNS  # runs, before there is a verdict

    def judge(self, found: Interval) -> str:
        """Kept if the whole interval lies inside, missed if the whole lies outside."""
        if found.repeats < self.fewest:
            return UNDECIDED
        if self.low <= found.low and found.high <= self.high:
            return KEPT
        return MISSED if found.high < self.low or found.low > self.high else UNDECIDED


def within(share: float, predicted: float, fewest: int = FEWEST_RUNS) -> Promise:
    """No further from the predicted than by this share, either way."""
    low, high = predicted * (1 - share), predicted * (1 + share)
    return Promise(low, high, f"+-{share:.0%}", fewest)


def at_least(low: float, fewest: int = FEWEST_RUNS) -> Promise:
    """Not less."""
    return Promise(low=low, words=f"at least {low:g}", fewest=fewest)


def at_most(high: float, fewest: int = FEWEST_RUNS) -> Promise:
    """Not more."""
    return Promise(high=high, words=f"at most {high:g}", fewest=fewest)
