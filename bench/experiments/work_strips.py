"""work: when each client of a crowd was done, and when theory expects it."""

import math
from dataclasses import dataclass, field
from statistics import fmean, median

from bench.experiments.charges import CORES, Charges
from bench.experiments.experiment import labs_of
from bench.judge.gates import cpu_left
from bench.judge.prices import FREE, Prices
from bench.judge.stamps import believed, hollow
from bench.measure.labs import Lab
from bench.measure.records import NS_PER_S
from bench.measure.runs import Measured

CLIENTS = 20
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
    bursts: list[Measured]
    prices: Prices = FREE
    left_out: list[Measured] = field(default_factory=list)

    @property
    def ideal(self) -> list[float]:
        """When each is done, in order, on a machine that charges nothing."""
        return self.ends(Charges(self.lab, POOL))

    @property
    def predicted(self) -> list[float]:
        """The same with what this machine charges."""
        left = cpu_left(self.bursts)
        return self.ends(Charges(self.lab, POOL, self.prices, left))

    def ends(self, charges: Charges) -> list[float]:
        """When theory expects each to be done, in the order of the line."""
        asked = [SERVICE_MS / 1000] * CLIENTS
        waits = math.isinf(self.work.cores)
        return charges.waiting(asked) if waits else charges.computing(asked)

    @property
    def means(self) -> list[float]:
        """For each repeat, how long a client took on average; infinite if one failed."""
        return [fmean(burst.latencies) for burst in self.bursts]

    @property
    def mean(self) -> float:
        """The median of that over the repeats."""
        return median(self.means)

    @property
    def lasts(self) -> list[float]:
        """For each repeat, when the last was done."""
        return [max(burst.latencies) for burst in self.bursts]

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

    def times(self) -> list[tuple[float, ...]]:
        """For each client of the shown repeat: greeted, done, and both predictions."""
        return [
            (*measured, ideal, predicted)
            for measured, ideal, predicted in zip(
                self.taken_and_done(), sorted(self.ideal), sorted(self.predicted)
            )
        ]


def make_strips(made: list[Measured], prices: Prices = FREE) -> list[Strip]:
    """A strip for each kind of work and lab that was measured."""
    strips = []
    for work in WORKS:
        of_work = [each for each in believed(made) if each.run.scene == work.name]
        for lab in labs_of(of_work):
            bursts = [each for each in of_work if each.run.lab == lab]
            others = [
                each
                for each in hollow(made)
                if (each.run.scene, each.run.lab) == (work.name, lab)
            ]
            strips.append(Strip(lab, work, bursts, prices, others))
    return strips
