"""policies and capacity: their formulas, against laws that must hold and against play."""

import random

import pytest

from bench.judge.capacity import Demand, Machine, machines
from bench.judge.predictions import (
    fifo,
    little,
    pollaczek_khinchine,
    shared_line,
    shortest_first,
    shortest_of_those,
)

JOBS = [(0.002, 0.95), (0.040, 0.05)]
MEAN = sum(share * service for service, share in JOBS)
SQUARE = sum(share * service**2 for service, share in JOBS)
RATE = 0.7 / MEAN


def test_no_rule_makes_waiting_disappear():
    """Kleinrock's conservation law: loads times waits are the same for every rule."""
    first = pollaczek_khinchine(RATE, MEAN, SQUARE)
    by_kind = shortest_first(RATE, JOBS)
    loads = [RATE * share * service for service, share in JOBS]
    total = sum(load * wait for load, wait in zip(loads, by_kind))
    assert total == pytest.approx(sum(loads) * first)
    assert by_kind[0] < first < by_kind[1]


def test_the_formula_of_the_shortest_first_agrees_with_play():
    numbers = random.Random(1)
    now, arrivals, services = 0.0, [], []
    for _ in range(100_000):
        now += numbers.expovariate(RATE)
        arrivals.append(now)
        services.append(JOBS[numbers.random() < JOBS[1][1]][0])
    for ends, formula in (
        (shortest_of_those(services, arrivals), shortest_first(RATE, JOBS)),
        (fifo(services, 1, arrivals), [pollaczek_khinchine(RATE, MEAN, SQUARE)] * 2),
    ):
        for (service, _), predicted in zip(JOBS, formula):
            waits = [
                end - arrival - taken
                for end, arrival, taken in zip(ends, arrivals, services)
                if taken == service
            ]
            assert sum(waits) / len(waits) == pytest.approx(predicted, rel=0.1)


def test_one_line_for_two_is_better_than_a_line_each():
    shared = shared_line(2 * RATE, MEAN, SQUARE, 2)
    assert shared < pollaczek_khinchine(RATE, MEAN, SQUARE) / 2
    assert shared_line(RATE, MEAN, SQUARE, 1) == pytest.approx(
        pollaczek_khinchine(RATE, MEAN, SQUARE)
    )


def test_the_resource_that_ends_first_decides():
    demand = Demand(1_000_000, 60, 20e-6, 4096)
    assert machines(demand, Machine(2, 1 << 34, 20_000, 4096)) == (50, "descriptors")
    assert machines(demand, Machine(2, 1 << 30, 1 << 20, 4096)) == (5, "memory")
    busy = Demand(1_000_000, 1, 20e-6, 4096)
    assert machines(busy, Machine(2, 1 << 34, 1 << 20, 4096)) == (15, "processor")
    assert little(100, 0.5) == 50
