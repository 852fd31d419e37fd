"""crowd: the time until the last is done, against how many there are."""

import math
from pathlib import Path
from statistics import median

from bench.experiments.crowd_curves import (
    POOL,
    CrowdPoint,
    Curve,
    Work,
    find_floor,
    is_near,
)
from bench.judge.stamps import believed
from bench.measure.runs import Measured
from bench.tell.charts import Chart, spread_labels, write_csv
from bench.tell.textcharts import log_log
from bench.tell.units import seconds


ALL_TO, STAIRS_TO = 60, 200  # clients: every number, both edges of each step
STEP, FAR = POOL, 50  # and beyond, where no step can be seen


def make_chart(
    curves: list[Curve], made: list[Measured], work: Work, folder: Path
) -> Chart:
    """Write what the chart is drawn from; made are all runs of this work."""
    floor = find_floor(believed(made))
    name = f"crowd-{work.name}"
    header = (
        "number,lab,clients,median_s,least_s,most_s,ideal_s,predicted_s,repeats,"
        "failed,near"
    )
    rows = [
        [*point_row(curve, point), int(is_near(point, floor))]
        for curve in curves
        for point in curve.points
    ]
    write_csv(folder / f"{name}.csv", header, rows)
    write_csv(folder / f"{name}-floor.csv", "clients,floor_s", floor.items())
    header = "number,clients,ideal_s,predicted_s"
    write_csv(folder / f"{name}-predicted.csv", header, predictions(curves))
    rows = [
        [each.run.lab.number, each.run.clients, max(each.latencies)]
        for each in made
        if each.is_left_out and each.run.lab.number  # the floor has no marks
    ]
    write_csv(folder / f"{name}-left-out.csv", "number,clients,last_s", rows)
    header = "number,clients,y_s,name,words"
    write_csv(folder / f"{name}-words.csv", header, words(curves))
    drawn = log_log(work.title, {curve.name: curve.medians for curve in curves})
    return Chart(
        name,
        "crowd",
        work.title,
        drawn,
        chart_note(curves),
        chart_caption(curves),
        scenes=(work.name,),
    )


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
    parts = [f"line: median of {runs} runs", "band: least to most"]
    parts += ["dashed: predicted", "thin: if this machine charged nothing"]
    parts += ["cross: clients failed"] if any(point.failed for point in points) else []
    lines = [", ".join(parts[:2]), ", ".join(parts[2:])]
    lines[0] += f"; dotted: null server; pools have {POOL} workers"
    return {"legend": "\n".join(lines)}


def point_row(curve: Curve, point: CrowdPoint) -> list:
    """One point of a curve for the CSV."""
    return [
        curve.lab.number,
        curve.lab.name,
        point.clients,
        median(point.lasts),
        min(point.lasts),
        max(point.lasts),
        curve.ideal(point.clients),
        curve.predicted(point.clients),
        len(point.bursts),
        point.failed,
    ]


def predictions(curves: list[Curve]) -> list[list]:
    """Both formulas, for so many numbers of clients that their steps show."""
    most = max(point.clients for curve in curves for point in curve.points)
    sizes = [
        n
        for n in range(1, most + 1)
        if n <= ALL_TO or n <= STAIRS_TO and n % STEP < 2 or n % FAR == 0
    ]
    return [
        [curve.lab.number, clients, curve.ideal(clients), curve.predicted(clients)]
        for curve in curves
        for clients in sizes
    ]


def words(curves: list[Curve]) -> list[list]:
    """A label at the end of each curve, moved where it would hide another."""
    ends = [curve.medians[-1] for curve in curves]
    finite = [end for _, end in ends if math.isfinite(end)]
    never = 2 * max(finite, default=1)
    places = [math.log10(min(end, never)) for _, end in ends]
    return [
        [curve.lab.number, clients, 10**place, curve.lab.title, short_label(curve)]
        for curve, (clients, _), place in zip(curves, ends, spread_labels(places))
    ]


def short_label(curve: Curve) -> str:
    """The last point of a curve and the predicted one, without the formula."""
    return label_of(curve).partition(" (")[0]


def label_of(curve: Curve) -> str:
    """The last point of a curve against the predicted one."""
    point = curve.points[-1]
    ideal, predicted = curve.ideal(point.clients), curve.predicted(point.clients)
    last = f"{point.failed} failed" if point.failed else seconds(median(point.lasts))
    return (
        f"{last}; predicted {seconds(predicted)}"
        f" ({curve.work.formula(curve.lab)} = {seconds(ideal)})"
    )
