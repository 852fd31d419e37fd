"""dmv: a bar for each client, a panel for each lab."""

import math
from pathlib import Path

from bench.experiments.dmv_lines import LabLine, Turn, Scene
from bench.measure.labs import Lab
from bench.measure.records import NS_PER_S
from bench.tell.charts import Chart, write_csv
from bench.tell.textcharts import Bar, gantt, gantt_legend

KEY = (  # how far down the line each part of the picture is named
    (0.30, "served", "being served"),
    (0.60, "predicted", "predicted: dashed, thin without this machine's prices"),
    (0.75, "waiting", "waiting in line"),
)


def make_chart(panels: list[LabLine], scene: Scene, folder: Path) -> Chart:
    """Write what the chart is drawn from."""
    header = (
        "panel,number,lab,rank,client,port,worker,connected_s,begun_s,ended_s,done_s"
    )
    rows = [
        bar_row(n, panel.lab, place)
        for n, panel in enumerate(panels, 1)
        for place in panel.shown
    ]
    write_csv(
        folder / f"{scene.chart}.csv",
        f"{header},ideal_s,predicted_s,failed_s,outcome",
        rows,
    )
    write_csv(
        folder / f"{scene.chart}-words.csv",
        "panel,number,rank,x_s,kind,words",
        words(panels),
    )
    drawn = text_chart(panels, scene)
    said = " ".join(f"{panel.caption}." for panel in panels)
    scenes = (scene.name,)
    return Chart(scene.chart, "dmv", scene.title, drawn, caption=said, scenes=scenes)


def bar_row(number: int, lab: Lab, place: Turn) -> list:
    """One client for the CSV."""
    client, visit = place.client, place.visit
    connected = (
        (client.connected - client.intended) / NS_PER_S
        if client.connected
        else math.nan
    )
    return [
        number,
        lab.number,
        lab.name,
        place.rank,
        client.i,
        client.port,
        visit.worker if visit else 0,
        connected,
        place.begun,
        place.ended,
        place.done,
        place.ideal,
        place.predicted,
        place.failed,
        client.outcome,
    ]


def words(panels: list[LabLine]) -> list[list]:
    """The captions, and on the panel that waits most what its colours mean."""
    rows = [
        [n, p.lab.number, 0, 0.0, "caption", p.caption] for n, p in enumerate(panels, 1)
    ]
    most = max(panels, key=lambda panel: sum(place.begun for place in panel.shown))
    line = most.shown
    for share, kind, meaning in KEY:
        place = line[int(share * len(line))]
        x = place.begun / 2 if kind == "waiting" else place.predicted
        row = [panels.index(most) + 1, most.lab.number, place.rank, x, kind, meaning]
        rows.append(row)
    return rows


def text_chart(panels: list[LabLine], scene: Scene) -> str:
    """The same for a terminal."""
    places = [place for panel in panels for place in panel.shown]
    ends = [
        end
        for p in places
        for end in (p.begun, p.ended, p.predicted)
        if math.isfinite(end)
    ]
    longest = max(ends)
    drawn = [
        gantt(panel.caption, [bar(place) for place in panel.shown], longest)
        for panel in panels
    ]
    return "\n\n".join([scene.title, *drawn, gantt_legend(longest)])


def bar(place: Turn) -> Bar:
    """One client for a terminal."""
    ended = place.ended if place.was_taken else place.begun
    return Bar(place.begun, ended, place.predicted)
