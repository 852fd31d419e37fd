"""What a lab's model is charged for a burst, by this machine's price list."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.judge.predictions import burst_computing, burst_waiting
from bench.judge.prices import FREE, Prices
from bench.measure.labs import Lab

CORES = len(os.sched_getaffinity(0))
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

        One clerk's line hides it: while he serves, the others connect. Of a pool's
        clients the first are late for the pool's own work, until each worker has one,
        and all for what the kernel and the generator take: the later of the two.
        """
        if rank not in self.known:
            self.known[rank] = self.paid(rank)
        return self.known[rank]

    @cached_property
    def known(self) -> dict[int, float]:
        """What each rank pays, once it was asked: a chart's curve asks very often."""
        return {}

    def paid(self, rank: int) -> float:
        """The same, computed."""
        if self.clerks == 1:
            return 0.0
        own = self.prices.waiting_crowd(min(rank, self.clerks), self.lab.name)
        return max(own, self.prices.crowd(rank, NULL)) if self.lab.has_pool else own

    @property
    def each_cpu(self) -> float:
        """CPU time for a client beyond the time in a line: its thread, the generator.

        A line's time has one client's connection in it, with all pauses. Where the
        cores are full there are no pauses, so only its CPU time counts: the server's
        and the generator's in place of what a client without work takes in a line.
        """
        listed = self.prices
        cpu = listed.cpu(self.lab.name) + listed.generator_cpu
        return cpu - listed.service("echo", 0)

    def cold(self, rank: int) -> float:
        """What the first of a crowd cost more: a pool's until each worker had one."""
        return self.prices.cold(min(rank, self.clerks), self.lab.name)

    def waiting(self, asked: Sequence[float]) -> list[float]:
        """When each client is done whose work waits for so long."""
        services = [self.prices.service("sleep", each) for each in asked]
        alone = self.prices.alone("sleep", self.lab.name)
        return burst_waiting(services, self.clerks, alone, self.crowd)

    def computing(self, asked: Sequence[float]) -> list[float]:
        """When each client is done whose work computes for so long."""
        services = [self.prices.service("burn", each) for each in asked]
        alone = self.prices.alone("burn", self.lab.name)
        more = {"alone": alone, "each": self.each_cpu, "cold": self.cold}
        time_slice = self.prices.one("time slice")
        return burst_computing(
            services, self.clerks, self.left * CORES, **more, time_slice=time_slice
        )
