"""arrivals: the chart of latency against offered load."""

from pathlib import Path
from statistics import fmean, median

from bench.experiments.arrivals_scenes import (
    MAX_LOAD,
    SCENES,
    SERVICE_MS,
    LoadPoint,
)
from bench.tell.charts import Chart, write_csv
from bench.tell.textcharts import log_log
from bench.tell.units import seconds

SMOOTH = 60  # points of a predicted curve


def make_chart(points: list[LoadPoint], folder: Path) -> Chart:
    """Write what the chart is drawn from."""
    header = (
        "number,scene,rate,load,mean_s,least_s,most_s,ideal_s,predicted_s,long_run_s,"
        "failed"
    )
    write_csv(folder / "arrivals.csv", header, [point_row(point) for point in points])
    header = "number,load,ideal_s,predicted_s"
    write_csv(folder / "arrivals-predicted.csv", header, curve_rows(points))
    header = "number,load,mean_s"
    write_csv(folder / "arrivals-left-out.csv", header, left_out_rows(points))
    header = "number,load,y_s,words"
    write_csv(folder / "arrivals-words.csv", header, word_rows(points))
    curves = {
        scene.words: [
            (p.load * 100, median(p.means)) for p in points if p.scene == scene
        ]
        for scene in SCENES
    }
    title = "Customers who come at random: how long they take"
    return Chart(
        "arrivals",
        "arrivals",
        title,
        log_log(f"{title} (the axis is offered load in percent)", curves),
        {"legend": "clerks that would be busy, of all"},
        caption=caption(points),
        scenes=tuple(each.run.scene for point in points for each in point.runs),
    )


def caption(points: list[LoadPoint]) -> str:
    """The highest load of each scene, against theory."""
    said = []
    for scene in SCENES:
        of_scene = [point for point in points if point.scene == scene]
        if of_scene:
            last = of_scene[-1]
            said.append(
                f"{scene.words}: at {last.load:.0%} load {seconds(median(last.means))} on"
                f" average (theory: {seconds(last.predicted)} for these arrivals,"
                f" {seconds(last.long_run)} in the long run)"
            )
    return sentence("; ".join(said))


def sentence(words: str) -> str:
    """Words with a capital and a full stop."""
    return f"{words[:1].upper()}{words[1:]}."


def point_row(point: LoadPoint) -> list:
    """One point for the CSV."""
    return [
        point.scene.colour,
        point.scene.name,
        point.rate,
        point.load,
        median(point.means),
        min(point.means),
        max(point.means),
        point.ideal,
        point.predicted,
        point.long_run,
        sum(each.failures.total() for each in point.runs),
    ]


def left_out_rows(points: list[LoadPoint]) -> list[list]:
    """The mean of each repeat that is not believed."""
    return [
        [point.scene.colour, point.load, fmean(made.latencies)]
        for point in points
        for made in point.left_out
    ]


def curve_rows(points: list[LoadPoint]) -> list[list]:
    """Each formula from an idle clerk to a nearly busy one."""
    rows = []
    for scene in SCENES:
        of_scene = [point for point in points if point.scene == scene]
        if not of_scene:
            continue
        service, besides = of_scene[0].service, of_scene[0].besides
        for step in range(1, SMOOTH):
            load = MAX_LOAD * step / SMOOTH
            rate = load * scene.clerks / scene.moment(service, 1)
            ideal = scene.long_run(rate, SERVICE_MS / 1000)
            rows.append(
                [scene.colour, load, ideal, scene.long_run(rate, service) + besides]
            )
    return rows


def word_rows(points: list[LoadPoint]) -> list[list]:
    """What stands beside each curve."""
    rows = []
    for scene in SCENES:
        of_scene = [point for point in points if point.scene == scene]
        if not of_scene:
            continue
        point = of_scene[0]
        load, factor = scene.label
        rate = load * scene.clerks / scene.moment(point.service, 1)
        y = factor * (scene.long_run(rate, point.service) + point.besides)
        rows.append([scene.colour, load, y, f"{scene.words} ({scene.model})"])
    return rows
