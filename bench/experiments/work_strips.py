"""work: when each client of a crowd was done, and when theory expects it."""

import math
import os
from dataclasses import dataclass
from statistics import fmean, median

from bench.experiments.experiment import labs_of, service_time
from bench.judge.predictions import fifo, shared
from bench.measure.labs import Lab
from bench.measure.records import NS_PER_S
from bench.measure.runs import Measured

CLIENTS = 20
CORES = len(os.sched_getaffinity(0))
POOL = CORES
SERVICE_MS = 20


@dataclass(frozen=True)
class Work:
    """What each client asks for, and on how many cores it can be done at once."""

    name: str
    request: str
    cores: float
    title: str

    @property
    def alone(self) -> str:
        """The scene in which S is measured."""
        return f"{self.name}-alone"

    @property
    def say(self) -> str:
        """A client's request."""
        return f"{self.request} {SERVICE_MS}"


WAITS = Work("waits", "sleep", math.inf, "waiting: each clerk is on the phone")
COMPUTES = Work(
    "computes",
    "burn",
    CORES,
    f"computing: each clerk needs one of {CORES} cores",
)
WORKS = (WAITS, COMPUTES)


@dataclass(frozen=True)
class Strip:
    """One lab with one kind of work: when each of its clients was done."""

    lab: Lab
    work: Work
    lone: list[Measured]
    bursts: list[Measured]

    @property
    def service(self) -> float:
        """S, as a client alone has it."""
        return service_time(self.lone, SERVICE_MS / 1000)

    @property
    def predicted(self) -> list[float]:
        """When theory expects each to be done, in the order of the line."""
        clerks = self.lab.clerks(POOL)
        if min(clerks, CLIENTS) > self.work.cores:
            return shared([self.service] * CLIENTS, self.work.cores)
        return fifo([self.service] * CLIENTS, clerks)

    @property
    def is_shared(self) -> bool:
        """Do more clerks compute than there are cores?"""
        return min(self.lab.clerks(POOL), CLIENTS) > self.work.cores

    @property
    def means(self) -> list[float]:
        """For each repeat, how long a client took on average; infinite if one failed."""
        return [fmean(burst.latencies) for burst in self.bursts]

    @property
    def mean(self) -> float:
        """The median of that over the repeats."""
        return median(self.means)

    @property
    def last(self) -> float:
        """When the last was done: the median over the repeats."""
        return median(max(burst.latencies) for burst in self.bursts)

    @property
    def shown(self) -> Measured:
        """The repeat whose mean is in the middle."""
        ordered = sorted(self.bursts, key=lambda burst: fmean(burst.latencies))
        return ordered[(len(ordered) - 1) // 2]

    @property
    def model(self) -> str:
        """The lab's clerks, in words."""
        clerks = self.lab.clerks(POOL)
        if clerks == 1:
            return "one clerk"
        return f"{CLIENTS} threads" if math.isinf(clerks) else f"{POOL} workers"

    def taken_and_done(self) -> list[tuple[float, float]]:
        """For each client of the shown repeat, in seconds: greeted by a clerk, and done."""
        pairs = [
            (
                (client.first_byte - client.intended) / NS_PER_S,
                client.latency,
            )
            for client in self.shown.clients
            if client.outcome == "ok"
        ]
        return sorted(pairs, key=lambda pair: pair[1])


def make_strips(made: list[Measured]) -> list[Strip]:
    """A strip for each kind of work and lab that was measured."""
    strips = []
    for work in WORKS:
        for lab in labs_of(made):
            of_lab = [each for each in made if each.run.lab == lab]
            lone = [each for each in of_lab if each.run.scene == work.alone]
            bursts = [each for each in of_lab if each.run.scene == work.name]
            if bursts:
                strips.append(Strip(lab, work, lone, bursts))
    return strips
