"""arrivals: customers who come when they like: latency against offered load.

The generator is an open loop: no answer can hold up the next start. From the
same run stands beside it what a closed loop's clock would have reported.
"""

import random
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from bench.experiments.arrivals_chart import make_chart
from bench.experiments.arrivals_clocks import choose_pair, make_pair_chart, pair_caption
from bench.experiments.arrivals_models import (
    findings_of_models,
    make_kept,
    make_models_chart,
    plan_models,
)
from bench.experiments.arrivals_scenes import (
    ONE,
    POOL,
    LoadPoint,
    RARE,
    RARE_PER_MILLE,
    RARE_TIMES,
    SCENES,
    SERVICE_MS,
    TWO,
    Scene,
    make_points,
)
from bench.experiments.experiment import Conclusion, Experiment, Finding, Options
from bench.experiments.prices import plan_idle, plan_lines
from bench.experiments.prices_list import LINE_OF_TWO, of_scene, price_list, slope
from bench.judge.prices import Prices
from bench.judge.stamps import sound
from bench.measure.labs import Lab
from bench.measure.runs import Generator, Measured, Run, START_S
from bench.tell.units import seconds

REPEATS, QUICK_REPEATS = 3, 1
SERVICE = {  # by the scene of its line: for how many clerks, and the price
    "line-sleep-1": (1, "sleep in a line, beyond its time"),
    LINE_OF_TWO: (2, "sleep 1 ms beside another, beyond its time"),
}
LINES_EACH = 3  # in each repeat
LINE, QUICK_LINE = 200, 100  # customers, who come
FASTER = 1.25  # times as fast as they can be served
MAX_SEED = 2**31
TIMEOUT = "10s"


# ---- The plan ----


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Each repeat takes all loads of all scenes in a new order."""
    numbers = random.Random(f"arrivals {options.seed}")
    repeats = options.repeats or (QUICK_REPEATS if options.is_quick else REPEATS)
    runs = []
    for repeat in range(1, repeats + 1):
        group = f"arrivals, repeat {repeat} of {repeats}"
        of_repeat = []
        for scene in SCENES:
            if lab := lab_for(scene, labs):
                of_repeat += plan_scene(scene, lab, group, repeat, options)
        of_repeat += plan_service(labs, options, group, repeat)
        numbers.shuffle(of_repeat)
        runs += of_repeat
    return runs + (plan_models(labs, options) if options.is_alone else [])


def plan_service(
    labs: list[Lab], options: Options, group: str, repeat: int
) -> list[Run]:
    """Lines whose slope is S. A machine's speed drifts, and near the limit 1 % of S is
    much of a mean: so that S is measured again, among these runs and apart from them,
    while customers keep coming, for the generator takes some time of the cores.
    """
    numbers = range(LINES_EACH * (repeat - 1) + 1, LINES_EACH * repeat + 1)
    runs = [
        run
        for number in numbers
        for run in plan_lines(labs, number)
        if run.scene in SERVICE
    ]
    runs = [kept_up(run, QUICK_LINE if options.is_quick else LINE) for run in runs]
    if options.null and not options.is_quick:
        runs.append(plan_idle(options.null, repeat))
    return [replace(run, experiment="arrivals", group=group) for run in runs]


def kept_up(run: Run, customers: int) -> Run:
    """The same line, but its customers come one by one, and it grows."""
    rate = (TWO if run.scene == LINE_OF_TWO else ONE).rate(FASTER)
    span_ms = round(1000 * customers / rate)
    flags = {"rate": rate, "duration": f"{span_ms}ms", "say": f"sleep {SERVICE_MS}"}
    takes = FASTER * span_ms / 1000
    return replace(
        run,
        generators=(Generator("rate", flags),),
        expected_s=START_S + takes,
        effect_s=takes,
    )


def lab_for(scene: Scene, labs: list[Lab]) -> Lab | None:
    """The first lab with so many clerks."""
    found = [lab for lab in labs if lab.clerks(POOL) == scene.clerks]
    return found[0] if found else None


def plan_scene(
    scene: Scene,
    lab: Lab,
    group: str,
    repeat: int,
    options: Options,
) -> list[Run]:
    """The loads of a scene in one repeat."""
    loads = scene.quick_loads if options.is_quick else scene.loads
    return [
        plan_run(
            scene.name,
            lab,
            group,
            rate_generator(scene, load, span_ms),
            repeat,
            span_ms / 1000,
        )
        for load, span_ms in loads.items()
    ]


def rate_generator(scene: Scene, load: float, span_ms: int) -> Generator:
    """Customers who come at random at the rate that makes this load.

    They come at the same moments in every repeat and in every bench, or else two
    of them could not be compared.
    """
    numbers = random.Random(f"{scene.name} {load}")
    flags = {
        "rate": scene.rate(load),
        "arrivals": "poisson",
        "duration": f"{span_ms}ms",
        "say": f"sleep {SERVICE_MS}",
        "timeout": TIMEOUT,
        "seed": numbers.randrange(MAX_SEED),
    }
    if scene.is_rare:  # exactly its share of them: 1 %, not 0 or 3
        expected = scene.rate(load) * span_ms / 1000
        flags |= {
            "rare-count": round(RARE * expected),
            "rare": f"sleep {SERVICE_MS * RARE_TIMES}",
            "rare-per-mille": RARE_PER_MILLE,
        }
    return Generator("rate", flags)


def plan_run(
    scene: str, lab: Lab, group: str, generator: Generator, repeat: int, takes: float
) -> Run:
    """One run; its scene is told from the others by its rate."""
    rate = generator.flags.get("rate")
    return Run(
        experiment="arrivals",
        group=group,
        scene=f"{scene}-{rate}" if rate else scene,
        lab=lab,
        generators=(generator,),
        repeat=repeat,
        expected_s=START_S + takes,
        flags={"threads": POOL},
        shows_mean=True,
    )


# ---- The conclusion ----


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """Latency against load, and the pair of clocks."""
    prices = with_mean_service(price_list(made, options.prices), made)
    points = [point for scene in SCENES for point in make_points(scene, made, prices)]
    kept = make_kept(made)
    more = [make_models_chart(kept, folder)] if kept else []
    if not points:
        return Conclusion(findings_of_models(kept), [], more)
    findings = [finding for point in points for finding in findings_of(point)]
    charts = [make_chart(points, folder)]
    pair = choose_pair(points)
    if pair:
        charts.append(make_pair_chart(pair, folder))
    findings += findings_of_models(kept)
    return Conclusion(findings, notes(points, options), charts + more)


def with_mean_service(prices: Prices, made: list[Measured]) -> Prices:
    """The list with the mean of S, where else the median stands.

    What a queue feels is the mean of its services (Pollaczek-Khinchine): in a slow moment
    it grows, and a moment that is as much faster does not make up for that.
    """
    found = []
    for scene, (clerks, what) in SERVICE.items():
        slopes = [clerks * slope(each) for each in of_scene(sound(made), scene)]
        for each in prices.listed if slopes else ():
            if each.what == what and each.at in (0, SERVICE_MS / 1000):
                value = fmean(slopes) - SERVICE_MS / 1000
                found.append(replace(each, value=value))
    return prices.renewed(found)


def findings_of(point: LoadPoint) -> list[Finding]:
    """Mean latency at one load."""
    return [
        Finding(
            point.runs[0].run.lab.name,
            f"{point.scene.name}: mean at {point.rate}/s",
            point.means,
            point.ideal,
            point.predicted,
            remark=f"in the long run {seconds(point.long_run)}; load {point.load:.0%}",
        )
    ]


def notes(points: list[LoadPoint], options: Options) -> list[str]:
    """How the numbers came about."""
    lines = [
        "Customers come at random (Poisson), at the same moments in every repeat, and"
        " wait for nobody. Latency counts from the intended start. S is"
        f" {seconds(points[0].service)} here, and {seconds(points[0].besides)} is what a"
        " customer pays besides.",
        "In the long run: M/D/1 and Pollaczek-Khinchine exactly, M/D/c by Cosmetatos. A"
        " short run is not the long run: it has its share of rare customers, so theory is"
        " computed for the very arrivals, customer by customer (Lindley); off is measured"
        " against that.",
    ]
    if pair := choose_pair(points):
        lines.append(pair_caption(pair))
    if options.is_quick:
        lines.append("QUICK left out loads, and time at each.")
    return lines


EXPERIMENT = Experiment(
    "arrivals",
    "how long do customers take who come at random, from an idle clerk to a busy one?",
    plan,
    conclude,
)
