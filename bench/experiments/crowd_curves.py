"""crowd: a lab under crowds of all sizes, and what theory says of them."""

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from bench.experiments.charges import CORES, Charges
from bench.experiments.experiment import labs_of
from bench.judge.gates import cpu_left, is_near_floor
from bench.judge.prices import FREE, Prices
from bench.measure.labs import Lab
from bench.measure.runs import Measured

POOL = 10
FLOOR = "floor"  # the scene of the null server


@dataclass(frozen=True)
class Work:
    """What each client asks for, and on how many cores it can be done at once."""

    name: str
    request: str
    service_ms: int
    cores: float
    title: str

    def last_done(self, charges: Charges, clients: int) -> float:
        """When theory expects the last of a crowd to be done."""
        asked = [self.service_ms / 1000] * clients
        waits = math.isinf(self.cores)
        ends = charges.waiting(asked) if waits else charges.computing(asked)
        return max(ends)

    def formula(self, lab: Lab) -> str:
        """The same in the signs of the chart."""
        clerks = lab.clerks(POOL)
        if clerks == 1:
            return "N × S"
        if self.cores < clerks:
            return f"N × S / {self.cores}"
        return "S" if math.isinf(clerks) else f"⌈N/{clerks}⌉ × S"


WAITS = Work(
    "waits", "sleep", 2, math.inf, "Work that waits: each client needs a clerk for 2 ms"
)
COMPUTES = Work(
    "computes",
    "burn",
    1,
    CORES,
    f"Work that computes: each client needs 1 ms of CPU time, on {CORES} cores",
)


@dataclass(frozen=True)
class CrowdPoint:
    """A lab and a number of clients: the repeats of this burst."""

    clients: int
    bursts: list[Measured]

    @property
    def lasts(self) -> list[float]:
        """For each repeat, when the last client was done; infinite if one failed."""
        return [max(burst.latencies) for burst in self.bursts]

    @property
    def medians(self) -> list[float]:
        """For each repeat, when half of the clients were done."""
        return [median(burst.latencies) for burst in self.bursts]

    @property
    def failed(self) -> int:
        """How many clients failed, over all repeats."""
        return sum(burst.failures.total() for burst in self.bursts)


@dataclass(frozen=True)
class Curve:
    """A lab under crowds of all sizes."""

    lab: Lab
    work: Work
    points: list[CrowdPoint]
    prices: Prices = FREE

    @property
    def name(self) -> str:
        """The lab's, with the size of its pool."""
        return self.lab.title + (f" ({POOL} workers)" if self.lab.has_pool else "")

    @property
    def medians(self) -> list[tuple[float, float]]:
        """What is drawn as a line: clients, and seconds until the last is done."""
        return [(point.clients, median(point.lasts)) for point in self.points]

    @cached_property
    def charges(self) -> Charges:
        """What this lab is charged here."""
        left = cpu_left([burst for point in self.points for burst in point.bursts])
        return Charges(self.lab, POOL, self.prices, left)

    def predicted(self, clients: int) -> float:
        """When the last of so many is done, with what this machine charges."""
        return self.work.last_done(self.charges, clients)

    def ideal(self, clients: int) -> float:
        """The same on a machine that charges nothing."""
        return self.work.last_done(self.charges.ideal, clients)


def find_floor(made: list[Measured]) -> dict[int, float]:
    """When the null server has answered the last of a crowd, by its size."""
    null = [each for each in made if not each.run.lab.number]
    return {
        size: median(max(each.latencies) for each in null if each.run.clients == size)
        for size in sorted({each.run.clients for each in null})
    }


def is_near(point: CrowdPoint, floor: dict[int, float]) -> bool:
    """Is this crowd's time the kernel's and the generator's more than a server's?"""
    return is_near_floor(median(point.lasts), floor.get(point.clients, 0))


def make_curves(made: list[Measured], work: Work, prices: Prices = FREE) -> list[Curve]:
    """A curve for each lab that was measured with this kind of work."""
    of_work = [each for each in made if each.run.scene == work.name]
    return [
        make_curve(lab, work, prices, [each for each in of_work if each.run.lab == lab])
        for lab in labs_of(of_work)
    ]


def make_curve(lab: Lab, work: Work, prices: Prices, made: list[Measured]) -> Curve:
    """Put the runs of one lab together by the number of clients."""
    sizes = sorted({each.run.clients for each in made})
    points = [
        CrowdPoint(n, [each for each in made if each.run.clients == n]) for n in sizes
    ]
    return Curve(lab, work, points, prices)
