"""work: the same crowd, waiting and computing: where threads help, and where they hurt."""

import random
from pathlib import Path
from statistics import fmean

from bench.experiments.experiment import Conclusion, Experiment, Finding, Options
from bench.experiments.work_chart import caption, find, make_chart
from bench.experiments.work_strips import (
    CLIENTS,
    COMPUTES,
    POOL,
    SERVICE_MS,
    WORKS,
    Strip,
    Work,
    make_strips,
)
from bench.judge.verdicts import at_least, within
from bench.measure.labs import Lab
from bench.measure.runs import Measured, Run, START_S, burst

REPEATS, QUICK_REPEATS = 5, 1
MEAN_LIMIT = 0.10


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Each repeat is a crowd for each lab and work, shuffled."""
    shuffle = random.Random(f"work {options.seed}").shuffle
    repeats = choose_repeats(options)
    runs = []
    for repeat in range(1, repeats + 1):
        group = f"work, repeat {repeat} of {repeats}"
        of_repeat = [
            plan_crowd(lab, group, work, repeat) for lab in labs for work in WORKS
        ]
        shuffle(of_repeat)
        runs += of_repeat
    return runs


def choose_repeats(options: Options) -> int:
    """How often each crowd is sent."""
    return options.repeats or (QUICK_REPEATS if options.is_quick else REPEATS)


def plan_crowd(lab: Lab, group: str, work: Work, repeat: int) -> Run:
    """All clients at one instant."""
    takes = max(Strip(lab, work, []).ideal)
    return Run(
        experiment="work",
        group=group,
        scene=work.name,
        lab=lab,
        generators=burst(CLIENTS, work.say),
        repeat=repeat,
        expected_s=START_S + takes,
        flags={"threads": POOL},
        effect_s=takes,
        counts_others=True,
    )


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """One chart for both kinds of work, and how far theory was off."""
    strips = make_strips(made, options.prices)
    if not strips:
        return Conclusion([], [], [])
    findings = [finding for strip in strips for finding in findings_of(strip)]
    findings += worth_of_a_pool(strips)
    return Conclusion(findings, notes(strips, options), [make_chart(strips, folder)])


def findings_of(strip: Strip) -> list[Finding]:
    """How long a client took on average, and when the last was done."""
    mean = fmean(strip.predicted)
    return [
        Finding(
            strip.lab.name,
            f"{strip.work.name}: mean of {CLIENTS}",
            strip.means,
            fmean(strip.ideal),
            mean,
            clients=CLIENTS,
            promise=within(MEAN_LIMIT, mean),
        ),
        Finding(
            strip.lab.name,
            f"{strip.work.name}: last of {CLIENTS}",
            strip.lasts,
            max(strip.ideal),
            max(strip.predicted),
            clients=CLIENTS,
        ),
    ]


def worth_of_a_pool(strips: list[Strip]) -> list[Finding]:
    """Where clerks compute, few of them beat many: that much is promised."""
    threads = find(strips, COMPUTES, f"{CLIENTS} threads")
    pool = find(strips, COMPUTES, f"{POOL} workers")
    if not threads or not pool:
        return []
    return [
        Finding(
            threads.lab.name,
            f"computes: mean / {pool.lab.name}'s",
            [mine / theirs for mine, theirs in zip(threads.means, pool.means)],
            fmean(threads.ideal) / fmean(pool.ideal),
            fmean(threads.predicted) / fmean(pool.predicted),
            unit="1",
            clients=CLIENTS,
            promise=at_least(1),
        )
    ]


def notes(strips: list[Strip], options: Options) -> list[str]:
    """How the numbers came about, and what they say."""
    lines = [
        f"{CLIENTS} clients at one instant, each with {SERVICE_MS} ms of work; pools have"
        f" {POOL} workers, as many as there are cores. Ideal:"
        " nothing else costs time; predicted: with this machine's prices, on the"
        " cores as far as other programs left them.",
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
