"""policies: the lines, what was measured in them, and what theory says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean, median

from bench.experiments.arrivals_scenes import BESIDES, NULL
from bench.judge.estimates import percentile
from bench.judge.predictions import (
    fifo,
    pollaczek_khinchine,
    shared_line,
    shortest_first,
    shortest_of_those,
)
from bench.judge.prices import FREE, Prices
from bench.judge.stamps import believed
from bench.measure.records import NS_PER_S, Client, Visit, join
from bench.measure.runs import Measured

SHORT_MS, LONG_MS = 2, 40
PER_MILLE = 50
LONG_SHARE = PER_MILLE / 1000
LOAD = 0.7
NOMINAL_MS = 0.2  # what a job takes beyond its time, about
MEAN_S = (SHORT_MS + LONG_SHARE * (LONG_MS - SHORT_MS) + NOMINAL_MS) / 1000
MEAN, P99, SHORT, LONG = "mean", "p99", "mean of the short", "mean of the long"
Jobs = list[tuple[float, float]]  # services and their shares, the shortest first


def alone(rate: float, jobs: Jobs) -> list[float]:
    """The mean wait of each kind of job before one worker."""
    return [pollaczek_khinchine(rate, moment(jobs, 1), moment(jobs, 2))] * len(jobs)


def each_own(rate: float, jobs: Jobs) -> list[float]:
    """The same with a line for each of two: by lot, either is a Poisson stream, too."""
    return alone(rate / 2, jobs)


def shared(rate: float, jobs: Jobs) -> list[float]:
    """The same with one line for two."""
    return [shared_line(rate, moment(jobs, 1), moment(jobs, 2), 2)] * len(jobs)


def moment(jobs: Jobs, power: int) -> float:
    """The mean of the service, or that of its square."""
    return sum(share * service**power for service, share in jobs)


@dataclass(frozen=True)
class Line:
    """A rule, and how many workers there are."""

    name: str
    policy: str
    workers: int
    words: str
    waits: Callable[[float, Jobs], list[float]]

    @property
    def rate(self) -> int:
        """Starts per second that keep each worker equally busy."""
        return round(LOAD * self.workers / MEAN_S)


LINES = (
    Line("fcfs-1", "fcfs", 1, "1 worker: first come first served", alone),
    Line("sjf-1", "sjf", 1, "1 worker: shortest first", shortest_first),
    Line("fcfs-2", "fcfs", 2, "2 workers: one line", shared),
    Line("own-2", "own", 2, "2 workers: a line each", each_own),
)


@dataclass  # not frozen: what was played is kept
class Served:
    """One line: its repeats."""

    line: Line
    runs: list[Measured]
    prices: Prices = field(default=FREE, repr=False)

    @property
    def jobs(self) -> Jobs:
        """What short and long jobs take here, with their shares."""
        return [
            (self.prices.service("sleep", SHORT_MS / 1000), 1 - LONG_SHARE),
            (self.prices.service("sleep", LONG_MS / 1000), LONG_SHARE),
        ]

    @property
    def known(self) -> list[str]:
        """What so many jobs can defend."""
        fewest = min(len(made.clients) for made in self.runs)
        has_p99 = percentile([0.0] * fewest, 0.99, 1).is_defended
        return [MEAN, *([P99] if has_p99 else []), SHORT, LONG]

    def measured(self, what: str) -> list[float]:
        """One number for each repeat."""
        return [pick(what, [(c.latency, v) for c, v in pairs(m)]) for m in self.runs]

    def middle(self, what: str) -> float:
        """The median of the repeats."""
        return median(self.measured(what))

    def long_run(self, what: str) -> float:
        """What the formula says; there is none for p99."""
        besides = self.prices.one(BESIDES, NULL)
        waits = self.line.waits(self.line.rate, self.jobs)
        short, long = (w + s + besides for w, (s, _) in zip(waits, self.jobs))
        mean = (1 - LONG_SHARE) * short + LONG_SHARE * long
        return {MEAN: mean, SHORT: short, LONG: long}.get(what, float("nan"))

    def predicted(self, what: str) -> float:
        """The rule played through with the very arrivals: the median of the repeats."""
        return median(pick(what, played) for played in self.played)

    @cached_property
    def played(self) -> list[list[tuple[float, Visit | None]]]:
        """For each repeat, how long each job takes by the rule."""
        return [self.play(made) for made in self.runs]

    def play(self, made: Measured) -> list[tuple[float, Visit | None]]:
        """One repeat; who got into which line of their own is known from the trace."""
        both = sorted(pairs(made), key=lambda pair: pair[0].intended)
        first = both[0][0].intended
        arrivals = [(client.intended - first) / NS_PER_S for client, _ in both]
        services = [self.jobs[is_long(visit)][0] for _, visit in both]
        besides = self.prices.one(BESIDES, NULL)
        done = [0.0] * len(both)
        for members in self.lines_of(both):
            ends = self.rule(
                [services[i] for i in members], [arrivals[i] for i in members]
            )
            for i, end in zip(members, ends):
                done[i] = end
        return [
            (end - arrival + besides, visit)
            for end, arrival, (_, visit) in zip(done, arrivals, both)
        ]

    def rule(self, services: list[float], arrivals: list[float]) -> list[float]:
        """When each of one line is done."""
        if self.line.policy == "sjf":
            return shortest_of_those(services, arrivals)
        clerks = self.line.workers if self.line.policy == "fcfs" else 1
        return fifo(services, clerks, arrivals)

    def lines_of(self, both: list[tuple[Client, Visit | None]]) -> list[list[int]]:
        """Who stands in one line together."""
        if self.line.policy != "own":
            return [list(range(len(both)))]
        workers = sorted({visit.worker for _, visit in both if visit})
        return [
            [i for i, (_, visit) in enumerate(both) if visit and visit.worker == worker]
            for worker in workers
        ]


def pairs(made: Measured) -> list[tuple[Client, Visit | None]]:
    """Each client with its visit."""
    return join(made.clients, made.visits)


def is_long(visit: Visit | None) -> bool:
    """Was it a long job?"""
    return visit is not None and visit.held > (SHORT_MS + LONG_MS) / 2000


def pick(what: str, times: list[tuple[float, Visit | None]]) -> float:
    """One number out of how long all jobs took."""
    if what == P99:
        return percentile([time for time, _ in times], 0.99, 1e9).value
    kinds = {SHORT: (False,), LONG: (True,)}.get(what, (False, True))
    return fmean(time for time, visit in times if is_long(visit) in kinds)


def make_served(line: Line, made: list[Measured], prices: Prices) -> Served:
    """What was measured of a line."""
    return Served(
        line,
        [each for each in believed(made) if each.run.scene == line.name],
        prices,
    )
