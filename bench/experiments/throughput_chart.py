"""throughput: a panel for each way to ask."""

from collections.abc import Iterator
from dataclasses import replace
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


def make_chart(made: list[Measured], folder: Path) -> list[Chart]:
    """A row for each server in each way to ask: how fast, and for how much."""
    write_runs(made, folder)
    asked = [make_scores(made, scene) for scene in SCENES]
    groups = [scores for scores in asked if any(score.ok for score in scores)]
    if not groups:
        return []
    header = "row,number,name,title,rate,bound,cpu_us,rate_words,cpu_words"
    write_csv(folder / "throughput.csv", header, rows(groups))
    header = "row,number,rate,cpu_us,left_out"
    write_csv(folder / "throughput-dots.csv", header, dots(groups))
    title = "A file over HTTP: how fast, and for how much CPU"
    lines = [
        [score.scene.title, score.server.name, *row_words(score, scores)]
        for scores in groups
        for score in scores
    ]
    text = "\n".join([title, *table(lines)])
    return [
        Chart(
            "throughput",
            "throughput",
            title,
            text,
            caption=caption(groups),
            scenes=tuple(scores[0].scene.name for scores in groups),
        ),
    ]


def numbered(groups: list[list[Score]]) -> Iterator[tuple[int, Score, list[Score]]]:
    """Each score with its row: a free one stands above each group."""
    row = 0
    for scores in groups:
        row += 1
        for score in scores:
            row += 1
            yield row, score, scores


def rows(groups: list[list[Score]]) -> Iterator[list]:
    """One row for each server in each way to ask; the first of a group names it."""
    for row, score, scores in numbered(groups):
        yield [
            row,
            score.server.number,
            score.server.title,
            score.scene.title if score is scores[0] else "",
            middle(score.rates.values()),
            score.ceiling,
            middle(score.costs.values()) * US_PER_S,
            *row_words(score, scores),
        ]


def dots(groups: list[list[Score]]) -> Iterator[list]:
    """One for each run."""
    for row, score, _ in numbered(groups):
        for is_left_out, runs in ((0, score.runs), (1, score.left_out)):
            each = replace(score, runs=runs)
            for repeat, rate in each.rates.items():
                cost = each.costs[repeat] * US_PER_S
                yield [row, score.server.number, rate, cost, is_left_out]


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


def row_words(score: Score, scores: list[Score]) -> list[str]:
    """What stands beside a server's two marks."""
    rate = rate_words(middle(score.rates.values()), score.scene).replace(",", " ")
    cost = seconds(middle(score.costs.values()))
    nginx = named(scores, MARK)
    if nginx is None or nginx == score:
        return [rate, cost]
    faster = middle(ratio(score, nginx, rates_of))
    dearer = middle(ratio(score, nginx, costs_of))
    return [f"{rate} = {faster:.2f} × nginx", f"{cost} = {dearer:.2f} × nginx"]


def caption(groups: list[list[Score]]) -> str:
    """What the chart shows."""
    said = [scene_caption(scores[0].scene, scores) for scores in groups]
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
