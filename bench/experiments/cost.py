"""cost: what a client costs the server, who stays for long or comes for a moment."""

import math
import mmap
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.measure import rig
from bench.tell.charts import Chart, write_csv
from bench.experiments.crowd import spread as spread_labels
from bench.experiments.experiment import (
    Conclusion,
    Experiment,
    Finding,
    Options,
    labs_of,
    share_off,
)
from bench.measure.labs import Lab
from bench.measure.rig import Counted, Held
from bench.measure.runs import START_S, Generator, Measured, Run
from bench.tell.summary import table
from bench.tell.textcharts import seconds

KIB = 1024
PAGE = mmap.PAGESIZE
STACK = 256 * KIB + PAGE  # what lab 2 asks for a thread, and the page that guards it
TOUCHED = 3 * PAGE  # of it: the thread's own data, its calls, the lines it reads
KERNEL_STACK = 16 * KIB  # of a thread, on x86-64 and arm64
TABLES = PAGE * STACK / (2 * KIB * KIB)  # a page of them describes 2 MiB of addresses
PLACE = 44  # bytes: of a client in the table of visits, and in the queue
DEFAULT_STACK = 8 * KIB * KIB  # where nothing smaller is asked for

POOL = 16
COUNTS = (1, 10, 100, 1000, 10_000)
LINE_COUNTS = (1, 100, 10_000)  # for labs where most clients stand in line
QUICK_COUNTS = (1, 1000)
KERNEL_COUNTS = (1, 100, 1000)  # lab 1: the line is the kernel's, and no longer
PATIENCE_MS = 200  # of those who cannot be greeted, for all workers are taken

CONNECTIONS = 5000
BYTES = 4000
AT_ONCE = 10
REPEATS, QUICK_REPEATS = 3, 1
LASTS_S, QUICK_LASTS_S = 0.3, 0.15
HELD, VISITS = "held", "visits"
LABELS_APART = 0.34  # in powers of ten: less, and two labels overlap


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Clients who stay, few to many; then clients who come and go, in any order."""
    shuffle = random.Random(f"cost {options.seed}").shuffle
    runs = [plan_held(lab, n) for lab in labs for n in counts_for(lab, options)]
    repeats = options.repeats or (QUICK_REPEATS if options.is_quick else REPEATS)
    for repeat in range(1, repeats + 1):
        shuffled = list(labs)
        shuffle(shuffled)
        runs += [plan_visits(lab, repeat, options) for lab in shuffled]
    return runs


def counts_for(lab: Lab, options: Options) -> tuple[int, ...]:
    """How many clients stay: as many as there is room for, in the server or before it."""
    if options.is_quick:
        return QUICK_COUNTS
    if is_crowd(lab):
        return COUNTS
    return LINE_COUNTS if lab.has_pool else KERNEL_COUNTS


def plan_held(lab: Lab, clients: int) -> Run:
    """So many clients who come, are greeted if there is a worker, and stay."""
    waits_s = PATIENCE_MS / 1000 if lab.clerks(POOL) < clients else 0
    flags = {"clients": clients, "rate": rig.ARRIVALS, "duration": "60s"}
    flags["timeout"] = f"{PATIENCE_MS}ms" if waits_s else "10s"
    return Run(
        experiment="cost",
        group="cost, clients who stay",
        scene=HELD,
        lab=lab,
        generators=(Generator("hold", flags),),
        flags={"threads": POOL, "queue": max(COUNTS)},
        repeat=1,
        expected_s=START_S + rig.REST_S + waits_s + clients * 2e-4,
    )


def plan_visits(lab: Lab, repeat: int, options: Options) -> Run:
    """One connection after the other, so many at a time."""
    lasts_s = QUICK_LASTS_S if options.is_quick else LASTS_S
    flags = {"requests": 1, "say": f"bytes {BYTES}"}
    flags["duration"] = f"{lasts_s * 1000:.0f}ms"
    return Run(
        experiment="cost",
        group="cost, clients who come and go",
        scene=VISITS,
        lab=lab,
        generators=rig.sharing(AT_ONCE, flags),
        flags={"threads": AT_ONCE},
        repeat=repeat,
        expected_s=START_S + lasts_s + 0.05,
    )


# ---- Clients who stay ----


@dataclass(frozen=True)
class Point:
    """A lab with so many clients in place."""

    held: Held

    @property
    def lab(self) -> Lab:
        """Whose clients they are."""
        return self.held.run.lab

    @property
    def clients(self) -> int:
        """How many there are, greeted or in line."""
        return self.held.run.clients

    @property
    def memory(self) -> float:
        """Bytes: what is really there for the process, its tables, its threads."""
        during = self.held.during
        return during.resident + during.tables + during.threads * KERNEL_STACK

    @property
    def empty(self) -> float:
        """The same before anybody came."""
        before = self.held.before
        return before.resident + before.tables + before.threads * KERNEL_STACK

    @property
    def each(self) -> float:
        """Bytes for each client."""
        return (self.memory - self.empty) / self.clients

    @property
    def predicted_each(self) -> float:
        """What theory expects for each client: a thread, a place in line, or nothing."""
        if is_crowd(self.lab):
            return TOUCHED + TABLES + KERNEL_STACK + PLACE
        return PLACE if self.lab.has_pool else 0

    @property
    def predicted(self) -> float:
        """Bytes with all clients in place."""
        return self.empty + self.clients * self.predicted_each

    @property
    def predicted_threads(self) -> float:
        """The one that accepts, and a thread for each client or worker."""
        clerks = self.lab.clerks(POOL)
        return 1 if clerks == 1 else 1 + min(clerks, max(self.clients, POOL))

    @property
    def switches_each(self) -> float:
        """From one thread to another, for each client."""
        return self.held.added("switches")


def size(count: float) -> str:
    """Bytes for people, with three digits."""
    for unit, of in (("GiB", KIB**3), ("MiB", KIB**2), ("KiB", KIB)):
        if count >= of:
            return f"{count / of:.3g} {unit}"
    return f"{count:.0f} bytes"


def make_points(made: list[Measured]) -> list[Point]:
    """All that were made, lab by lab."""
    held = [each for each in made if each.run.scene == HELD]
    held.sort(key=lambda each: (each.run.lab.number, each.run.clients))
    return [Point(each) for each in held]


def last_points(points: list[Point]) -> list[Point]:
    """For each lab its largest crowd."""
    return list({point.lab: point for point in points}.values())


def held_findings(points: list[Point]) -> list[Finding]:
    """What the largest crowd costs each lab."""
    found = []
    for point in last_points(points):
        found += [memory_finding(point), threads_finding(point)]
        if is_crowd(point.lab):
            found += [addresses_finding(point), stacks_finding(point)]
        found += [effort_finding(point), idle_finding(point)]
    return found


def size_finding(point: Point, what: str, measured: float, predicted: float) -> Finding:
    """Two sizes side by side."""
    off = share_off(measured, predicted) if predicted > KIB else math.nan
    return Finding(point.lab.name, what, size(measured), size(predicted), off)


def memory_finding(point: Point) -> Finding:
    """Memory for each client who stays."""
    what = f"{point.clients} stay: memory each"
    return size_finding(point, what, point.each, point.predicted_each)


def threads_finding(point: Point) -> Finding:
    """How many threads there are."""
    what = f"{point.clients} stay: threads"
    measured, predicted = point.held.during.threads, point.predicted_threads
    off = share_off(measured, predicted)
    return Finding(point.lab.name, what, f"{measured}", f"{predicted:.0f}", off)


def addresses_finding(point: Point) -> Finding:
    """A stack is promised in full, and given as it is used."""
    what = f"{point.clients} stay: addresses each"
    return size_finding(point, what, point.held.added("reserved"), STACK)


def stacks_finding(point: Point) -> Finding:
    """What the kernel itself needs for a thread, of which the process shows nothing."""
    what = f"{point.clients} stay: kernel stack each"
    measured = point.held.added("kernel_stacks")
    return size_finding(point, what, measured, KERNEL_STACK)


def effort_finding(point: Point) -> Finding:
    """What it took until all were in place."""
    effort = seconds(point.held.added("cpu_s"))
    switches = f"{point.switches_each:.2g} switches"
    what = f"{point.clients} come: effort each"
    return Finding(point.lab.name, what, f"{effort} of CPU, {switches}", "")


def idle_finding(point: Point) -> Finding:
    """A thread that waits costs memory, and no time."""
    what = f"{point.clients} stay: CPU while silent"
    measured = f"{point.held.idle_cpu_s / rig.REST_S:.1%}"
    return Finding(point.lab.name, what, measured, "0 %")


def held_chart(points: list[Point], folder: Path) -> Chart:
    """Write what the chart is drawn from."""
    header = (
        "number,lab,clients,greeted,memory_bytes,predicted_bytes,reserved_bytes,"
        "threads,cpu_each_s,switches_each,idle_cpu_s"
    )
    rows = [held_row(point) for point in points]
    write_csv(folder / "cost-held.csv", header, rows)
    lasts = last_points(points)
    places = spread_labels([math.log10(point.memory) for point in lasts], LABELS_APART)
    labels = [
        [point.lab.number, point.clients, 10**place, point.lab.title, label(point)]
        for point, place in zip(lasts, places)
    ]
    labels += [addresses_label(point) for point in lasts if is_crowd(point.lab)]
    header = "number,clients,y_bytes,name,words"
    write_csv(folder / "cost-held-words.csv", header, labels)
    title = "What a server needs for clients who stay, greeted or in line"
    text = "\n".join([title, *table([header_words(), *text_rows(points)])])
    return Chart(
        "cost-held",
        "cost-held",
        title,
        text,
        caption=held_caption(lasts),
        scenes=(HELD,),
    )


def is_crowd(lab: Lab) -> bool:
    """Has it a thread for each client?"""
    return math.isinf(lab.clerks(POOL))


def addresses_label(point: Point) -> list:
    """What stands at the end of the dotted curve."""
    reserved = point.held.during.reserved
    said = f"{size(reserved)} of addresses"
    return [point.lab.number, point.clients, reserved, said, "promised; not memory"]


def held_row(point: Point) -> list:
    """One point for the CSV."""
    held = point.held
    return [
        point.lab.number,
        point.lab.name,
        point.clients,
        held.greeted,
        point.memory,
        point.predicted,
        float(held.during.reserved),
        held.during.threads,
        held.added("cpu_s"),
        point.switches_each,
        held.idle_cpu_s,
    ]


def header_words() -> list[str]:
    """What the columns of the text chart are."""
    return ["lab", "clients", "greeted", "memory", "predicted", "threads"]


def text_rows(points: list[Point]) -> Iterable[list[str]]:
    """The chart for a terminal: a table."""
    for p in points:
        memory = [size(p.memory), size(p.predicted)]
        counts = [f"{p.clients}", f"{p.held.greeted}"]
        yield [p.lab.name, *counts, *memory, f"{p.held.during.threads}"]


def label(point: Point) -> str:
    """What stands at the end of a curve."""
    greeted = point.held.greeted
    if greeted == point.clients:
        return f"{size(point.each)} each; predicted {size(point.predicted_each)}"
    return f"{greeted} served; {point.clients - greeted} in line"


def held_caption(lasts: list[Point]) -> str:
    """What the chart shows."""
    said = []
    for point in lasts:
        if is_crowd(point.lab):
            said.append(crowd_caption(point))
    pools = [point for point in lasts if 1 < point.lab.clerks(POOL) < math.inf]
    if pools:
        most = max(pools, key=lambda point: point.memory)
        said.append(
            f"A pool of {POOL} stays at {size(most.memory)} with {most.clients} clients,"
            f" of whom {most.clients - most.held.greeted} stand in line: it costs"
            " memory for its workers, and its clients time."
        )
    return " ".join(said)


def crowd_caption(point: Point) -> str:
    """What a thread for each client comes to."""
    reserved = point.clients * DEFAULT_STACK
    return (
        f"{point.lab.title} holds {point.clients} clients in {size(point.memory)}:"
        f" {size(point.each)} each, where {size(point.predicted_each)} are predicted"
        f" ({size(TOUCHED)} of stack, {size(KERNEL_STACK)} of kernel stack, the page"
        f" tables). It reserves {size(point.held.during.reserved)} of addresses, and"
        f" with the default stack of {size(DEFAULT_STACK)} that would be"
        f" {size(reserved)}: addresses are no memory."
    )


# ---- Clients who come and go, as in Stevens' chapter 30 ----


@dataclass(frozen=True)
class Bill:
    """A lab, and so many connections, some at a time: the repeats."""

    lab: Lab
    repeats: list[Counted]

    @property
    def is_baseline(self) -> bool:
        """What lab 1 needs for them, which has no threads."""
        return self.lab.clerks(POOL) == 1

    @property
    def costs(self) -> list[float]:
        """For each repeat, CPU seconds for 5,000 connections."""
        answered = [each for each in self.repeats if each.answered]
        return [CONNECTIONS * each.cpu_each_s for each in answered]

    @property
    def cost(self) -> float:
        """The median of the repeats."""
        return median(self.costs) if self.costs else math.nan


def make_bills(made: list[Measured]) -> list[Bill]:
    """One for each lab."""
    visits = [each for each in made if each.run.scene == VISITS]
    return [
        Bill(lab, [each for each in visits if each.run.lab == lab])
        for lab in labs_of(visits)
    ]


def baseline_of(bills: list[Bill]) -> float:
    """What the same costs lab 1, which has no threads; NaN before that was measured."""
    return next((bill.cost for bill in bills if bill.is_baseline), math.nan)


def visit_findings(bills: list[Bill]) -> list[Finding]:
    """The baseline, and CPU seconds above it."""
    baseline = baseline_of(bills)
    what = f"{CONNECTIONS} connections, {AT_ONCE} at a time: CPU"
    found = []
    for bill in bills:
        if bill.is_baseline:
            measured = f"{seconds(bill.cost)} {spread(bill.costs)}"
            found.append(Finding(bill.lab.name, what, measured, ""))
        else:
            above = [cost - baseline for cost in bill.costs]
            measured = f"{signed(bill.cost - baseline)} {spread(above, signed)}"
            found.append(Finding(bill.lab.name, f"{what} above lab 1's", measured, ""))
    return found


def signed(value: float) -> str:
    """A difference of times for people."""
    if not math.isfinite(value):
        return "not known"
    return f"{'-' if value < 0 else '+'}{seconds(abs(value))}"


def spread(values: list[float], words=seconds) -> str:
    """From the least to the most, if there is more than one."""
    if len(values) < 2:
        return f"({len(values)} run)"
    return f"[{words(min(values))} to {words(max(values))}]"


def visit_chart(bills: list[Bill], folder: Path) -> Chart:
    """Write what the chart is drawn from."""
    baseline = baseline_of(bills)
    header = "row,number,lab,baseline_s,cpu_s,end_s,name,words"
    rows = [bill_row(n, bill, baseline) for n, bill in enumerate(bills, 1)]
    write_csv(folder / "cost-visits.csv", header, rows)
    runs = [
        [n, bill.lab.number, cost, each.run.repeat, each.answered]
        for n, bill in enumerate(bills, 1)
        for cost, each in zip(bill.costs, bill.repeats)
    ]
    header = "row,number,cpu_s,repeat,connections"
    write_csv(folder / "cost-visits-runs.csv", header, runs)
    title = f"{CONNECTIONS} clients who come and go, {AT_ONCE} at a time: CPU seconds"
    lines = [[b.lab.name, seconds(b.cost), words(b, baseline)] for b in bills]
    return Chart(
        "cost-visits",
        "cost-visits",
        title,
        "\n".join([title, *table(lines)]),
        caption=visit_caption(bills, baseline),
        scenes=(VISITS,),
    )


def bill_row(row: int, bill: Bill, baseline: float) -> list:
    """One bar for the CSV; its words stand behind its last dot."""
    end = max([baseline, *bill.costs])
    said = words(bill, baseline)
    lab = bill.lab
    return [row, lab.number, lab.name, baseline, bill.cost, end, lab.title, said]


def words(bill: Bill, baseline: float) -> str:
    """What stands at the end of a bar."""
    return seconds(baseline) if bill.is_baseline else signed(bill.cost - baseline)


def visit_caption(bills: list[Bill], baseline: float) -> str:
    """What the chart shows."""
    ordered = sorted(bills, key=lambda bill: bill.cost)
    each = f"{BYTES} bytes out, a connection for each"
    named = ", ".join(f"{b.lab.title} {words(b, baseline)}" for b in ordered)
    return (
        f"As in Stevens' chapter 30 ({each}): grey is what a sequential server needs,"
        f" {seconds(baseline)} of CPU for {CONNECTIONS}; what lies above it is the"
        f" price of the model. From the cheapest: {named}. CPU is not latency: a"
        " pool is there for its bound, not to save CPU."
    )


# ---- The experiment ----


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """A chart for clients who stay, and one for those who come and go."""
    points, bills = make_points(made), make_bills(made)
    charts = [held_chart(points, folder)] if points else []
    charts += [visit_chart(bills, folder)] if bills else []
    findings = held_findings(points) + visit_findings(bills)
    return Conclusion(findings, notes(options), charts)


def notes(options: Options) -> list[str]:
    """How the numbers came about."""
    lines = [
        "Memory is what the process really has, its page tables, and"
        f" {size(KERNEL_STACK)} of kernel stack a thread; the kernel's memory for the"
        " sockets is the same for every lab and is not in it.",
        "CPU time is the server's own clock, user and system, read before the first"
        f" client and after the last, and set to {CONNECTIONS} connections. Servers"
        f" write no trace here; a pool has {POOL} workers for those who stay, and"
        f" {AT_ONCE} for those who come and go.",
    ]
    if options.is_quick:
        left = ", ".join(f"{n}" for n in COUNTS if n not in QUICK_COUNTS)
        lines.append(f"QUICK left out {left} clients who stay, and most repeats.")
    return lines


EXPERIMENT = Experiment(
    "cost",
    "what does a client cost the server, who stays for long or comes for a moment?",
    plan,
    conclude,
    perform=rig.perform,
)
