"""throughput: a panel for each way to ask."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.experiments.throughput_scores import (
    MARK,
    SCENES,
    Scene,
    Score,
    costs_of,
    make_scores,
    middle,
    named,
    rate_words,
    rates_of,
    ratio,
)
from bench.measure.labs import Lab
from bench.measure.rig import Counted
from bench.measure.runs import Measured
from bench.tell.charts import Chart, write_csv
from bench.tell.summary import table
from bench.tell.units import seconds

US_PER_S = 1e6


# ---- The chart ----


@dataclass(frozen=True)
class Panel:
    """A way to ask, with all servers that were asked; the longest bar has length 1."""

    scene: Scene
    scores: list[Score]

    @property
    def rate_scale(self) -> float:
        """What stands for 1 on the left."""
        return max(
            value
            for score in self.scores
            for value in (*score.rates.values(), score.ceiling)
            if math.isfinite(value)
        )

    @property
    def cost_scale(self) -> float:
        """What stands for 1 on the right."""
        costs = [cost for score in self.scores for cost in score.costs.values()]
        return max(cost for cost in costs if math.isfinite(cost))


def make_chart(made: list[Measured], folder: Path) -> list[Chart]:
    """A panel for each way to ask: how fast, and for how much."""
    write_runs(made, folder)
    scored = [Panel(scene, make_scores(made, scene)) for scene in SCENES]
    panels = [panel for panel in scored if any(score.ok for score in panel.scores)]
    if not panels:
        return []
    header = (
        "panel,row,number,name,title,rate,ceiling,cpu_us,"
        "rate_x,ceiling_x,end_x,cpu_x,cpu_end_x,rate_words,cpu_words"
    )
    write_csv(folder / "throughput.csv", header, bars(panels))
    write_csv(folder / "throughput-dots.csv", "panel,row,rate_x,cpu_x", dots(panels))
    title = "A file over HTTP: how fast, and for how much CPU"
    lines = [
        [panel.scene.title, score.server.name, *bar_words(score, panel.scores)]
        for panel in panels
        for score in panel.scores
    ]
    text = "\n".join([title, *table(lines)])
    return [
        Chart(
            "throughput",
            "throughput",
            title,
            text,
            caption=caption(panels),
            scenes=tuple(panel.scene.name for panel in panels),
        ),
    ]


def bars(panels: list[Panel]) -> Iterator[list]:
    """One row for each server in each panel."""
    for place, panel in enumerate(panels, 1):
        for row, score in enumerate(panel.scores, 1):
            yield [place, row, *bar(score, panel), *bar_words(score, panel.scores)]


def bar(score: Score, panel: Panel) -> list:
    """Its values, and where its bars and their words are."""
    rate, cost = middle(score.rates.values()), middle(score.costs.values())
    most = max([score.ceiling, *score.rates.values()])
    dearest = max(score.costs.values())
    return [
        score.server.number,
        score.server.title,
        panel.scene.title,
        rate,
        score.ceiling,
        cost * US_PER_S,
        rate / panel.rate_scale,
        score.ceiling / panel.rate_scale,
        most / panel.rate_scale,
        cost / panel.cost_scale,
        dearest / panel.cost_scale,
    ]


def dots(panels: list[Panel]) -> Iterator[list]:
    """One row for each run in each panel."""
    for place, panel in enumerate(panels, 1):
        for row, score in enumerate(panel.scores, 1):
            for repeat, rate in score.rates.items():
                cost = score.costs[repeat] / panel.cost_scale
                yield [place, row, rate / panel.rate_scale, cost]


def write_runs(made: list[Measured], folder: Path) -> None:
    """One row for each run: all else is computed from these."""
    header = "scene,server,repeat,answered,failed,span_s,received,cpu_s,generator_cpu_s"
    rows = [
        [
            each.run.scene,
            each.run.lab.name,
            each.run.repeat,
            each.answered,
            each.failures.total(),
            each.span_s,
            each.received,
            each.cpu_s,
            sum(each.generator_cpu_s.values()),
        ]
        for each in made
        if isinstance(each, Counted)
    ]
    write_csv(folder / "throughput-runs.csv", header, rows)


def bar_words(score: Score, scores: list[Score]) -> list[str]:
    """What stands behind a server's two bars."""
    rate = rate_words(middle(score.rates.values()), score.scene).replace(",", " ")
    cost = seconds(middle(score.costs.values()))
    nginx = named(scores, MARK)
    if nginx is None or nginx == score:
        return [rate, cost]
    faster = middle(ratio(score, nginx, rates_of))
    dearer = middle(ratio(score, nginx, costs_of))
    return [f"{rate} = {faster:.2f} × nginx", f"{cost} = {dearer:.2f} × nginx"]


def caption(panels: list[Panel]) -> str:
    """What the chart shows."""
    said = [scene_caption(panel.scene, panel.scores) for panel in panels]
    said.append("Dashed: the tightest bound by this machine's prices, measured apart.")
    return " ".join(said)


def scene_caption(scene: Scene, scores: list[Score]) -> str:
    """The fastest, and how it compares with nginx."""
    labs = [score for score in scores if isinstance(score.server, Lab)] or scores
    best = max(labs, key=lambda score: middle(score.rates.values()))
    rate = rate_words(middle(best.rates.values()), scene)
    said = f"{scene.title[0].upper()}{scene.title[1:]}: {best.server.title} is the fastest lab, {rate}"
    nginx = named(scores, MARK)
    if nginx is None:
        return f"{said}."
    times = middle(ratio(best, nginx, rates_of))
    cost = middle(ratio(best, nginx, costs_of))
    return f"{said}, {times:.2f} of nginx's rate for {cost:.2f} of its CPU time."
