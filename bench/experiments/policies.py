"""policies: who should be next? One line, the shortest job first, or a line for each worker."""

import random
from pathlib import Path

from bench.experiments.experiment import Conclusion, Experiment, Finding, Options
from bench.experiments.policies_chart import make_chart
from bench.experiments.policies_lines import (
    LINES,
    LONG,
    LONG_MS,
    LONG_SHARE,
    P99,
    PER_MILLE,
    SHORT_MS,
    Line,
    Served,
    make_served,
)
from bench.judge.predictions import little
from bench.measure.labs import Lab
from bench.measure.rig import site
from bench.measure.runs import START_S, Generator, Measured, Run
from bench.tell.units import seconds

LASTS_MS, QUICK_LASTS_MS = 6000, 2500
REPEATS, QUICK_REPEATS = 5, 1
MODEL = "policies"
TIMEOUT = "30s"


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Each repeat takes all lines, in a new order."""
    models = [each for each in options.models if each.name == MODEL]
    shuffle = random.Random(f"policies {options.seed}").shuffle
    repeats = options.repeats or (QUICK_REPEATS if options.is_quick else REPEATS)
    runs = []
    for repeat in range(1, repeats + 1):
        of_repeat = [
            plan_run(line, lab, repeat, options) for lab in models for line in LINES
        ]
        shuffle(of_repeat)
        runs += of_repeat
    return runs


def plan_run(line: Line, lab: Lab, repeat: int, options: Options) -> Run:
    """The same customers at the same moments for all lines with as many workers."""
    lasts_ms = QUICK_LASTS_MS if options.is_quick else LASTS_MS
    flags = {
        "speak": "http",
        "rate": line.rate,
        "arrivals": "poisson",
        "duration": f"{lasts_ms}ms",
        "say": f"/sleep/{SHORT_MS}",
        "rare": f"/sleep/{LONG_MS}",
        "rare-per-mille": PER_MILLE,
        "rare-count": round(LONG_SHARE * line.rate * lasts_ms / 1000),
        "timeout": TIMEOUT,
        "seed": 100 * repeat + line.workers,
    }
    return Run(
        experiment="policies",
        group=f"policies, repeat {repeat}",
        scene=line.name,
        lab=lab,
        generators=(Generator("rate", flags),),
        flags={"workers": line.workers, "policy": line.policy},
        service=("http", str(site())),
        repeat=repeat,
        expected_s=START_S + lasts_ms / 1000,
        effect_s=LONG_MS / 1000,
    )


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """The mean and p99 of each line, and of its short and its long jobs."""
    served = [make_served(line, made, options.prices) for line in LINES]
    served = [each for each in served if each.runs]
    if not served:
        return Conclusion([], [], [])
    findings = [finding for each in served for finding in findings_of(each)]
    return Conclusion(findings, notes(served), [make_chart(served, folder)])


def findings_of(served: Served) -> list[Finding]:
    """Each number of the chart, against the formula and against these very arrivals."""
    return [
        Finding(
            MODEL,
            f"{served.line.words}: {what}",
            served.measured(what),
            served.long_run(what),
            served.predicted(what),
        )
        for what in served.known
    ]


def notes(served: list[Served]) -> list[str]:
    """How the numbers came about, and who pays."""
    lines = [
        f"Every {round(1 / LONG_SHARE)}th job needs {LONG_MS} ms, all others {SHORT_MS} ms;"
        " they come at random (Poisson), at the same moments for all lines of a repeat."
        " A job's size is read from its request before it is taken (MSG_PEEK).",
        "Predictions: first the formula, in the long run (Pollaczek-Khinchine for one"
        " worker and for a line each, Cobham and Phipps for the shortest first, Lee and"
        " Longton for the shared line); then, after the arrow, the same rule played"
        " through with the very arrivals of the run.",
    ]
    for each in served:
        stay = each.middle("mean")
        lines.append(
            f"Little's law, {each.line.words}: {each.line.rate}/s x {seconds(stay)} ="
            f" {little(each.line.rate, stay):.1f} jobs there on average."
        )
    lines += [who_pays(served)] if {"fcfs-1", "sjf-1"} <= names(served) else []
    return lines


def names(served: list[Served]) -> set[str]:
    """Which lines were measured."""
    return {each.line.name for each in served}


def who_pays(served: list[Served]) -> str:
    """What the shortest first gives to some, and takes from others."""
    first, shortest = (
        next(each for each in served if each.line.name == name)
        for name in ("fcfs-1", "sjf-1")
    )
    said = (
        f"Who pays: shortest first makes the mean {seconds(shortest.middle('mean'))} instead"
        f" of {seconds(first.middle('mean'))}; the long jobs pay for it, with"
        f" {seconds(shortest.middle(LONG))} instead of {seconds(first.middle(LONG))}"
    )
    if P99 in shortest.known and P99 in first.known:
        said += (
            f", and p99 is {seconds(shortest.middle(P99))} instead of"
            f" {seconds(first.middle(P99))}"
        )
    return said + "."


EXPERIMENT = Experiment(
    "policies",
    "who should be next: the first, the shortest, or the first of one's own line?",
    plan,
    conclude,
    is_on_request=True,
)
