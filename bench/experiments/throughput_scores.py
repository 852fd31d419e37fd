"""throughput: what a server reached in one way of being asked, and how two compare."""

import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from bench.experiments.experiment import Finding, labs_of, share_off
from bench.measure import rig
from bench.measure.labs import Lab
from bench.measure.rig import Counted, Held
from bench.measure.runs import Measured
from bench.measure.yardsticks import Yardstick

USERS = 64
CORES = len(os.sched_getaffinity(0))
MIB = 1 << 20
MARK = "nginx"  # whom the labs are measured by
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
    full: int  # pairs
    quick: int  # pairs in a lecture
    alone: int  # pairs where this experiment is all that is asked for


# What a browser asks for first, on connections that it keeps; then a file by its name.
KEPT = Scene("kept", "/", USERS, 0, "GET /", 1, full=5, quick=1, alone=11)
NAMED = Scene(
    "named", f"/{rig.SMALL}", USERS, 0, "GET /1KiB", 1, full=0, quick=0, alone=7
)
ONCE = Scene("once", "/", USERS, 1, "one request each", 1, full=5, quick=1, alone=11)
LARGE = Scene(
    "large", f"/{rig.LARGE}", 1, 0, "100 MiB to download", 0.9, full=3, quick=0, alone=7
)
SCENES = (KEPT, NAMED, ONCE, LARGE)
# Not a race: can a thread for each hold, and answer, so many at once?
CROWD, CROWD_USERS = "crowd", 10_000


# ---- What was measured ----


@dataclass(frozen=True)
class Score:
    """A server asked in one way: the repeats."""

    server: Server
    scene: Scene
    runs: list[Counted]

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
    def ceiling(self) -> float:
        """The highest rate at which the cores are busy with server and generator."""
        busy = [each.all_cpu_each_s for each in self.runs if each.answered]
        if not busy:
            return math.nan
        answers = CORES / median(busy)
        size = rig.SIZES[rig.LARGE] / MIB if self.scene == LARGE else 1
        return answers * size


def middle(values: Iterable[float]) -> float:
    """The median of those that are numbers."""
    finite = [value for value in values if math.isfinite(value)]
    return median(finite) if finite else math.nan


def make_scores(made: list[Measured], scene: Scene) -> list[Score]:
    """A score for each server that was asked in this way."""
    of_scene = [each for each in made if each.run.scene == scene.name]
    return [
        Score(server, scene, [each for each in of_scene if each.run.lab == server])
        for server in labs_of(of_scene)
    ]


@dataclass(frozen=True)
class Ratio:
    """Two servers in the same way: a ratio for each repeat, which is a pair."""

    values: list[float]

    @property
    def words(self) -> str:
        """The median, and from where to where."""
        if len(self.values) < 2:
            return f"{middle(self.values):.2f} (1 pair)"
        ends = f"[{min(self.values):.2f} to {max(self.values):.2f}]"
        return f"{middle(self.values):.2f} {ends}"


def ratio(score: Score, other: Score, of: Callable[[Score], dict[int, float]]) -> Ratio:
    """What one has of what the other has, pair by pair."""
    mine, theirs = of(score), of(other)
    both = sorted(mine.keys() & theirs.keys())
    return Ratio([mine[n] / theirs[n] for n in both if theirs[n] > 0])


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
        found.append(compare(pools[1], pools[0], rates_of, 0.95, "is_floor"))
    return found


def rate_finding(score: Score) -> Finding:
    """The rate itself, against what the cores allow."""
    measured, ceiling = middle(score.rates.values()), score.ceiling
    return Finding(
        score.server.name,
        f"{score.scene.title}: rate, all cores busy",
        rate_words(measured, score.scene),
        f"at most {rate_words(ceiling, score.scene)}",
        share_off(measured, ceiling),
    )


def against(score: Score, scores: list[Score]) -> list[Finding]:
    """One lab beside those yardsticks that were measured."""
    found = []
    nginx, apache = named(scores, MARK), named(scores, TWICE)
    if nginx:
        found.append(compare(score, nginx, rates_of, score.scene.floor, "is_floor"))
    if nginx and score.scene in (KEPT, NAMED):
        found.append(compare(score, nginx, costs_of, 1, "is_ceiling"))
    if apache and score.scene == KEPT:
        found.append(compare(score, apache, rates_of, 2, "is_floor"))
    return found


def compare(
    score: Score,
    other: Score,
    of: Callable[[Score], dict[int, float]],
    bound: float,
    kind: str,
) -> Finding:
    """A ratio against the bound that the project promises."""
    found = ratio(score, other, of)
    what = "rate" if of is rates_of else "CPU for each"
    word = "at least" if kind == "is_floor" else "at most"
    return Finding(
        score.server.name,
        f"{score.scene.title}: {what} / {other.server.name}'s",
        found.words,
        f"{word} {bound:g}",
        share_off(middle(found.values), bound),
        limit=0.0,
        **{kind: True},
    )


def crowd_finding(held: Held) -> Finding:
    """How many of a crowd were answered, and are all still there."""
    return Finding(
        held.run.lab.name,
        f"{CROWD_USERS} connections kept at once: answered",
        f"{held.greeted}",
        f"{CROWD_USERS}",
        share_off(held.greeted, CROWD_USERS),
        limit=0.0,
        is_floor=True,
    )


def rate_words(rate: float, scene: Scene) -> str:
    """A rate for people."""
    if not math.isfinite(rate):
        return "none"
    return f"{rate:,.0f} MiB/s" if scene == LARGE else f"{rate:,.0f}/s"
