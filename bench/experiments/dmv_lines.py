"""dmv: the line at one lab, as it was and as it was predicted."""

import math
from dataclasses import dataclass

from bench.experiments.charges import Charges
from bench.experiments.experiment import labs_of
from bench.judge.prices import FREE, Prices
from bench.judge.stamps import believed
from bench.measure.labs import Lab
from bench.measure.records import Client, NS_PER_S, Visit, join
from bench.measure.runs import Measured, Run

CLIENTS = 20
POOL = 5
SERVICE_MS = 100
HEAD_MS = 1000


@dataclass(frozen=True)
class Scene:
    """The same burst with and without a slow customer at the head of the line."""

    name: str
    chart: str
    title: str
    head_ms: int = SERVICE_MS
    repeats: int = 1
    quick_repeats: int = 1

    @property
    def is_slow(self) -> bool:
        """Does the first in line take longer than the others?"""
        return self.head_ms != SERVICE_MS


EQUAL = Scene(
    "equal",
    "dmv",
    f"{CLIENTS} clients come at one instant, each with {SERVICE_MS} ms of work",
    repeats=3,
)
SLOW_HEAD = Scene(
    "slow-head",
    "dmv-slow-head",
    f"The same {CLIENTS} clients, but the first in line needs {HEAD_MS / 1000:g} s",
    head_ms=HEAD_MS,
)


@dataclass(frozen=True)
class Turn:
    """A client's place in the line, and what came of it, in seconds from the start."""

    rank: int
    client: Client
    visit: Visit | None
    ideal: float
    predicted: float
    gave_up: float

    @property
    def begun(self) -> float:
        """When a clerk took the client, or the client gave up."""
        return self._since(self.visit.begun) if self.was_taken else self.gave_up

    @property
    def ended(self) -> float:
        """When the clerk was through with the client."""
        return self._since(self.visit.ended) if self.was_taken else math.nan

    @property
    def done(self) -> float:
        """When the client had its answer; infinity if it got none."""
        return self.client.latency

    @property
    def failed(self) -> float:
        """When a client without an answer was given up; NaN for the others."""
        if self.client.outcome == "ok":
            return math.nan
        return self.ended if self.was_taken else self.gave_up

    @property
    def was_taken(self) -> bool:
        """Did a clerk ever take this client?"""
        return self.visit is not None and self.visit.begun > 0

    def _since(self, stamp: int) -> float:
        return (stamp - self.client.intended) / NS_PER_S


@dataclass(frozen=True)
class LabLine:
    """One lab in one scene: the repeats of its burst, and what theory says of it."""

    lab: Lab
    scene: Scene
    bursts: list[Measured]
    prices: Prices = FREE

    @property
    def clerks(self) -> float:
        """How many clients this lab serves at once."""
        return self.lab.clerks(POOL)

    @property
    def asked(self) -> list[float]:
        """For how long each client wants a clerk, in the order of the line."""
        return [self.scene.head_ms / 1000] + [SERVICE_MS / 1000] * (CLIENTS - 1)

    @property
    def charges(self) -> Charges:
        """What this lab is charged here."""
        return Charges(self.lab, POOL, self.prices)

    @property
    def predicted(self) -> list[float]:
        """When each is done, in the order of the line, with what this machine charges."""
        return self.charges.waiting(self.asked)

    @property
    def ideal(self) -> list[float]:
        """The same on a machine that charges nothing."""
        return self.charges.ideal.waiting(self.asked)

    def lines(self) -> list[list[float]]:
        """For each repeat, when its clients were done, in order."""
        return [sorted(burst.latencies) for burst in self.bursts]

    @property
    def shown(self) -> list[Turn]:
        """The line in the repeat that is in the middle of all, by its end."""
        ordered = sorted(self.bursts, key=lambda burst: max(burst.latencies))
        return line_up(ordered[(len(ordered) - 1) // 2], self)

    @property
    def caption(self) -> str:
        """What is seen, in words."""
        pool = f" ({POOL} workers)" if self.lab.has_pool else ""
        return f"{self.lab.title}{pool}: {self.result}"

    @property
    def result(self) -> str:
        """How the client fared whom this scene is about."""
        failed = sum(not math.isnan(place.failed) for place in self.shown)
        if failed:
            return f"{failed} of {CLIENTS} failed"
        if self.scene.is_slow:
            return f"second in line {done_text(self.shown[1])}"
        return f"last one {done_text(max(self.shown, key=lambda place: place.done))}"


def done_text(place: Turn) -> str:
    """When a client was done, and when it should have been."""
    return f"done after {place.done:.2f} s (predicted {place.predicted:.2f} s)"


def line_up(burst: Measured, line: LabLine) -> list[Turn]:
    """The clients of one burst in the order of the line, with what was predicted."""
    pairs = join(burst.clients, burst.visits)
    return [
        Turn(rank, client, visit, ideal, predicted, gave_up(client, burst.run))
        for rank, ((client, visit), ideal, predicted) in enumerate(
            zip(pairs, line.ideal, line.predicted), 1
        )
    ]


def gave_up(client: Client, run: Run) -> float:
    """When a client that nobody served was rid of its hope."""
    if client.outcome == "timeout":
        return run.timeout_s
    reached = max(client.done, client.first_byte, client.connected, client.started)
    return max(0, reached - client.intended) / NS_PER_S


def make_lines(made: list[Measured], scene: Scene, prices: Prices) -> list[LabLine]:
    """A line for each lab that this scene was played on."""
    of_scene = [each for each in believed(made) if each.run.scene == scene.name]
    return [
        LabLine(lab, scene, [e for e in of_scene if e.run.lab == lab], prices)
        for lab in labs_of(of_scene)
    ]
