"""crowd: how long a crowd takes, from 1 client to 1000, waiting or computing."""

import random
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.experiments.crowd_chart import make_chart
from bench.experiments.crowd_curves import (
    COMPUTES,
    Curve,
    POOL,
    WAITS,
    Work,
    FLOOR,
    find_floor,
    is_near,
    make_curves,
)
from bench.experiments.charges import CORES, Charges
from bench.experiments.experiment import Conclusion, Experiment, Finding, Options
from bench.experiments.prices import plan_again
from bench.experiments.prices_list import price_list
from bench.judge.gates import NEAR_FLOOR
from bench.judge.stamps import believed
from bench.measure.labs import Lab
from bench.measure.runs import Measured, Run, START_S, burst
from bench.tell.charts import write_csv
from bench.tell.units import seconds

FEWEST = 3  # clients of a crowd: one alone is a price, not a crowd
REPEATS = {1: 4, 3: 7, 10: 7, 30: 5, 100: 5, 300: 3, 1000: 3}  # by clients
PRICED = 3  # repeats in which the prices of crowds are measured once more
SCENES = (WAITS.name, COMPUTES.name, FLOOR)
QUICK_REPEATS = {1: 2, 10: 2, 100: 1, 1000: 1}


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Each repeat begins with clients alone, then all crowds in a new order."""
    shuffle = random.Random(f"crowd {options.seed}").shuffle
    repeats = choose_repeats(options)
    runs = []
    for repeat in range(1, max(repeats.values()) + 1):
        group = f"crowd, repeat {repeat} of {max(repeats.values())}"
        of_repeat = [
            plan_run(lab, group, work, clients, repeat)
            for work in (WAITS, COMPUTES)
            for lab in (*labs, *null_of(work, options))
            for clients, times in repeats.items()
            if repeat <= times
        ]
        if repeat <= PRICED and not options.is_quick:
            of_repeat += [
                replace(run, experiment="crowd", group=group)
                for run in plan_again(labs, options, repeat)
            ]
        shuffle(of_repeat)
        runs += sorted(of_repeat, key=lambda run: run.clients > 1)
    return runs


def null_of(work: Work, options: Options) -> list[Lab]:
    """The null server, once: it does no work, so its kind does not matter."""
    return [options.null] if options.null and work == WAITS else []


def choose_repeats(options: Options) -> dict[int, int]:
    """How often each number of clients is sent."""
    repeats = QUICK_REPEATS if options.is_quick else REPEATS
    return dict.fromkeys(repeats, options.repeats) if options.repeats else repeats


def plan_run(lab: Lab, group: str, work: Work, clients: int, repeat: int) -> Run:
    """One burst; the null server takes no time for it."""
    takes = work.last_done(Charges(lab, POOL), clients) if lab.number else 0.0
    return Run(
        experiment="crowd",
        group=group,
        scene=work.name if lab.number else FLOOR,
        lab=lab,
        generators=burst(clients, f"{work.request} {work.service_ms}"),
        flags={"threads": POOL},
        repeat=repeat,
        expected_s=START_S + takes,
        effect_s=takes,
        counts_others=True,
    )


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """A chart for each kind of work, and how far theory was off."""
    prices = price_list(made, options.prices)
    made = [each for each in made if each.run.scene in SCENES]
    write_runs(made, folder)
    floor = find_floor(believed(made))
    curves, charts = [], []
    for work in (WAITS, COMPUTES):
        if of_work := make_curves(believed(made), work, prices):
            curves += of_work
            runs = [each for each in made if each.run.scene in (work.name, FLOOR)]
            charts.append(make_chart(of_work, runs, work, folder))
    findings = [finding for curve in curves for finding in findings_of(curve)]
    said = notes(curves, options) + floor_notes(curves, floor)
    return Conclusion(findings, said, charts)


def floor_notes(curves: list[Curve], floor: dict[int, float]) -> list[str]:
    """How far the results are from what a server without work reaches."""
    if not floor:
        return []
    near = [
        f"{curve.lab.name} {curve.work.name} {point.clients}"
        for curve in curves
        for point in curve.points
        if is_near(point, floor)
    ]
    most = max(floor)
    lines = [
        f"Floor: the null server answers {most} clients in {seconds(floor[most])}."
    ]
    if near:
        lines.append(
            f"Less than {NEAR_FLOOR} times the floor, and grey on the chart, for that is"
            f" as much the kernel's and the generator's time: {', '.join(near)}."
        )
    return lines


def notes(curves: list[Curve], options: Options) -> list[str]:
    """How the numbers came about."""
    lines = [
        "Latency here is the time until the last client of a burst is done, because"
        " that is what theory says exactly: median [least to most] of the repeats."
        " Predicted: with this machine's prices, on the cores as far as others left them;"
        f" the generator shares the {CORES} cores with the servers.",
    ]
    if options.is_quick:
        lines.append(left_out(choose_repeats(options)))
    return lines


def left_out(repeats: dict[int, int]) -> str:
    """What QUICK did not do."""
    missing = ", ".join(str(n) for n in REPEATS if n not in repeats)
    fewer = ", ".join(
        f"{REPEATS[n] - times} of {REPEATS[n]} repeats with {n}"
        for n, times in repeats.items()
        if times < REPEATS[n]
    )
    return f"QUICK left out {missing} clients" + (f"; {fewer}." if fewer else ".")


def findings_of(curve: Curve) -> list[Finding]:
    """Each crowd: when its last client was done."""
    return [
        Finding(
            curve.lab.name,
            f"{curve.work.name}: last of {point.clients} done",
            point.lasts,
            curve.ideal(point.clients),
            curve.predicted(point.clients),
            clients=point.clients,
        )
        for point in curve.points
        if point.clients >= FEWEST
    ]


def write_runs(made: list[Measured], folder: Path) -> None:
    """One row for each run: what the charts and the summary are computed from."""
    header = "work,lab,clients,repeat,last_s,median_s,failed,left_out"
    rows = [
        [
            each.run.scene,
            each.run.lab.name,
            each.run.clients,
            each.run.repeat,
            max(each.latencies),
            median(each.latencies),
            each.failures.total(),
            int(each.is_left_out),
        ]
        for each in made
    ]
    write_csv(folder / "crowd-runs.csv", header, rows)


EXPERIMENT = Experiment(
    "crowd",
    "how long does a crowd of 1 to 1000 take, if the work waits or computes?",
    plan,
    conclude,
)
