"""dmv: who waits for whom, when 20 clients come at one instant."""

import math
import random
from pathlib import Path
from statistics import median

from bench.experiments.dmv_chart import make_chart
from bench.experiments.dmv_lines import (
    ALONE,
    CLIENTS,
    EQUAL,
    HEAD_MS,
    POOL,
    LabLine,
    SERVICE_MS,
    SLOW_HEAD,
    Scene,
    line_up,
    make_panels,
)
from bench.experiments.experiment import (
    Conclusion,
    Experiment,
    Finding,
    Options,
    service_finding,
    share_off,
)
from bench.judge.predictions import fifo, slope_over_rank
from bench.measure.labs import Lab
from bench.measure.runs import Measured, Run, START_S, burst
from bench.tell.textcharts import seconds

LONE_CLIENTS = 3  # at least, over all repeats
SLOPE_LIMIT, CROWD_LIMIT, STEP_LIMIT = 0.02, 0.10, 0.05


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Each repeat takes the labs in a new order: clients alone, then the bursts."""
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
    most = repeats(EQUAL, options)
    group = f"dmv, repeat {repeat} of {most}"
    lone = math.ceil(LONE_CLIENTS / most)
    numbers = range(lone * (repeat - 1) + 1, lone * repeat + 1)
    runs = [plan_run(lab, group, ALONE, 1, number) for number in numbers]
    scenes = [s for s in (EQUAL, SLOW_HEAD) if repeat <= repeats(s, options)]
    return runs + [plan_run(lab, group, scene, CLIENTS, repeat) for scene in scenes]


def plan_run(lab: Lab, group: str, scene: Scene, clients: int, repeat: int) -> Run:
    """One burst of a scene on one lab."""
    services = [scene.head_ms / 1000] + [SERVICE_MS / 1000] * (clients - 1)
    return Run(
        experiment="dmv",
        group=group,
        scene=scene.name,
        lab=lab,
        generators=burst(
            clients,
            f"sleep {SERVICE_MS}",
            head=f"sleep {scene.head_ms}" if scene.is_slow else None,
        ),
        flags={"threads": POOL},
        repeat=repeat,
        expected_s=START_S + max(fifo(services, lab.clerks(POOL))),
    )


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """A chart for each scene, and how far theory was off."""
    findings, charts = [], []
    for scene in (EQUAL, SLOW_HEAD):
        if panels := make_panels(made, scene):
            findings += [finding for panel in panels for finding in findings_of(panel)]
            charts.append(make_chart(panels, scene, folder))
    return Conclusion(findings, notes(options), charts)


def notes(options: Options) -> list[str]:
    """How the numbers came about."""
    lines = [
        "Predictions use each lab's own service time S: how long a client who comes"
        f" alone holds a clerk, the median of at least {LONE_CLIENTS}.",
        f"The slow customer is predicted to take S + {HEAD_MS - SERVICE_MS} ms. Figures"
        " are medians over the repeats; a chart shows the repeat in the middle.",
    ]
    if options.is_quick and not options.repeats:
        less = EQUAL.repeats - EQUAL.quick_repeats
        lines.append(
            f"QUICK left out {less} of {EQUAL.repeats} repeats of equal clients."
        )
    return lines


def findings_of(panel: LabLine) -> list[Finding]:
    """What the summary says of one lab in one scene."""
    if panel.scene.is_slow:
        return [second_finding(panel), last_finding(panel, "slow head: last done")]
    service = service_finding(panel.lone, panel.lab, "S", SERVICE_MS / 1000)
    if panel.clerks == 1:
        return [service, slope_finding(panel), last_finding(panel, "last done")]
    if panel.clerks >= CLIENTS:
        return [service, last_finding(panel, "last done", CROWD_LIMIT)]
    return [service, steps_finding(panel)]


def time_finding(
    panel: LabLine, what: str, measured: float, predicted: float, **promise
) -> Finding:
    """Two times side by side."""
    off = share_off(measured, predicted)
    return Finding(
        panel.lab.name,
        what,
        seconds(measured, 4),
        seconds(predicted, 4),
        off,
        **promise,
    )


def last_finding(panel: LabLine, what: str, ceiling: float | None = None) -> Finding:
    """When the last client was done."""
    return time_finding(
        panel, what, panel.last, panel.predicted_last, limit=ceiling, is_ceiling=True
    )


def second_finding(panel: LabLine) -> Finding:
    """When the client behind the slow customer was done."""
    lines = [line_up(burst, panel) for burst in panel.bursts]
    measured = median(line[1].done for line in lines)
    return time_finding(
        panel, "slow head: second done", measured, panel.shown[1].predicted
    )


def slope_finding(panel: LabLine) -> Finding:
    """One clerk: by how much each further rank is done later, against S."""
    slopes = [
        slope_over_rank(burst.latencies) if not burst.failures else math.inf
        for burst in panel.bursts
    ]
    return time_finding(
        panel, "slope over rank", median(slopes), panel.service, limit=SLOPE_LIMIT
    )


def steps_finding(panel: LabLine) -> Finding:
    """A pool: when each round of clients was done; off is that of the worst round."""
    rounds = range(POOL - 1, CLIENTS, POOL)
    lines = [sorted(burst.latencies) for burst in panel.bursts]
    measured = [median(line[rank] for line in lines) for rank in rounds]
    predicted = [panel.shown[rank].predicted for rank in rounds]
    off = max((share_off(*pair) for pair in zip(measured, predicted)), key=abs)
    return Finding(
        panel.lab.name,
        f"steps, {POOL} workers",
        ", ".join(seconds(step) for step in measured),
        ", ".join(seconds(step) for step in predicted),
        off,
        STEP_LIMIT,
    )


EXPERIMENT = Experiment(
    "dmv", "who waits for whom, when all come at one instant?", plan, conclude
)
