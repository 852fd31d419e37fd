"""throughput: what a server reached in one way of being asked, and how two compare."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median

from bench.experiments.experiment import Finding, labs_of
from bench.experiments.charges import CORES
from bench.judge.gates import cpu_left
from bench.judge.predictions import tightest
from bench.judge.stamps import believed, hollow
from bench.judge.verdicts import Promise, at_least, at_most
from bench.measure import rig
from bench.measure.labs import Lab
from bench.measure.rig import Counted, Held
from bench.measure.runs import Measured
from bench.measure.yardsticks import Yardstick

USERS = 64
MIB = 1 << 20
MARK = "nginx"  # whom the labs are measured by
LOOP = "coroutines"  # the model that is to be ahead of it
TWICE = "apache2"  # and whom they leave behind: once is enough to see that
Server = Lab | Yardstick


@dataclass(frozen=True)
class Scene:
    """A way to ask: what, how many at a time, how often on one connection."""

    name: str
    path: str
    users: int
    requests: int  # on a connection; 0: no end
    title: str
    floor: float  # of nginx's rate, which every lab should reach
    is_short: bool = False  # also where throughput is one experiment of many

    @property
    def apart(self) -> str:
        """The scene in which its prices are measured, apart from what they predict."""
        return f"{self.name}-prices"


# What a browser asks for first, on connections that it keeps; then a file by its name.
KEPT = Scene("kept", "/", USERS, 0, "GET /", 1, is_short=True)
NAMED = Scene("named", f"/{rig.SMALL}", USERS, 0, "GET /1KiB", 1)
ONCE = Scene("once", "/", USERS, 1, "one request each", 1, is_short=True)
LARGE = Scene("large", f"/{rig.LARGE}", 1, 0, "100 MiB to download", 0.9)
SCENES = (KEPT, NAMED, ONCE, LARGE)
AHEAD = {KEPT: (1.25, 0.75), ONCE: (1.0, 0.9)}  # rate and CPU of LOOP, in nginx's
PAIRS = 5  # and at least so many before there is a verdict
# Not a race: can a thread for each hold, and answer, so many at once?
CROWD, CROWD_USERS = "crowd", 10_000


# ---- What was measured ----


@dataclass(frozen=True)
class Score:
    """A server asked in one way: the repeats."""

    server: Server
    scene: Scene
    runs: list[Counted]
    apart: list[Counted] = field(default_factory=list)  # the runs of its prices
    left_out: list[Counted] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Did it answer at all?"""
        return any(each.answered for each in self.runs)

    @property
    def rates(self) -> dict[int, float]:
        """By repeat: requests per second, or MiB per second of the large file."""
        if self.scene == LARGE:
            return {
                each.run.repeat: each.received / MIB / each.span_s if each.span_s else 0
                for each in self.runs
            }
        return {each.run.repeat: each.rate for each in self.runs}

    @property
    def costs(self) -> dict[int, float]:
        """By repeat: CPU seconds of the server for one answer."""
        return {each.run.repeat: each.cpu_each_s for each in self.runs}

    @property
    def bound(self) -> tuple[float, str]:
        """The highest rate by the prices of this server, and what allows no more."""
        runs = [each for each in self.apart if each.answered]
        if not runs:
            return math.nan, ""
        made = runs[0]
        serial = {"the accepting thread": accepting_s(made)}
        if self.scene.users == 1:  # one connection: one thread at either end
            serial["the server's thread"] = made.cpu_each_s
            serial["the generator"] = made.generator_each_s
        rate, binds = tightest(
            CORES * cpu_left(self.runs),
            made.cpu_each_s,
            made.generator_each_s,
            serial,
        )
        size = rig.SIZES[rig.LARGE] / MIB if self.scene == LARGE else 1
        return rate * size, binds

    @property
    def ceiling(self) -> float:
        """The highest rate by the prices of this server."""
        return self.bound[0]


def middle(values: Iterable[float]) -> float:
    """The median of those that are numbers."""
    finite = [value for value in values if math.isfinite(value)]
    return median(finite) if finite else math.nan


def accepting_s(made: Counted) -> float:
    """CPU time of the one thread that accepts, for an answer; yardsticks have many."""
    is_lab = isinstance(made.run.lab, Lab)
    return made.accepting_s / made.answered if is_lab else 0.0


def make_scores(made: list[Measured], scene: Scene) -> list[Score]:
    """A score for each server that was asked in this way."""
    of_scene = [each for each in believed(made) if each.run.scene == scene.name]
    apart = [each for each in made if each.run.scene == scene.apart]
    return [
        Score(
            server,
            scene,
            [each for each in of_scene if each.run.lab == server],
            [each for each in apart if each.run.lab == server],
            [
                each
                for each in hollow(made)
                if (each.run.scene, each.run.lab) == (scene.name, server)
            ],
        )
        for server in labs_of(of_scene)
    ]


def ratio(
    score: Score, other: Score, of: Callable[[Score], dict[int, float]]
) -> list[float]:
    """What one has of what the other has, for each repeat, which is a pair."""
    mine, theirs = of(score), of(other)
    both = sorted(mine.keys() & theirs.keys())
    return [mine[n] / theirs[n] for n in both if theirs[n] > 0]


def rates_of(score: Score) -> dict[int, float]:
    """For ratio(): how fast."""
    return score.rates


def costs_of(score: Score) -> dict[int, float]:
    """For ratio(): for how much."""
    return score.costs


def named(scores: list[Score], name: str) -> Score | None:
    """The score of a server, if it was measured."""
    return next((score for score in scores if score.server.name == name), None)


# ---- Findings ----


def findings_of(scores: list[Score]) -> list[Finding]:
    """Each lab against the yardsticks, and lab 4 against lab 3."""
    found = []
    for score in scores:
        if isinstance(score.server, Lab):
            found += [rate_finding(score), *against(score, scores)]
    pools = [score for score in scores if getattr(score.server, "has_pool", False)]
    if len(pools) == 2:
        found.append(compare(pools[1], pools[0], rates_of, at_least(0.95, PAIRS)))
    return found


def rate_finding(score: Score) -> Finding:
    """The rate itself, against the tightest of its bounds."""
    ceiling, binds = score.bound
    return Finding(
        score.server.name,
        f"{score.scene.title}: rate",
        list(score.rates.values()),
        predicted=ceiling,
        unit="MiB/s" if score.scene == LARGE else "/s",
        clients=score.scene.users,
        is_bound=True,
        remark=binds,
    )


def against(score: Score, scores: list[Score]) -> list[Finding]:
    """One lab beside those yardsticks that were measured."""
    found = []
    nginx, apache = named(scores, MARK), named(scores, TWICE)
    floor, most = AHEAD.get(score.scene, (score.scene.floor, math.inf))
    if score.server.name != LOOP:
        floor, most = score.scene.floor, 1 if score.scene in (KEPT, NAMED) else math.inf
    if nginx:
        found.append(compare(score, nginx, rates_of, at_least(floor, PAIRS)))
    if nginx and most < math.inf:
        found.append(compare(score, nginx, costs_of, at_most(most, PAIRS)))
    if apache and score.scene == KEPT:
        found.append(compare(score, apache, rates_of, at_least(2, PAIRS)))
    return found


def compare(
    score: Score,
    other: Score,
    of: Callable[[Score], dict[int, float]],
    promise: Promise,
) -> Finding:
    """A ratio against the bound that the project promises."""
    what = "rate" if of is rates_of else "CPU for each"
    return Finding(
        score.server.name,
        f"{score.scene.title}: {what} / {other.server.name}'s",
        ratio(score, other, of),
        unit="1",
        clients=score.scene.users,
        promise=promise,
    )


def crowd_finding(held: Held) -> Finding:
    """How many of a crowd were answered, and are all still there."""
    return Finding(
        held.run.lab.name,
        f"{CROWD_USERS} connections kept at once: answered",
        [held.greeted],
        CROWD_USERS,
        unit="1",
        clients=CROWD_USERS,
        promise=at_least(CROWD_USERS, fewest=1),
    )


def rate_words(rate: float, scene: Scene) -> str:
    """A rate for people."""
    if not math.isfinite(rate):
        return "none"
    return f"{rate:,.0f} MiB/s" if scene == LARGE else f"{rate:,.0f}/s"
