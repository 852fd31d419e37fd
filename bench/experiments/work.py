"""work: the same crowd, waiting and computing: where threads help, and where they hurt."""

import math
import os
import random
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from bench.tell.charts import Chart, write_csv
from bench.judge.estimates import interval
from bench.experiments.experiment import (
    Conclusion,
    Experiment,
    Finding,
    Options,
    labs_of,
    service_time,
    share_off,
)
from bench.measure.labs import Lab
from bench.judge.predictions import fifo, shared
from bench.measure.records import NS_PER_S
from bench.measure.runs import START_S, Measured, Run, burst
from bench.tell.textcharts import Bar, gantt, gantt_legend, seconds

CLIENTS = 20
CORES = len(os.sched_getaffinity(0))
POOL = CORES
SERVICE_MS = 20
REPEATS, QUICK_REPEATS = 5, 1
LONE = 3  # clients who come alone: one in each repeat, and at least so many
MEAN_LIMIT = 0.10


@dataclass(frozen=True)
class Work:
    """What each client asks for, and on how many cores it can be done at once."""

    name: str
    request: str
    cores: float
    title: str

    @property
    def alone(self) -> str:
        """The scene in which S is measured."""
        return f"{self.name}-alone"

    @property
    def say(self) -> str:
        """A client's request."""
        return f"{self.request} {SERVICE_MS}"


WAITS = Work("waits", "sleep", math.inf, "waiting: each clerk is on the phone")
COMPUTES = Work(
    "computes",
    "burn",
    CORES,
    f"computing: each clerk needs one of {CORES} cores",
)
WORKS = (WAITS, COMPUTES)


@dataclass(frozen=True)
class Strip:
    """One lab with one kind of work: when each of its clients was done."""

    lab: Lab
    work: Work
    lone: list[Measured]
    bursts: list[Measured]

    @property
    def service(self) -> float:
        """S, as a client alone has it."""
        return service_time(self.lone, SERVICE_MS / 1000)

    @property
    def predicted(self) -> list[float]:
        """When theory expects each to be done, in the order of the line."""
        clerks = self.lab.clerks(POOL)
        if min(clerks, CLIENTS) > self.work.cores:
            return shared([self.service] * CLIENTS, self.work.cores)
        return fifo([self.service] * CLIENTS, clerks)

    @property
    def is_shared(self) -> bool:
        """Do more clerks compute than there are cores?"""
        return min(self.lab.clerks(POOL), CLIENTS) > self.work.cores

    @property
    def means(self) -> list[float]:
        """For each repeat, how long a client took on average; infinite if one failed."""
        return [fmean(burst.latencies) for burst in self.bursts]

    @property
    def mean(self) -> float:
        """The median of that over the repeats."""
        return median(self.means)

    @property
    def last(self) -> float:
        """When the last was done: the median over the repeats."""
        return median(max(burst.latencies) for burst in self.bursts)

    @property
    def shown(self) -> Measured:
        """The repeat whose mean is in the middle."""
        ordered = sorted(self.bursts, key=lambda burst: fmean(burst.latencies))
        return ordered[(len(ordered) - 1) // 2]

    @property
    def model(self) -> str:
        """The lab's clerks, in words."""
        clerks = self.lab.clerks(POOL)
        if clerks == 1:
            return "one clerk"
        return f"{CLIENTS} threads" if math.isinf(clerks) else f"{POOL} workers"

    def taken_and_done(self) -> list[tuple[float, float]]:
        """For each client of the shown repeat, in seconds: greeted by a clerk, and done."""
        pairs = [
            (
                (client.first_byte - client.intended) / NS_PER_S,
                client.latency,
            )
            for client in self.shown.clients
            if client.outcome == "ok"
        ]
        return sorted(pairs, key=lambda pair: pair[1])


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


def make_strips(made: list[Measured]) -> list[Strip]:
    """A strip for each kind of work and lab that was measured."""
    strips = []
    for work in WORKS:
        for lab in labs_of(made):
            of_lab = [each for each in made if each.run.lab == lab]
            lone = [each for each in of_lab if each.run.scene == work.alone]
            bursts = [each for each in of_lab if each.run.scene == work.name]
            if bursts:
                strips.append(Strip(lab, work, lone, bursts))
    return strips


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


def find(strips: list[Strip], work: Work, model: str) -> Strip | None:
    """The first strip of this work with such clerks."""
    found = [each for each in strips if each.work == work and each.model == model]
    return found[0] if found else None


def caption(strips: list[Strip]) -> str:
    """Threads against a pool, for both kinds of work."""
    said = []
    for work, verb in ((WAITS, "wait"), (COMPUTES, "compute")):
        threads = find(strips, work, f"{CLIENTS} threads")
        pool = find(strips, work, f"{POOL} workers")
        if threads and pool:
            said.append(compare(verb, threads, pool))
    return " ".join(said)


def compare(verb: str, threads: Strip, pool: Strip) -> str:
    """Which of two has the better mean, and by what factor."""
    better, worse = sorted((threads, pool), key=lambda strip: strip.mean)
    factor = worse.mean / better.mean
    predicted = fmean(worse.predicted) / fmean(better.predicted)
    return (
        f"When clerks {verb}, {better.model} beat {worse.model}: a mean of"
        f" {seconds(better.mean)} against {seconds(worse.mean)}, {factor:.2g} times less"
        f" (predicted: {predicted:.2g})."
    )


def make_chart(strips: list[Strip], folder: Path) -> Chart:
    """Write what the chart is drawn from."""
    header = "panel,row,number,lab,rank,taken_s,done_s,predicted_s"
    write_csv(folder / "work.csv", header, client_rows(strips))
    header = "panel,row,number,mean_s,predicted_mean_s,words"
    write_csv(folder / "work-means.csv", header, mean_rows(strips))
    write_csv(
        folder / "work-panels.csv",
        "panel,title",
        [[WORKS.index(work) + 1, f"The work is {work.title}"] for work in WORKS],
    )
    title = f"{CLIENTS} clients at one instant, {SERVICE_MS} ms of work each, pools of {POOL}"
    return Chart(
        "work",
        "work",
        title,
        text_chart(strips),
        {"note": "a line: one client, from a clerk's greeting to its end"},
        caption=caption(strips),
        scenes=tuple(work.name for work in WORKS),
    )


def place(strip: Strip) -> list[int]:
    """Where a strip stands: which panel, and which row of it."""
    return [WORKS.index(strip.work) + 1, strip.lab.number]


def client_rows(strips: list[Strip]) -> list[list]:
    """One row for each client that was served."""
    return [
        [*place(strip), strip.lab.number, strip.lab.name, rank, taken, done, predicted]
        for strip in strips
        for rank, ((taken, done), predicted) in enumerate(
            zip(strip.taken_and_done(), sorted(strip.predicted)), 1
        )
    ]


def mean_rows(strips: list[Strip]) -> list[list]:
    """The mean of each strip, and what is said of it."""
    return [
        [
            *place(strip),
            strip.lab.number,
            strip.mean,
            fmean(strip.predicted),
            f"{strip.lab.title} ({strip.model}): mean {seconds(strip.mean)}"
            f" (predicted {seconds(fmean(strip.predicted))})",
        ]
        for strip in strips
    ]


def text_chart(strips: list[Strip]) -> str:
    """The same for a terminal."""
    longest = max(
        max(done for _, done in strip.taken_and_done() or [(0, 1e-3)])
        for strip in strips
    )
    longest = max(longest, max(max(strip.predicted) for strip in strips))
    drawn = [
        gantt(
            f"{strip.work.name}: {strip.lab.title}, {strip.model}",
            [
                Bar(taken, done, predicted)
                for (taken, done), predicted in zip(
                    strip.taken_and_done(), sorted(strip.predicted)
                )
            ],
            longest,
        )
        for strip in strips
    ]
    return "\n\n".join([*drawn, gantt_legend(longest)])


EXPERIMENT = Experiment(
    "work",
    "where do threads help, and where do they hurt?",
    plan,
    conclude,
)
