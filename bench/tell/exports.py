"""Exports: the same measurements in formats that people already have tools for."""

import json
import math
import statistics
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bench.judge.estimates import is_defended, rank_of
from bench.tell.document import About, write_document
from bench.experiments.experiment import Part
from bench.measure.records import Client, Visit, join
from bench.measure.runs import Measured

TICKS_PER_HALF = 5  # percentile lines each time that the distance to 100 % halves
NS_PER_US = 1000
MS_PER_S = 1000
TRACED = "dmv"  # the experiment whose clients and workers are few enough to look at
CLIENT_LANES = 1000  # lanes from here on are clients, below are workers


# ---- Percentile files, as HdrHistogram writes them ----


def write_percentiles(made: list[Measured], folder: Path) -> list[Path]:
    """One .hgrm file for each setting that was measured, over all its repeats."""
    written = []
    for setting, latencies in by_setting(made).items():
        if is_defended(0.5, len(latencies)):
            written.append(folder / "percentiles" / f"{setting}.hgrm")
            written[-1].parent.mkdir(exist_ok=True)
            written[-1].write_text(percentile_file(latencies))
    return written


def by_setting(made: list[Measured]) -> dict[str, list[float]]:
    """The latencies of all runs that differ in nothing but the repeat."""
    settings = defaultdict(list)
    for each in made:
        settings[each.run.name.rpartition("-r")[0]] += each.latencies
    return settings


def percentile_file(latencies: list[float]) -> str:
    """Latencies in ms; a failure counts, is infinitely late, and so has no line."""
    ordered = sorted(latencies)
    lines = [f"{'Value':>12} {'Percentile':>12} {'TotalCount':>12} 1/(1-Percentile)"]
    lines += ["", *percentile_lines(ordered), *percentile_footer(ordered)]
    return "\n".join(lines) + "\n"


def percentile_lines(ordered: list[float]) -> Iterator[str]:
    """A line for each level that there are samples enough for, then the longest."""
    count = len(ordered)
    for level in percentile_levels():
        value = ordered[rank_of(level, count) - 1]
        if not is_defended(level, count) or math.isinf(value):
            break
        yield percentile_line(value, level, bisect_right(ordered, value))
    if math.isfinite(ordered[-1]):
        yield percentile_line(ordered[-1], 1, count)


def percentile_levels() -> Iterator[float]:
    """0, 0.1 ... 0.5, 0.55 ... 0.75, 0.775: finer and finer towards 1."""
    step, level, half = 0.5 / TICKS_PER_HALF, 0.0, 0.5
    while True:
        for tick in range(TICKS_PER_HALF):
            yield level + tick * step
        level, half, step = level + half, half / 2, step / 2


def percentile_line(value: float, level: float, count: int) -> str:
    """One line, in the widths that all readers of the format expect."""
    inverse = math.inf if level == 1 else 1 / (1 - level)
    return f"{value * MS_PER_S:12.3f} {level:12.6f} {count:12d} {inverse:12.2f}"


def percentile_footer(ordered: list[float]) -> list[str]:
    """The sums; each sample has a bucket of its own, for nothing was rounded."""
    has_failures = math.isinf(ordered[-1])
    mean = math.inf if has_failures else statistics.fmean(ordered) * MS_PER_S
    spread = math.inf if has_failures else statistics.pstdev(ordered) * MS_PER_S
    return [
        f"#[Mean    = {mean:12.3f}, StdDeviation   = {spread:12.3f}]",
        f"#[Max     = {ordered[-1] * MS_PER_S:12.3f}, Total count    = {len(ordered):12d}]",
        f"#[Buckets = {1:12d}, SubBuckets     = {len(ordered):12d}]",
    ]


# ---- A Chrome trace, which Perfetto and chrome://tracing open ----


@dataclass(frozen=True)
class TracedRun:
    """A run that is put on the stage: a process with a lane for everybody."""

    number: int  # the trace's process
    made: Measured

    @property
    def opening(self) -> int:
        """When its first client was to come; the trace counts from here."""
        return min(client.intended for client in self.made.clients)

    @property
    def title(self) -> str:
        """What the process is called."""
        return f"{self.made.run.lab.title}, {self.made.run.scene}"

    def moment(self, stamp: int) -> float:
        """A stamp in the trace's microseconds."""
        return (stamp - self.opening) / NS_PER_US


def write_trace(made: list[Measured], folder: Path) -> list[Path]:
    """One trace of the runs that are small enough to look at, if there are any."""
    traced = choose_runs(made)
    if not traced:
        return []
    events = [json.dumps(event) for each in traced for event in run_events(each)]
    head, tail = '{"displayTimeUnit": "ms", "traceEvents": [\n', "\n]}\n"
    (folder / "trace.json").write_text(head + ",\n".join(events) + tail)
    return [folder / "trace.json"]


def choose_runs(made: list[Measured]) -> list[TracedRun]:
    """Each crowd's first repeat, lab by lab."""
    crowds = [
        each
        for each in made
        if each.run.experiment == TRACED and each.run.repeat == 1 and each.visits
    ]
    crowds = [each for each in crowds if len(each.clients) > 1]
    crowds.sort(key=lambda each: (each.run.scene, each.run.lab.number))
    return [TracedRun(number, each) for number, each in enumerate(crowds, 1)]


def run_events(traced: TracedRun) -> list[dict]:
    """The names of all lanes, and what happened on them."""
    pairs = join(traced.made.clients, traced.made.visits)
    visits = [(client, visit) for client, visit in pairs if was_taken(visit)]
    workers = sorted({visit.worker for _, visit in visits})
    return [
        naming(traced, "process_name", 0, name=traced.title),
        naming(traced, "process_sort_index", 0, sort_index=traced.number),
        *lanes(traced, {worker: f"worker {worker}" for worker in workers}),
        *lanes(traced, {lane_of(client): f"client {client.i}" for client, _ in pairs}),
        *[work(traced, client, visit) for client, visit in visits],
        *[event for pair in pairs for event in life(traced, *pair)],
    ]


def was_taken(visit: Visit | None) -> bool:
    """Did a worker ever take this client?"""
    return visit is not None and visit.begun > 0


def lane_of(client: Client) -> int:
    """The lane of a client."""
    return CLIENT_LANES + client.i


def lanes(traced: TracedRun, names: dict[int, str]) -> Iterator[dict]:
    """Lanes in the order in which they are given."""
    for lane, name in names.items():
        order = CLIENT_LANES if lane >= CLIENT_LANES else 0
        yield naming(traced, "thread_name", lane, name=name)
        yield naming(
            traced,
            "thread_sort_index",
            lane,
            sort_index=order + list(names).index(lane),
        )


def naming(traced: TracedRun, what: str, lane: int, **words: str | int) -> dict:
    """An event that happens to nobody: it names a process or a lane, or sorts it."""
    return {"ph": "M", "name": what, "pid": traced.number, "tid": lane, "args": words}


def work(traced: TracedRun, client: Client, visit: Visit) -> dict:
    """What a worker did: one client, from beginning to end."""
    words = {"outcome": visit.outcome}
    name = f"client {client.i}"
    return span(traced, visit.worker, name, visit.begun, visit.ended, words)


def life(traced: TracedRun, client: Client, visit: Visit | None) -> Iterator[dict]:
    """What a client lived through, one thing after the other."""
    reached = [client.connected, visit.begun if was_taken(visit) else 0, client.done]
    ends = list(rising([client.intended, *reached]))
    for name, (begun, ended) in zip(
        ("connects", "waits in line", "is served"), pairwise(ends)
    ):
        if ended > begun:
            yield span(traced, lane_of(client), name, begun, ended, {})
    if client.outcome != "ok":
        yield failure(traced, client, ends[-1])


def rising(stamps: Iterable[int]) -> Iterator[int]:
    """Stamps of two processes that may cross by microseconds, made to rise."""
    latest = 0
    for stamp in stamps:
        latest = max(latest, stamp)
        yield latest


def span(
    traced: TracedRun, lane: int, name: str, begun: int, ended: int, words: dict
) -> dict:
    """Something that took time."""
    return {
        "ph": "X",
        "name": name,
        "cat": "worker" if lane < CLIENT_LANES else "client",
        "pid": traced.number,
        "tid": lane,
        "ts": traced.moment(begun),
        "dur": (ended - begun) / NS_PER_US,
        "args": words,
    }


def failure(traced: TracedRun, client: Client, stamp: int) -> dict:
    """The end of a client that was not served."""
    return {
        "ph": "i",
        "s": "t",
        "name": client.outcome,
        "cat": "client",
        "pid": traced.number,
        "tid": lane_of(client),
        "ts": traced.moment(stamp),
    }


def write_all(about: About, parts: list[Part], folder: Path) -> list[Path]:
    """Write every export; returns the files."""
    made = [each for part in parts for each in part.made]
    written = write_percentiles(made, folder) + write_trace(made, folder)
    return [*written, write_document(about, parts, folder)]
