"""What a lab's model is charged for a burst, by this machine's price list."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.judge.predictions import burst_computing, burst_waiting, held_back
from bench.judge.prices import FREE, Prices, interpolate
from bench.measure.labs import Lab

CORES = len(os.sched_getaffinity(0))
MACHINES_CORES = os.cpu_count() or CORES  # also those that the bench may not use
NULL = "null"  # the server whose crowd costs what the kernel and the generator take


@dataclass(frozen=True)
class Charges:
    """A lab with its pool, on a machine with these prices; without any: the ideal."""

    lab: Lab
    pool: int
    prices: Prices = FREE
    left: float = 1.0  # the share of the cores that other programs left

    @property
    def clerks(self) -> float:
        """How many clients are served at once."""
        return self.lab.clerks(self.pool)

    @property
    def ideal(self) -> "Charges":
        """The same on a machine that charges nothing."""
        return Charges(self.lab, self.pool)

    def crowd(self, rank: int) -> float:
        """How much later the client of this rank is with a clerk, for the crowd alone.

        Of a pool's clients the first are late for the pool's own work, until each
        worker has one; where each has a thread, all are. One clerk has no crowd.
        """
        if self.clerks == 1:
            return 0.0
        return interpolate(self.own_crowd, min(rank, self.clerks))

    def late(self, clients: int, first: float) -> float:
        """How much later than at first the first round of a line ends.

        A lab with a thread for everybody has no line: its crowd's price has it all.
        """
        if math.isinf(self.clerks):
            return 0.0
        few = min(clients, self.clerks)
        started = self.prices.started(clients) - self.prices.started(few)
        return held_back(started, self.prices.asked(clients), first)

    @cached_property
    def own_crowd(self) -> list[tuple[float, float]]:
        """What crowds of this lab pay by their size: a chart's curve asks very often."""
        return self.prices.waiting_crowds(self.lab.name)

    def cold(self, rank: int) -> float:
        """What the first of a crowd cost more: a pool's until each worker had one."""
        return self.prices.cold(min(rank, self.clerks), self.lab.name)

    def waiting(self, asked: Sequence[float]) -> list[float]:
        """When each client is done whose work waits for so long."""
        services = [self.prices.service("sleep", each) for each in asked]
        alone = self.prices.alone("sleep", self.lab.name)
        alone += self.late(len(asked), alone + services[0] + self.crowd(len(asked)))
        beside = self.prices.hindered if self.lab.has_pool else 0.0
        return burst_waiting(services, self.clerks, alone, self.crowd, beside)

    def computing(self, asked: Sequence[float]) -> list[float]:
        """When each client is done whose work computes for so long."""
        services = [self.prices.service("burn", each) for each in asked]
        alone = self.prices.alone("burn", self.lab.name)
        if self.clerks == 1:
            alone += self.late(len(asked), alone + services[0])
        cpu = self.prices.computing_cpu(self.lab.name)
        more = {"alone": alone, "cold": self.cold, "demands": [e + cpu for e in asked]}
        time_slice = self.prices.one("time slice")
        return burst_computing(
            services, self.clerks, self.left * CORES, **more, time_slice=time_slice
        )
