"""work: the same crowd, waiting and computing: where threads help, and where they hurt."""

import random
from pathlib import Path
from statistics import fmean

from bench.experiments.experiment import (
    Conclusion,
    Experiment,
    Finding,
    Options,
    share_off,
)
from bench.experiments.work_chart import caption, find, make_chart
from bench.experiments.work_strips import (
    CLIENTS,
    COMPUTES,
    POOL,
    SERVICE_MS,
    Strip,
    WORKS,
    Work,
    make_strips,
)
from bench.judge.estimates import interval
from bench.measure.labs import Lab
from bench.measure.runs import Measured, Run, START_S, burst
from bench.tell.textcharts import seconds

REPEATS, QUICK_REPEATS = 5, 1
LONE = 3  # clients who come alone: one in each repeat, and at least so many
MEAN_LIMIT = 0.10


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Each repeat is a client alone and a crowd, for each lab and work, shuffled."""
    shuffle = random.Random(f"work {options.seed}").shuffle
    repeats = choose_repeats(options)
    runs = []
    for repeat in range(1, repeats + 1):
        group = f"work, repeat {repeat} of {repeats}"
        numbers = (
            range(repeat, max(repeat, LONE) + 1) if repeat == repeats else [repeat]
        )
        of_repeat = [
            run
            for lab in labs
            for work in WORKS
            for run in (
                *(plan_alone(lab, group, work, number) for number in numbers),
                plan_crowd(lab, group, work, repeat),
            )
        ]
        shuffle(of_repeat)
        runs += of_repeat
    return runs


def choose_repeats(options: Options) -> int:
    """How often each crowd is sent."""
    return options.repeats or (QUICK_REPEATS if options.is_quick else REPEATS)


def plan_alone(lab: Lab, group: str, work: Work, number: int) -> Run:
    """One client, which meets an idle server."""
    return plan_run(lab, group, work.alone, burst(1, work.say), number, 1)


def plan_crowd(lab: Lab, group: str, work: Work, repeat: int) -> Run:
    """All clients at one instant."""
    rounds = CLIENTS / min(lab.clerks(POOL), work.cores, CLIENTS)
    return plan_run(lab, group, work.name, burst(CLIENTS, work.say), repeat, rounds)


def plan_run(
    lab: Lab, group: str, scene: str, generators: tuple, repeat: int, rounds: float
) -> Run:
    """One burst, which takes so many rounds of service."""
    return Run(
        experiment="work",
        group=group,
        scene=scene,
        lab=lab,
        generators=generators,
        repeat=repeat,
        expected_s=START_S + rounds * SERVICE_MS / 1000,
        flags={"threads": POOL},
    )


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """One chart for both kinds of work, and how far theory was off."""
    strips = make_strips(made)
    if not strips:
        return Conclusion([], [], [])
    findings = [finding for strip in strips for finding in findings_of(strip)]
    findings += worth_of_a_pool(strips)
    return Conclusion(findings, notes(strips, options), [make_chart(strips, folder)])


def findings_of(strip: Strip) -> list[Finding]:
    """How long a client took on average, and when the last was done.

    No order that keeps the cores busy has a worse mean than shares that are equal
    at every moment. The kernel gives out slices of some ms, so it stays below.
    """
    mean, last = fmean(strip.predicted), max(strip.predicted)
    return [
        Finding(
            strip.lab.name,
            f"{strip.work.name}: mean of {CLIENTS}",
            str(interval(strip.means)),
            f"at most {seconds(mean)}" if strip.is_shared else seconds(mean),
            share_off(strip.mean, mean),
            MEAN_LIMIT,
            is_ceiling=strip.is_shared,
        ),
        Finding(
            strip.lab.name,
            f"{strip.work.name}: last of {CLIENTS}",
            seconds(strip.last),
            seconds(last),
            share_off(strip.last, last),
        ),
    ]


def worth_of_a_pool(strips: list[Strip]) -> list[Finding]:
    """Where clerks compute, few of them beat many: that much is promised."""
    threads = find(strips, COMPUTES, f"{CLIENTS} threads")
    pool = find(strips, COMPUTES, f"{POOL} workers")
    if not threads or not pool:
        return []
    factor = threads.mean / pool.mean
    return [
        Finding(
            threads.lab.name,
            f"computes: mean / {pool.lab.name}'s",
            f"{factor:.2f}",
            f"more than 1, at most {fmean(threads.predicted) / fmean(pool.predicted):.2f}",
            factor - 1,
            limit=0.0,
            is_floor=True,
        )
    ]


def notes(strips: list[Strip], options: Options) -> list[str]:
    """How the numbers came about, and what they say."""
    lines = [
        f"{CLIENTS} clients at one instant, each with {SERVICE_MS} ms of work; pools have"
        f" {POOL} workers, as many as there are cores. Predictions use each lab's own S:"
        " how long a client who comes alone holds a clerk.",
        "Threads for everybody share the cores, so all are done late and together;"
        " a pool serves in order, so half of them are done by half time. Equal shares"
        " at every moment would be the worst; the kernel gives out slices of some ms,"
        " so those whose last slice comes first are done a little earlier.",
        caption(strips),
    ]
    if options.is_quick and not options.repeats:
        lines.append(f"QUICK left out {REPEATS - QUICK_REPEATS} of {REPEATS} repeats.")
    return lines


EXPERIMENT = Experiment(
    "work",
    "where do threads help, and where do they hurt?",
    plan,
    conclude,
)
