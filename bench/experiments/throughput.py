"""throughput: how many requests a second, and for how much CPU, beside nginx and Apache."""

import math
import os
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.measure import rig
from bench.tell.charts import Chart, write_csv
from bench.experiments.experiment import (
    Conclusion,
    Experiment,
    Finding,
    Options,
    labs_of,
    share_off,
)
from bench.measure.labs import Lab
from bench.measure.rig import Counted, Held
from bench.measure.runs import START_S, Generator, Measured, Run
from bench.tell.summary import table
from bench.tell.textcharts import seconds
from bench.measure.yardsticks import Yardstick, find_yardsticks

USERS = 64
CORES = len(os.sched_getaffinity(0))
MIB = 1 << 20
US_PER_S = 1e6
MARK = "nginx"  # whom the labs are measured by
TWICE = "apache2"  # and whom they leave behind: once is enough to see that
START_YARDSTICK_S = 0.25
LASTS_S, QUICK_LASTS_S, ALONE_LASTS_S = 0.3, 0.15, 0.5
WARM_UP_S = 0.05

LEFT_OUT = "QUICK left out the warm-up, the download, the crowd of users, and all pairs but one."
SHORTENED = (
    "By itself (EXPERIMENT=throughput) it takes its time: longer runs, twice as many"
    f" pairs, and {rig.SMALL} by its name."
)

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


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Each repeat asks all servers in all ways, in a new order: its runs are pairs."""
    shuffle = random.Random(f"throughput {options.seed}").shuffle
    able = [lab for lab in labs if lab.clerks(USERS) > 1]
    servers = able + find_yardsticks(len(labs) + 1)
    runs = []
    for repeat in range(1, max(repeats(scene, options) for scene in SCENES) + 1):
        for scene in SCENES:
            shuffle(servers)
            if repeat <= repeats(scene, options):
                runs += [
                    plan_run(each, scene, repeat, options)
                    for each in servers
                    if repeat == 1 or each.name != TWICE
                ]
    if not options.is_quick:
        runs += [plan_crowd(lab) for lab in able if lab.clerks(USERS) == math.inf]
    return runs


def repeats(scene: Scene, options: Options) -> int:
    """How often a scene is played."""
    if options.repeats:
        return options.repeats
    if options.is_quick:
        return scene.quick
    return scene.alone if options.is_alone else scene.full


def duration_s(options: Options) -> float:
    """How long a server is asked."""
    if options.is_quick:
        return QUICK_LASTS_S
    return ALONE_LASTS_S if options.is_alone else LASTS_S


def plan_run(server: Server, scene: Scene, repeat: int, options: Options) -> Run:
    """One server asked in one way."""
    lasts_s = duration_s(options)
    flags = {
        "requests": scene.requests,
        "say": scene.path,
        "duration": f"{lasts_s * 1000:.0f}ms",
    }
    warm_up = flags | {"clients": scene.users, "duration": f"{WARM_UP_S * 1000:.0f}ms"}
    is_yardstick = isinstance(server, Yardstick)
    return Run(
        experiment="throughput",
        group=f"throughput, repeat {repeat}",
        scene=scene.name,
        lab=server,
        generators=rig.sharing(scene.users, flags),
        flags={"threads": USERS},
        service=("http", str(rig.site())),
        repeat=repeat,
        expected_s=lasts_s + (START_YARDSTICK_S if is_yardstick else START_S) + 0.25,
        warm_up=None if options.is_quick else Generator("closed", warm_up, "warm-up"),
    )


def plan_crowd(lab: Lab) -> Run:
    """All come, are answered, and stay until the last has been."""
    flags = {
        "clients": CROWD_USERS,
        "rate": rig.ARRIVALS,
        "say": "/",
        "duration": "60s",
    }
    return Run(
        experiment="throughput",
        group="throughput, crowd",
        scene=CROWD,
        lab=lab,
        generators=(Generator("hold", flags),),
        service=("http", str(rig.site())),
        repeat=1,
        expected_s=START_S + rig.REST_S + 1.3 * CROWD_USERS / rig.ARRIVALS,
    )


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


# ---- The chart ----


@dataclass(frozen=True)
class Panel:
    """A way to ask, with all servers that were asked; the longest bar has length 1."""

    scene: Scene
    scores: list[Score]

    @property
    def rate_scale(self) -> float:
        """What stands for 1 on the left."""
        return max(
            value
            for score in self.scores
            for value in (*score.rates.values(), score.ceiling)
            if math.isfinite(value)
        )

    @property
    def cost_scale(self) -> float:
        """What stands for 1 on the right."""
        costs = [cost for score in self.scores for cost in score.costs.values()]
        return max(cost for cost in costs if math.isfinite(cost))


def make_chart(made: list[Measured], folder: Path) -> list[Chart]:
    """A panel for each way to ask: how fast, and for how much."""
    write_runs(made, folder)
    scored = [Panel(scene, make_scores(made, scene)) for scene in SCENES]
    panels = [panel for panel in scored if any(score.ok for score in panel.scores)]
    if not panels:
        return []
    header = (
        "panel,row,number,name,title,rate,ceiling,cpu_us,"
        "rate_x,ceiling_x,end_x,cpu_x,cpu_end_x,rate_words,cpu_words"
    )
    write_csv(folder / "throughput.csv", header, bars(panels))
    write_csv(folder / "throughput-dots.csv", "panel,row,rate_x,cpu_x", dots(panels))
    title = "A file over HTTP: how fast, and for how much CPU"
    lines = [
        [panel.scene.title, score.server.name, *bar_words(score, panel.scores)]
        for panel in panels
        for score in panel.scores
    ]
    text = "\n".join([title, *table(lines)])
    return [
        Chart("throughput", "throughput", title, text, caption=caption(panels)),
    ]


def bars(panels: list[Panel]) -> Iterator[list]:
    """One row for each server in each panel."""
    for place, panel in enumerate(panels, 1):
        for row, score in enumerate(panel.scores, 1):
            yield [place, row, *bar(score, panel), *bar_words(score, panel.scores)]


def bar(score: Score, panel: Panel) -> list:
    """Its values, and where its bars and their words are."""
    rate, cost = middle(score.rates.values()), middle(score.costs.values())
    most = max([score.ceiling, *score.rates.values()])
    dearest = max(score.costs.values())
    return [
        score.server.number,
        score.server.title,
        panel.scene.title,
        rate,
        score.ceiling,
        cost * US_PER_S,
        rate / panel.rate_scale,
        score.ceiling / panel.rate_scale,
        most / panel.rate_scale,
        cost / panel.cost_scale,
        dearest / panel.cost_scale,
    ]


def dots(panels: list[Panel]) -> Iterator[list]:
    """One row for each run in each panel."""
    for place, panel in enumerate(panels, 1):
        for row, score in enumerate(panel.scores, 1):
            for repeat, rate in score.rates.items():
                cost = score.costs[repeat] / panel.cost_scale
                yield [place, row, rate / panel.rate_scale, cost]


def write_runs(made: list[Measured], folder: Path) -> None:
    """One row for each run: all else is computed from these."""
    header = "scene,server,repeat,answered,failed,span_s,received,cpu_s,generator_cpu_s"
    rows = [
        [
            each.run.scene,
            each.run.lab.name,
            each.run.repeat,
            each.answered,
            each.failures.total(),
            each.span_s,
            each.received,
            each.cpu_s,
            sum(each.generator_cpu_s.values()),
        ]
        for each in made
        if isinstance(each, Counted)
    ]
    write_csv(folder / "throughput-runs.csv", header, rows)


def bar_words(score: Score, scores: list[Score]) -> list[str]:
    """What stands behind a server's two bars."""
    rate = rate_words(middle(score.rates.values()), score.scene).replace(",", " ")
    cost = seconds(middle(score.costs.values()))
    nginx = named(scores, MARK)
    if nginx is None or nginx == score:
        return [rate, cost]
    faster = middle(ratio(score, nginx, rates_of).values)
    dearer = middle(ratio(score, nginx, costs_of).values)
    return [f"{rate} = {faster:.2f} × nginx", f"{cost} = {dearer:.2f} × nginx"]


def caption(panels: list[Panel]) -> str:
    """What the chart shows."""
    said = [scene_caption(panel.scene, panel.scores) for panel in panels]
    said.append(
        "Dashed: the rate at which the cores would be busy all the time, from the"
        " measured CPU time of server and generator."
    )
    return " ".join(said)


def scene_caption(scene: Scene, scores: list[Score]) -> str:
    """The fastest, and how it compares with nginx."""
    labs = [score for score in scores if isinstance(score.server, Lab)] or scores
    best = max(labs, key=lambda score: middle(score.rates.values()))
    rate = rate_words(middle(best.rates.values()), scene)
    said = f"{scene.title[0].upper()}{scene.title[1:]}: {best.server.title} is the fastest lab, {rate}"
    nginx = named(scores, MARK)
    if nginx is None:
        return f"{said}."
    times = middle(ratio(best, nginx, rates_of).values)
    cost = middle(ratio(best, nginx, costs_of).values)
    return f"{said}, {times:.2f} of nginx's rate for {cost:.2f} of its CPU time."


# ---- The experiment ----


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """One chart, and how the labs compare."""
    findings = [
        finding for scene in SCENES for finding in findings_of(make_scores(made, scene))
    ]
    findings += [crowd_finding(each) for each in made if isinstance(each, Held)]
    return Conclusion(findings, notes(made, options), make_chart(made, folder))


def notes(made: list[Measured], options: Options) -> list[str]:
    """How the numbers came about."""
    lines = [
        f"The file of GET / has 1 KiB; {USERS} users (one, for the download) ask again"
        " as soon as they have their answer;"
        f" pools have {USERS} workers. CPU time is the server's own, all processes"
        " together, while clients came. Ratios are medians of pairs: runs of the same"
        f" repeat. {rig.GENERATORS} generators, which share the users, share the {CORES} cores"
        " with the server, for which all pay alike."
    ]
    present = {each.run.lab.name for each in made}
    for name in (MARK, TWICE):
        if name in present:
            continue
        lines.append(f"{name} is not installed: no yardstick of this name.")
    if present & {MARK, TWICE}:
        lines.append(
            "nginx (2 workers) and Apache (worker MPM, 3 processes of 25 threads from"
            " the start) are set up as Debian ships them, with access logs off."
        )
    if not options.is_quick:
        lines.append(f"All ask for {seconds(WARM_UP_S)} before it counts.")
    if options.repeats:
        return lines
    if options.is_quick:
        lines.append(LEFT_OUT)
    elif not options.is_alone:
        lines.append(SHORTENED)
    return lines


EXPERIMENT = Experiment(
    "throughput",
    "how many requests a second does a server answer, and for how much CPU?",
    plan,
    conclude,
    perform=rig.perform,
)
