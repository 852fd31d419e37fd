"""The judge of the ^Z test: it lets the truth pass, and nothing else."""

import random

import pytest

from bench.checks import pair as check_pair
from bench.checks import stop as check_stop

STALL = 4.0


def lived_through(stall=STALL, count=800):
    """Half of all come during the stall and wait for its end; the others are served."""
    waits = [stall * (i + 0.5) / (count / 2) for i in range(count // 2)]
    return [1e-4] * (count // 2) + waits


def test_the_truth_passes():
    assert check_stop.tells_the_truth(check_stop.levels(lived_through(), STALL))


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_a_clock_that_is_off_by_a_tenth_does_not(factor):
    said = [factor * latency for latency in lived_through()]
    assert not check_stop.tells_the_truth(check_stop.levels(said, STALL))


def test_a_generator_that_sent_less_during_the_stall_does_not():
    """What coordinated omission looks like: one of those who waited, instead of all."""
    coordinated = [1e-4] * 400 + [STALL]
    found = check_stop.levels(coordinated, STALL)
    assert not check_stop.tells_the_truth(found) and check_stop.is_far_off(found)


def test_a_corrected_tail_is_not_far_off_but_still_not_the_truth():
    """wrk's own correction: right at p99, wrong by half at p75."""
    corrected = sorted(lived_through())
    corrected[600:640] = [0.76] * 40
    corrected[560:600] = [0.75] * 40
    found = check_stop.levels(corrected, STALL)
    assert not check_stop.tells_the_truth(found) and not check_stop.is_far_off(found)


def score(factor, trials=100):
    """Trials between servers of which the last is slower by a factor."""
    numbers, result = random.Random(5), check_pair.Tally()
    for _ in range(trials):
        result.count(
            {
                side: [slower * numbers.gauss(1, 0.01) for _ in range(5)]
                for side, slower in zip(check_pair.SIDES, (1, 1, factor))
            }
        )
    return result


def test_the_judge_of_pairs():
    assert score(1.1).is_good
    assert not score(1.0).is_good  # nothing is planted, and nothing found
    blind = check_pair.Tally(trials=100, invented=6, found=100)
    assert not blind.is_good
