"""work: a strip for each lab, a panel for each kind of work."""

from pathlib import Path
from statistics import fmean

from bench.experiments.work_strips import (
    CLIENTS,
    COMPUTES,
    POOL,
    SERVICE_MS,
    Strip,
    WAITS,
    WORKS,
    Work,
)
from bench.tell.charts import Chart, write_csv
from bench.tell.textcharts import Bar, gantt, gantt_legend
from bench.tell.units import seconds


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
    header = "panel,row,number,lab,rank,taken_s,done_s,ideal_s,predicted_s"
    write_csv(folder / "work.csv", header, client_rows(strips))
    header = "panel,row,number,mean_s,ideal_mean_s,predicted_mean_s,words"
    write_csv(folder / "work-means.csv", header, mean_rows(strips))
    header = "panel,row,number,mean_s"
    write_csv(folder / "work-left-out.csv", header, left_out_rows(strips))
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
        {"legend": "a line: one client, from a clerk's greeting to its end"},
        caption=caption(strips),
        scenes=tuple(work.name for work in WORKS),
    )


def place(strip: Strip) -> list[int]:
    """Where a strip stands: which panel, and which row of it."""
    return [WORKS.index(strip.work) + 1, strip.lab.number]


def client_rows(strips: list[Strip]) -> list[list]:
    """One row for each client that was served."""
    return [
        [*place(strip), strip.lab.number, strip.lab.name, rank, *times]
        for strip in strips
        for rank, times in enumerate(strip.times(), 1)
    ]


def mean_rows(strips: list[Strip]) -> list[list]:
    """The mean of each strip, and what is said of it."""
    return [
        [
            *place(strip),
            strip.lab.number,
            strip.mean,
            fmean(strip.ideal),
            fmean(strip.predicted),
            f"{strip.lab.title} ({strip.model}): mean {seconds(strip.mean)}"
            f" (predicted {seconds(fmean(strip.predicted))})",
        ]
        for strip in strips
    ]


def left_out_rows(strips: list[Strip]) -> list[list]:
    """The mean of each repeat that is not believed."""
    return [
        [*place(strip), strip.lab.number, fmean(burst.latencies)]
        for strip in strips
        for burst in strip.left_out
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
