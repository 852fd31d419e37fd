"""crowd: a lab under crowds of all sizes, and what theory says of them."""

import math
import os
from dataclasses import dataclass
from statistics import median

from bench.experiments.experiment import labs_of, service_time
from bench.judge.gates import is_near_floor
from bench.judge.predictions import last_done
from bench.measure.labs import Lab
from bench.measure.runs import Measured

POOL = 10
CORES = len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Work:
    """What each client asks for, and on how many cores it can be done at once."""

    name: str
    request: str
    service_ms: int
    cores: float
    title: str

    def last_done(self, lab: Lab, clients: int, service: float) -> float:
        """When theory expects the last of a crowd to be done."""
        return last_done(clients, service, lab.clerks(POOL), self.cores)

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

    @property
    def lone(self) -> list[Measured]:
        """The bursts of one client."""
        return [burst for p in self.points if p.clients == 1 for burst in p.bursts]

    @property
    def name(self) -> str:
        """The lab's, with the size of its pool."""
        return self.lab.title + (f" ({POOL} workers)" if self.lab.has_pool else "")

    @property
    def medians(self) -> list[tuple[float, float]]:
        """What is drawn as a line: clients, and seconds until the last is done."""
        return [(point.clients, median(point.lasts)) for point in self.points]

    def predicted(self, clients: int) -> float:
        """When theory expects the last of so many clients to be done."""
        service = service_time(self.lone, self.work.service_ms / 1000)
        return self.work.last_done(self.lab, clients, service)


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


def make_curves(made: list[Measured], work: Work) -> list[Curve]:
    """A curve for each lab that was measured with this kind of work."""
    of_work = [each for each in made if each.run.scene == work.name]
    return [
        make_curve(lab, work, [each for each in of_work if each.run.lab == lab])
        for lab in labs_of(of_work)
    ]


def make_curve(lab: Lab, work: Work, made: list[Measured]) -> Curve:
    """Put the runs of one lab together by the number of clients."""
    sizes = sorted({each.run.clients for each in made})
    points = [
        CrowdPoint(n, [each for each in made if each.run.clients == n]) for n in sizes
    ]
    return Curve(lab, work, points)
