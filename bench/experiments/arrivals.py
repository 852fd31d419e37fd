"""arrivals: customers who come when they like: latency against offered load.

The generator is an open loop: no answer can hold up the next start. From the
same run stands beside it what a closed loop's clock would have reported.
"""

import random
from pathlib import Path
from statistics import fmean, median

from bench.experiments.arrivals_chart import make_chart
from bench.experiments.arrivals_clocks import choose_pair, make_pair_chart, pair_caption
from bench.experiments.arrivals_scenes import (
    CALIBRATION,
    NOMINAL_S,
    POOL,
    LoadPoint,
    RARE,
    RARE_PER_MILLE,
    RARE_TIMES,
    SCENES,
    SERVICE_MS,
    Scene,
    make_points,
)
from bench.experiments.experiment import (
    Conclusion,
    Experiment,
    Finding,
    Options,
    share_off,
)
from bench.judge.estimates import interval
from bench.measure.labs import Lab
from bench.measure.runs import Generator, Measured, Run, START_S, burst
from bench.tell.textcharts import seconds

REPEATS, QUICK_REPEATS = 2, 1
CALIBRATION_CLIENTS = 50
TIMEOUT = "10s"


# ---- The plan ----


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Each repeat takes all loads of all scenes in a new order, other arrivals each."""
    numbers = random.Random(f"arrivals {options.seed}")
    repeats = options.repeats or (QUICK_REPEATS if options.is_quick else REPEATS)
    runs = []
    for repeat in range(1, repeats + 1):
        group = f"arrivals, repeat {repeat} of {repeats}"
        of_repeat = []
        for scene in SCENES:
            if lab := lab_for(scene, labs):
                of_repeat += plan_scene(scene, lab, group, repeat, numbers, options)
        if options.null:
            of_repeat.append(plan_floor(options.null, group, repeat, numbers))
        numbers.shuffle(of_repeat)
        runs += of_repeat
    return runs


def lab_for(scene: Scene, labs: list[Lab]) -> Lab | None:
    """The first lab with so many clerks."""
    found = [lab for lab in labs if lab.clerks(POOL) == scene.clerks]
    return found[0] if found else None


def plan_scene(
    scene: Scene,
    lab: Lab,
    group: str,
    repeat: int,
    numbers: random.Random,
    options: Options,
) -> list[Run]:
    """The loads of a scene in one repeat, and the burst that S is measured with."""
    say = f"sleep {SERVICE_MS}"
    loads = scene.quick_loads if options.is_quick else scene.loads
    runs = [
        plan_run(
            scene.name,
            lab,
            group,
            rate_generator(scene, load, span_ms, numbers),
            repeat,
            span_ms / 1000,
        )
        for load, span_ms in loads.items()
    ]
    calibration = burst(CALIBRATION_CLIENTS, say)[0]
    takes = CALIBRATION_CLIENTS * NOMINAL_S / scene.clerks
    name = f"{CALIBRATION}-{scene.name}"
    return [*runs, plan_run(name, lab, group, calibration, repeat, takes)]


def rate_generator(
    scene: Scene, load: float, span_ms: int, numbers: random.Random
) -> Generator:
    """Customers who come at random at the rate that makes this load."""
    flags = {
        "rate": scene.rate(load),
        "arrivals": "poisson",
        "duration": f"{span_ms}ms",
        "say": f"sleep {SERVICE_MS}",
        "timeout": TIMEOUT,
        "seed": new_seed(numbers),
    }
    if scene.is_rare:  # exactly its share of them: 1 %, not 0 or 3
        expected = scene.rate(load) * span_ms / 1000
        flags |= {
            "rare-count": round(RARE * expected),
            "rare": f"sleep {SERVICE_MS * RARE_TIMES}",
            "rare-per-mille": RARE_PER_MILLE,
        }
    return Generator("rate", flags)


def new_seed(numbers: random.Random) -> int:
    """Any seed that load takes."""
    return numbers.randrange(2**31)


def plan_floor(null: Lab, group: str, repeat: int, numbers: random.Random) -> Run:
    """The null server under the highest rate of all."""
    rate = max(scene.rate(load) for scene in SCENES for load in scene.loads)
    flags = {
        "rate": rate,
        "arrivals": "poisson",
        "duration": "300ms",
        "say": f"sleep {SERVICE_MS}",
        "seed": new_seed(numbers),
    }
    return plan_run("floor", null, group, Generator("rate", flags), repeat, 0.3)


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
    )


# ---- The conclusion ----


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """Latency against load, and the pair of clocks."""
    points = [point for scene in SCENES for point in make_points(scene, made)]
    if not points:
        return Conclusion([], [], [])
    findings = [finding for point in points for finding in findings_of(point)]
    charts = [make_chart(points, folder)]
    pair = choose_pair(points)
    if pair:
        charts.append(make_pair_chart(pair, folder))
    return Conclusion(findings, notes(points, made, options), charts)


def findings_of(point: LoadPoint) -> list[Finding]:
    """Mean latency at one load."""
    expected = median(point.expected)
    return [
        Finding(
            point.runs[0].run.lab.name,
            f"{point.scene.name}: mean at {point.load:.0%}",
            str(interval(point.means)),
            f"{seconds(expected)} for these arrivals,"
            f" {seconds(point.long_run)} in the long run",
            share_off(median(point.means), expected),
        )
    ]


def notes(points: list[LoadPoint], made: list[Measured], options: Options) -> list[str]:
    """How the numbers came about."""
    lines = [
        "Customers come at random (Poisson) and wait for nobody. Latency counts from the"
        " intended start. S is measured in a burst: from one answer to the clerk's"
        f" next, the median ({', '.join(service_words(points))}).",
        "In the long run: M/D/1 and Pollaczek-Khinchine exactly, M/D/c by Cosmetatos. A short"
        " run is not the long run: it has its share of rare customers, and theory is computed for the very arrivals of"
        " each run, too, customer by customer (Lindley); off is measured against that.",
    ]
    floors = [fmean(each.latencies) for each in made if each.run.lab.number == 0]
    if floors:
        lines.append(
            f"Floor: the null server answers in {seconds(median(floors))} on average"
            " at the highest rate of all."
        )
    if pair := choose_pair(points):
        lines.append(pair_caption(pair))
    if options.is_quick:
        lines.append("QUICK left out loads, and time at each.")
    return lines


def service_words(points: list[LoadPoint]) -> list[str]:
    """S of each scene."""
    services = {point.scene.name: point.service for point in points}
    return [f"{name} {seconds(service)}" for name, service in services.items()]


EXPERIMENT = Experiment(
    "arrivals",
    "how long do customers take who come at random, from an idle clerk to a busy one?",
    plan,
    conclude,
)
