"""crowd: how long a crowd takes, from 1 client to 1000, waiting or computing."""

import math
import os
import random
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.tell.charts import Chart, write_csv
from bench.experiments.experiment import (
    Conclusion,
    Experiment,
    Finding,
    Options,
    labs_of,
    service_finding,
    service_time,
    share_off,
)
from bench.judge.gates import NEAR_FLOOR, is_near_floor
from bench.measure.labs import Lab
from bench.judge.predictions import last_done
from bench.measure.runs import START_S, Measured, Run, burst
from bench.tell.textcharts import log_log, seconds

POOL = 10
CORES = len(os.sched_getaffinity(0))
REPEATS = dict.fromkeys((1, 3, 10, 30, 100, 300, 1000), 5)  # by clients
QUICK_REPEATS = {1: 3, 10: 3, 100: 2, 1000: 1}
LABELS_APART = 0.34  # in powers of ten: less, and two labels overlap


@dataclass(frozen=True)
class Work:
    """What each client asks for, and on how many cores it can be done at once."""

    name: str
    request: str
    service_ms: int
    cores: float
    title: str

    def last_done(self, lab: Lab, clients: int, service: float) -> float:
        """When theory expects the last of a crowd to be done."""
        return last_done(clients, service, lab.clerks(POOL), self.cores)

    def formula(self, lab: Lab) -> str:
        """The same in the signs of the chart."""
        clerks = lab.clerks(POOL)
        if clerks == 1:
            return "N × S"
        if self.cores < clerks:
            return f"N × S / {self.cores}"
        return "S" if math.isinf(clerks) else f"⌈N/{clerks}⌉ × S"


WAITS = Work(
    "waits", "sleep", 2, math.inf, "Work that waits: each client needs a clerk for 2 ms"
)
COMPUTES = Work(
    "computes",
    "burn",
    1,
    CORES,
    f"Work that computes: each client needs 1 ms of CPU time, on {CORES} cores",
)


@dataclass(frozen=True)
class Point:
    """A lab and a number of clients: the repeats of this burst."""

    clients: int
    bursts: list[Measured]

    @property
    def lasts(self) -> list[float]:
        """For each repeat, when the last client was done; infinite if one failed."""
        return [max(burst.latencies) for burst in self.bursts]

    @property
    def medians(self) -> list[float]:
        """For each repeat, when half of the clients were done."""
        return [median(burst.latencies) for burst in self.bursts]

    @property
    def failed(self) -> int:
        """How many clients failed, over all repeats."""
        return sum(burst.failures.total() for burst in self.bursts)


@dataclass(frozen=True)
class Curve:
    """A lab under crowds of all sizes."""

    lab: Lab
    work: Work
    points: list[Point]

    @property
    def lone(self) -> list[Measured]:
        """The bursts of one client."""
        return [burst for p in self.points if p.clients == 1 for burst in p.bursts]

    @property
    def name(self) -> str:
        """The lab's, with the size of its pool."""
        return self.lab.title + (f" ({POOL} workers)" if self.lab.has_pool else "")

    @property
    def medians(self) -> list[tuple[float, float]]:
        """What is drawn as a line: clients, and seconds until the last is done."""
        return [(point.clients, median(point.lasts)) for point in self.points]

    def predicted(self, clients: int) -> float:
        """When theory expects the last of so many clients to be done."""
        service = service_time(self.lone, self.work.service_ms / 1000)
        return self.work.last_done(self.lab, clients, service)


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
    """One burst."""
    return Run(
        experiment="crowd",
        group=group,
        scene=work.name,
        lab=lab,
        generators=burst(clients, f"{work.request} {work.service_ms}"),
        flags={"threads": POOL},
        repeat=repeat,
        expected_s=START_S
        + (work.last_done(lab, clients, work.service_ms / 1000) if lab.number else 0),
    )


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """A chart for each kind of work, and how far theory was off."""
    write_runs(made, folder)
    floor = find_floor(made)
    made = [each for each in made if each.run.lab.number]
    findings, charts = [], []
    for work in (WAITS, COMPUTES):
        if curves := make_curves(made, work):
            findings += [finding for curve in curves for finding in findings_of(curve)]
            charts.append(make_chart(curves, floor, work, folder))
    curves = [curve for work in (WAITS, COMPUTES) for curve in make_curves(made, work)]
    said = notes(curves, options) + floor_notes(curves, floor)
    return Conclusion(findings, said, charts)


def find_floor(made: list[Measured]) -> dict[int, float]:
    """When the null server has answered the last of a crowd, by its size."""
    null = [each for each in made if not each.run.lab.number]
    return {
        size: median(max(each.latencies) for each in null if each.run.clients == size)
        for size in sorted({each.run.clients for each in null})
    }


def is_near(point: Point, floor: dict[int, float]) -> bool:
    """Is this crowd's time the kernel's and the generator's more than a server's?"""
    return is_near_floor(median(point.lasts), floor.get(point.clients, 0))


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
        " that is what theory says exactly: median [least to most] of the repeats.",
        "S is measured with a client alone. The generator shares the"
        f" {CORES} cores with the servers.",
    ]
    lines += [line for curve in curves for line in crowd_notes(curve)]
    if options.is_quick:
        lines.append(left_out(choose_repeats(options)))
    return lines


def crowd_notes(curve: Curve) -> list[str]:
    """Why a clerk for everybody is not enough: each has to be started first."""
    if curve.work != WAITS or not math.isinf(curve.lab.clerks(POOL)):
        return []
    point = curve.points[-1]
    taken = [burst.last_taken for burst in point.bursts if not burst.failures]
    if not taken:
        return []
    return [
        f"{curve.lab.name}: it took {seconds(median(taken))} until the last of"
        f" {point.clients} had a thread: {CORES} cores cannot start them all at once,"
        " which S leaves out."
    ]


def left_out(repeats: dict[int, int]) -> str:
    """What QUICK did not do."""
    missing = ", ".join(str(n) for n in REPEATS if n not in repeats)
    fewer = ", ".join(
        f"{REPEATS[n] - times} of {REPEATS[n]} repeats with {n}"
        for n, times in repeats.items()
        if times < REPEATS[n]
    )
    return f"QUICK left out {missing} clients" + (f"; {fewer}." if fewer else ".")


def make_curves(made: list[Measured], work: Work) -> list[Curve]:
    """A curve for each lab that was measured with this kind of work."""
    of_work = [each for each in made if each.run.scene == work.name]
    return [
        make_curve(lab, work, [each for each in of_work if each.run.lab == lab])
        for lab in labs_of(of_work)
    ]


def make_curve(lab: Lab, work: Work, made: list[Measured]) -> Curve:
    """Put the runs of one lab together by the number of clients."""
    sizes = sorted({each.run.clients for each in made})
    points = [Point(n, [each for each in made if each.run.clients == n]) for n in sizes]
    return Curve(lab, work, points)


def findings_of(curve: Curve) -> list[Finding]:
    """One client and the largest crowd."""
    asked = curve.work.service_ms / 1000
    alone = service_finding(curve.lone, curve.lab, f"{curve.work.name}: S", asked)
    return [alone, finding_of(curve, curve.points[-1])]


def finding_of(curve: Curve, point: Point) -> Finding:
    """One crowd: when its last client was done."""
    predicted, measured = curve.predicted(point.clients), median(point.lasts)
    spread = f"[{seconds(min(point.lasts))} to {seconds(max(point.lasts))}]"
    if len(point.bursts) == 1:
        spread = "(1 run)"
    return Finding(
        curve.lab.name,
        f"{curve.work.name}: last of {point.clients} done",
        f"{seconds(measured)} {spread}",
        seconds(predicted),
        share_off(measured, predicted),
    )


def write_runs(made: list[Measured], folder: Path) -> None:
    """One row for each run: what the charts and the summary are computed from."""
    header = "work,lab,clients,repeat,last_s,median_s,failed"
    rows = [
        [
            each.run.scene,
            each.run.lab.name,
            each.run.clients,
            each.run.repeat,
            max(each.latencies),
            median(each.latencies),
            each.failures.total(),
        ]
        for each in made
    ]
    write_csv(folder / "crowd-runs.csv", header, rows)


def make_chart(
    curves: list[Curve], floor: dict[int, float], work: Work, folder: Path
) -> Chart:
    """Write what the chart is drawn from."""
    name = f"crowd-{work.name}"
    header = (
        "number,lab,clients,median_s,least_s,most_s,predicted_s,repeats,failed,near"
    )
    rows = [
        [*point_row(curve, point), int(is_near(point, floor))]
        for curve in curves
        for point in curve.points
    ]
    write_csv(folder / f"{name}.csv", header, rows)
    write_csv(folder / f"{name}-floor.csv", "clients,floor_s", floor.items())
    header = "number,clients,predicted_s"
    write_csv(folder / f"{name}-predicted.csv", header, predictions(curves))
    header = "number,clients,y_s,name,words"
    write_csv(folder / f"{name}-words.csv", header, words(curves))
    drawn = log_log(work.title, {curve.name: curve.medians for curve in curves})
    said = chart_caption(curves)
    return Chart(name, "crowd", work.title, drawn, chart_note(curves), said)


def chart_caption(curves: list[Curve]) -> str:
    """How long the largest crowd took on each lab."""
    most = max(point.clients for curve in curves for point in curve.points)
    ends = ". ".join(f"{curve.lab.title}: {label_of(curve)}" for curve in curves)
    return f"Until the last of {most} clients is done. {ends}."


def chart_note(curves: list[Curve]) -> dict[str, str]:
    """How to read the chart, in one line under it."""
    points = [point for curve in curves for point in curve.points]
    repeats = sorted({len(point.bursts) for point in points})
    runs = " to ".join(map(str, {repeats[0]: 0, repeats[-1]: 0}))
    parts = [f"line: median of {runs} runs", "band: least to most", "dashed: predicted"]
    parts += ["dotted: null server"]
    parts += ["cross: clients failed"] if any(point.failed for point in points) else []
    return {"note": f"{', '.join(parts)}; pools have {POOL} workers"}


def point_row(curve: Curve, point: Point) -> list:
    """One point of a curve for the CSV."""
    return [
        curve.lab.number,
        curve.lab.name,
        point.clients,
        median(point.lasts),
        min(point.lasts),
        max(point.lasts),
        curve.predicted(point.clients),
        len(point.bursts),
        point.failed,
    ]


def predictions(curves: list[Curve]) -> list[list]:
    """Each formula for every number of clients, so that its steps show.

    Labs that share a formula differ by less than a line is wide, so the first of
    them stands for all.
    """
    first = {curve.work.formula(curve.lab): curve for curve in reversed(curves)}
    most = max(point.clients for curve in curves for point in curve.points)
    return [
        [curve.lab.number, clients, curve.predicted(clients)]
        for curve in first.values()
        for clients in range(1, most + 1)
    ]


def words(curves: list[Curve]) -> list[list]:
    """A label at the end of each curve, moved where it would hide another."""
    ends = [curve.medians[-1] for curve in curves]
    finite = [end for _, end in ends if math.isfinite(end)]
    never = 2 * max(finite, default=1)
    places = [math.log10(min(end, never)) for _, end in ends]
    return [
        [curve.lab.number, clients, 10**place, curve.lab.title, label_of(curve)]
        for curve, (clients, _), place in zip(
            curves, ends, spread(places, LABELS_APART)
        )
    ]


def label_of(curve: Curve) -> str:
    """The last point of a curve against the predicted one."""
    point = curve.points[-1]
    predicted = seconds(curve.predicted(point.clients))
    last = f"{point.failed} failed" if point.failed else seconds(median(point.lasts))
    return f"{last}; predicted {curve.work.formula(curve.lab)} = {predicted}"


def spread(places: list[float], apart: float) -> list[float]:
    """Places near the given ones, in the same order, none too close to the next."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    result = list(places)
    for _ in range(200):
        for low, high in zip(order, order[1:]):
            push = max(0, apart - (result[high] - result[low])) / 2
            result[low] -= push
            result[high] += push
    return result


EXPERIMENT = Experiment(
    "crowd",
    "how long does a crowd of 1 to 1000 take, if the work waits or computes?",
    plan,
    conclude,
)
