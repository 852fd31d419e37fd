"""dmv: who waits for whom, when 20 clients come at one instant."""

import math
import random
from pathlib import Path

from bench.experiments.dmv_chart import make_chart
from bench.experiments.dmv_lines import (
    CLIENTS,
    EQUAL,
    HEAD_MS,
    POOL,
    SERVICE_MS,
    SLOW_HEAD,
    LabLine,
    Scene,
    line_up,
    make_lines,
)
from bench.experiments.experiment import Conclusion, Experiment, Finding, Options
from bench.judge.predictions import slope_over_rank
from bench.judge.verdicts import within
from bench.measure.labs import Lab
from bench.measure.runs import START_S, Measured, Run, burst

SLOPE_LIMIT, CROWD_LIMIT, STEP_LIMIT = 0.02, 0.10, 0.05


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Each repeat takes the labs in a new order."""
    shuffle = random.Random(f"dmv {options.seed}").shuffle
    runs = []
    for repeat in range(1, repeats(EQUAL, options) + 1):
        order = list(labs)
        shuffle(order)
        for lab in order:
            runs += plan_lab(lab, repeat, options)
    return runs


def repeats(scene: Scene, options: Options) -> int:
    """How often the burst of a scene is sent."""
    chosen = scene.quick_repeats if options.is_quick else scene.repeats
    return options.repeats or chosen


def plan_lab(lab: Lab, repeat: int, options: Options) -> list[Run]:
    """One lab in one repeat."""
    group = f"dmv, repeat {repeat} of {repeats(EQUAL, options)}"
    scenes = [s for s in (EQUAL, SLOW_HEAD) if repeat <= repeats(s, options)]
    return [plan_run(lab, group, scene, repeat) for scene in scenes]


def plan_run(lab: Lab, group: str, scene: Scene, repeat: int) -> Run:
    """One burst of a scene on one lab."""
    line = LabLine(lab, scene, [])
    return Run(
        experiment="dmv",
        group=group,
        scene=scene.name,
        lab=lab,
        generators=burst(
            CLIENTS,
            f"sleep {SERVICE_MS}",
            head=f"sleep {scene.head_ms}" if scene.is_slow else None,
        ),
        flags={"threads": POOL},
        repeat=repeat,
        expected_s=START_S + max(line.ideal),
        effect_s=max(line.ideal),
    )


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """A chart for each scene, and how far theory was off."""
    findings, charts = [], []
    for scene in (EQUAL, SLOW_HEAD):
        if lines := make_lines(made, scene, options.prices):
            findings += [finding for line in lines for finding in findings_of(line)]
            charts.append(make_chart(lines, scene, folder))
    return Conclusion(findings, notes(options), charts)


def notes(options: Options) -> list[str]:
    """How the numbers came about."""
    lines = [
        f"Ideal: each client keeps a clerk for {SERVICE_MS} ms, the slow one for"
        f" {HEAD_MS} ms, and nothing else costs time. Predicted: with this machine's"
        " prices. Figures are medians over the repeats; a chart shows the one in the"
        " middle.",
    ]
    if options.is_quick and not options.repeats:
        less = EQUAL.repeats - EQUAL.quick_repeats
        lines.append(
            f"QUICK left out {less} of {EQUAL.repeats} repeats of equal clients."
        )
    return lines


def findings_of(line: LabLine) -> list[Finding]:
    """What the summary says of one lab in one scene."""
    if line.scene.is_slow:
        return [
            second_finding(line),
            rank_finding(line, "slow head: last done", CLIENTS),
        ]
    if line.clerks == 1:
        return [slope_finding(line), rank_finding(line, "last done", CLIENTS)]
    if line.clerks >= CLIENTS:
        return [rank_finding(line, "last done", CLIENTS, CROWD_LIMIT)]
    return [
        rank_finding(line, f"round {rank // POOL} of {POOL} done", rank, STEP_LIMIT)
        for rank in range(POOL, CLIENTS + 1, POOL)
    ]


def rank_finding(
    line: LabLine, what: str, rank: int, limit: float | None = None
) -> Finding:
    """When the client of this rank was done."""
    ideal, predicted = sorted(line.ideal)[rank - 1], sorted(line.predicted)[rank - 1]
    return Finding(
        line.lab.name,
        what,
        [done[rank - 1] for done in line.lines()],
        ideal,
        predicted,
        clients=CLIENTS,
        promise=within(limit, predicted) if limit else None,
    )


def second_finding(line: LabLine) -> Finding:
    """When the client behind the slow customer was done."""
    return Finding(
        line.lab.name,
        "slow head: second done",
        [line_up(burst, line)[1].done for burst in line.bursts],
        line.ideal[1],
        line.predicted[1],
        clients=CLIENTS,
    )


def slope_finding(line: LabLine) -> Finding:
    """One clerk: by how much each further rank is done later."""
    asked = SERVICE_MS / 1000
    predicted = line.prices.service("sleep", asked)
    return Finding(
        line.lab.name,
        "slope over rank",
        [
            slope_over_rank(burst.latencies) if not burst.failures else math.inf
            for burst in line.bursts
        ],
        asked,
        predicted,
        clients=CLIENTS,
        promise=within(SLOPE_LIMIT, predicted),
    )


EXPERIMENT = Experiment(
    "dmv", "who waits for whom, when 20 clients come at one instant?", plan, conclude
)
