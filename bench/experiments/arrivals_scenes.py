"""arrivals: who comes to whom, and what theory says of it."""

import math
from dataclasses import dataclass, field
from statistics import fmean, median

from bench.judge.prices import FREE, Prices
from bench.judge.stamps import believed, hollow
from bench.judge.predictions import deterministic, fifo, pollaczek_khinchine
from bench.measure.records import NS_PER_S, join
from bench.measure.runs import Measured

SERVICE_MS = 1
NOMINAL_S = 1.25e-3  # what a service of 1 ms takes with all that belongs to it, about
RARE_TIMES = 100  # so many times longer takes one customer
RARE_PER_MILLE = 10
RARE = RARE_PER_MILLE / 1000
POOL = 2
MAX_LOAD = 0.97  # beyond it nothing can be predicted
BESIDES, NULL = "idle server, a client alone", "null"  # a price and its server
MAX_FACTOR = 10  # a service so many times S was a rare one


@dataclass(frozen=True)
class Scene:
    """Who comes to whom, and for how long each load is kept up."""

    name: str
    colour: int
    clerks: int
    loads: dict[float, int]  # offered load, as planned, and for how many ms
    quick_loads: dict[float, int]
    model: str
    words: str
    label: tuple[float, float]  # beside which load the words stand, and how far up
    is_rare: bool = False

    def services(self, service: float) -> list[tuple[float, float]]:
        """How long customers take, and which share of them takes so long."""
        if not self.is_rare:
            return [(service, 1.0)]
        longer = service + (RARE_TIMES - 1) * SERVICE_MS / 1000
        return [(service, 1 - RARE), (longer, RARE)]

    def moment(self, service: float, power: int) -> float:
        """The mean of the service, or that of its square: what the formulas need."""
        return sum(share * time**power for time, share in self.services(service))

    def rate(self, load: float) -> int:
        """Starts per second that make this load."""
        return round(load * self.clerks / self.moment(NOMINAL_S, 1))

    def load(self, rate: float, service: float) -> float:
        """The offered load of this rate: clerks that would be busy, of all."""
        return rate * self.moment(service, 1) / self.clerks

    def long_run(self, rate: float, service: float) -> float:
        """The mean latency that theory expects if this goes on for ever."""
        if self.load(rate, service) >= 1:
            return math.inf
        if self.clerks > 1:
            return service + deterministic(rate, service, self.clerks)
        mean, square = self.moment(service, 1), self.moment(service, 2)
        return mean + pollaczek_khinchine(rate, mean, square)


ONE = Scene(
    "one-clerk",
    1,
    1,
    {0.3: 800, 0.6: 800, 0.8: 800, 0.9: 800},
    {0.5: 500, 0.9: 500},
    "M/D/1",
    "one clerk; all customers alike",
    (0.04, 1.9),
)
TWO = Scene(
    "two-clerks",
    3,
    POOL,
    {0.3: 600, 0.6: 600, 0.8: 600, 0.9: 600},
    {0.5: 400, 0.9: 400},
    f"M/D/{POOL}",
    f"{POOL} clerks and twice the customers",
    (0.3, 0.56),
)
SLOW = Scene(
    "rare",
    7,
    1,
    {0.3: 1500, 0.5: 1500, 0.7: 1500},
    {0.5: 800, 0.7: 1250},
    "M/G/1",
    f"one clerk; 1 % need {RARE_TIMES} times longer",
    (0.04, 12.5),
    is_rare=True,
)
SCENES = (ONE, TWO, SLOW)


@dataclass(frozen=True)
class LoadPoint:
    """One load of one scene: its repeats."""

    scene: Scene
    rate: int
    runs: list[Measured]
    prices: Prices = FREE
    left_out: list[Measured] = field(default_factory=list)

    @property
    def service(self) -> float:
        """S: how long a customer keeps a clerk from the next, here.

        Two clerks are a little slower than one, for they hinder each other.
        """
        if self.scene.clerks > 1:
            return self.prices.beside
        return self.prices.service("sleep", SERVICE_MS / 1000)

    @property
    def besides(self) -> float:
        """What a customer pays besides S and the line: connect, accept, wake-ups."""
        return self.prices.one(BESIDES, NULL)

    @property
    def load(self) -> float:
        """What was offered, by the S of this machine."""
        return self.scene.load(self.rate, self.service)

    @property
    def means(self) -> list[float]:
        """The mean latency of each repeat; infinite if a customer failed."""
        return [fmean(made.latencies) for made in self.runs]

    @property
    def ideal(self) -> float:
        """The same as theory has it for these very arrivals, if nothing else costs time."""
        return median(fmean(predict(m, self, SERVICE_MS / 1000)) for m in self.runs)

    @property
    def predicted(self) -> float:
        """The same with what this machine charges."""
        lines = median(fmean(predict(made, self, self.service)) for made in self.runs)
        return lines + self.besides

    @property
    def long_run(self) -> float:
        """What theory expects if this goes on for ever, and what the machine charges."""
        return self.scene.long_run(self.rate, self.service) + self.besides

    @property
    def is_predictable(self) -> bool:
        """Near saturation a little more work makes any line out of any other."""
        return self.load <= MAX_LOAD

    @property
    def middle(self) -> Measured:
        """The repeat in the middle."""
        ordered = sorted(self.runs, key=lambda made: fmean(made.latencies))
        return ordered[(len(ordered) - 1) // 2]


def predict(made: Measured, point: LoadPoint, service: float) -> list[float]:
    """Each customer's latency in order of arrival: Lindley's recursion of 1952.

    Whoever comes starts when a clerk is free, and so does the next: fifo().
    """
    pairs = sorted(join(made.clients, made.visits), key=lambda pair: pair[0].intended)
    first = pairs[0][0].intended
    arrivals = [(client.intended - first) / NS_PER_S for client, _ in pairs]
    usual, *longer = [time for time, _ in point.scene.services(service)]
    services = [
        longer[0] if longer and visit and visit.held > MAX_FACTOR * usual else usual
        for _, visit in pairs
    ]
    done = fifo(services, point.scene.clerks, arrivals)
    return [end - arrival for end, arrival in zip(done, arrivals)]


def make_points(
    scene: Scene, made: list[Measured], prices: Prices = FREE
) -> list[LoadPoint]:
    """A point for each load of a scene."""
    of_scene = [
        each
        for each in made
        if each.clients and each.run.scene.rpartition("-")[0] == scene.name
    ]
    at: dict[int, list[Measured]] = {}
    for each in of_scene:
        at.setdefault(each.run.generators[0].flags["rate"], []).append(each)
    points = [
        LoadPoint(scene, rate, believed(runs), prices, hollow(runs))
        for rate, runs in sorted(at.items())
        if believed(runs)
    ]
    return [point for point in points if point.is_predictable]
