"""cost: clients who stay, and the memory that they take."""

import math
import mmap
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.experiments.experiment import Finding
from bench.measure import rig
from bench.measure.labs import Lab
from bench.measure.rig import Held
from bench.measure.runs import Measured
from bench.measure.usage import Usage
from bench.tell.charts import Chart, spread_labels, write_csv
from bench.tell.summary import table
from bench.tell.units import KIB, size

PAGE = mmap.PAGESIZE
STACK = 256 * KIB + PAGE  # what lab 2 asks for a thread, and the page that guards it
TOUCHED = 3 * PAGE  # of it: the thread's own data, its calls, the lines it reads
KERNEL_STACK = 16 * KIB  # of a thread, on x86-64 and arm64
TABLES = PAGE * STACK / (2 * KIB * KIB)  # a page of them describes 2 MiB of addresses
PLACE = 44  # bytes: of a client in the table of visits, and in the queue
DEFAULT_STACK = 8 * KIB * KIB  # where nothing smaller is asked for
POOL = 16
MEASURED = 100  # clients whose memory is a price for larger crowds
HELD, VISITS = "held", "visits"


# ---- Clients who stay ----


@dataclass(frozen=True)
class HeldPoint:
    """A lab with so many clients in place."""

    held: Held
    known: Held | None = None  # the same lab with MEASURED clients: its price

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
        return in_memory(self.held.during)

    @property
    def empty(self) -> float:
        """The same before anybody came."""
        return in_memory(self.held.before)

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
    def ideal(self) -> float:
        """Bytes with all clients in place."""
        return self.empty + self.clients * self.predicted_each

    @property
    def predicted(self) -> float:
        """What MEASURED clients took here, and for each further one what theory says; of
        threads what each took. No price predicts itself.
        """
        if self.known is None or self.clients <= MEASURED:
            return math.nan
        took = in_memory(self.known.during)
        each = (took - in_memory(self.known.before)) / MEASURED
        further = each if is_crowd(self.lab) else self.predicted_each
        return took + (self.clients - MEASURED) * further

    @property
    def predicted_threads(self) -> float:
        """The one that accepts, and a thread for each client or worker."""
        clerks = self.lab.clerks(POOL)
        return 1 if clerks == 1 else 1 + min(clerks, max(self.clients, POOL))

    @property
    def switches_each(self) -> float:
        """From one thread to another, for each client."""
        return self.held.added("switches")


def in_memory(usage: Usage) -> float:
    """Bytes: the process, its page tables, and the kernel's stack of each thread."""
    return usage.resident + usage.tables + usage.threads * KERNEL_STACK


def make_points(made: list[Measured]) -> list[HeldPoint]:
    """All that were made, lab by lab."""
    held = [each for each in made if each.run.scene == HELD]
    held.sort(key=lambda each: (each.run.lab.number, each.run.clients))
    known = {e.run.lab: e for e in held if e.run.clients == MEASURED}
    return [HeldPoint(each, known.get(each.run.lab)) for each in held]


def last_points(points: list[HeldPoint]) -> list[HeldPoint]:
    """For each lab its largest crowd."""
    return list({point.lab: point for point in points}.values())


def held_findings(points: list[HeldPoint]) -> list[Finding]:
    """What the largest crowd costs each lab."""
    found = []
    for point in last_points(points):
        found += [memory_finding(point), threads_finding(point)]
        if is_crowd(point.lab):
            found += [addresses_finding(point), stacks_finding(point)]
        found += [effort_finding(point), idle_finding(point)]
    return found


def finding(
    point: HeldPoint, what: str, value: float, ideal: float = math.nan, unit="B"
) -> Finding:
    """One number of a crowd that stays."""
    what = f"{point.clients} stay: {what}"
    return Finding(
        point.lab.name, what, [value], ideal, unit=unit, clients=point.clients
    )


def memory_finding(point: HeldPoint) -> Finding:
    """Memory for all of them, with the server itself."""
    found = finding(point, "memory", point.memory, point.ideal)
    return replace(found, predicted=point.predicted)


def threads_finding(point: HeldPoint) -> Finding:
    """How many threads there are."""
    threads = point.held.during.threads
    return finding(point, "threads", threads, point.predicted_threads, "1")


def addresses_finding(point: HeldPoint) -> Finding:
    """A stack is promised in full, and given as it is used."""
    return finding(point, "addresses each", point.held.added("reserved"), STACK)


def stacks_finding(point: HeldPoint) -> Finding:
    """What the kernel itself needs for a thread, of which the process shows nothing."""
    measured = point.held.added("kernel_stacks")
    return finding(point, "kernel stack each", measured, KERNEL_STACK)


def effort_finding(point: HeldPoint) -> Finding:
    """What it took until all were in place."""
    return finding(point, "CPU to come in, each", point.held.added("cpu_s"), unit="s")


def idle_finding(point: HeldPoint) -> Finding:
    """A thread that waits costs memory, and no time."""
    share = point.held.idle_cpu_s / rig.REST_S
    return finding(point, "CPU while silent", share, 0.0, "%")


def held_chart(points: list[HeldPoint], folder: Path) -> Chart:
    """Write what the chart is drawn from."""
    header = (
        "number,lab,clients,greeted,memory_bytes,ideal_bytes,predicted_bytes,"
        "reserved_bytes,threads,cpu_each_s,switches_each,idle_cpu_s"
    )
    rows = [held_row(point) for point in points]
    write_csv(folder / "cost-held.csv", header, rows)
    lasts = last_points(points)
    places = spread_labels([math.log10(point.memory) for point in lasts])
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


def addresses_label(point: HeldPoint) -> list:
    """What stands at the end of the dotted curve."""
    reserved = point.held.during.reserved
    said = f"{size(reserved)} of addresses"
    return [point.lab.number, point.clients, reserved, said, "promised; not memory"]


def held_row(point: HeldPoint) -> list:
    """One point for the CSV."""
    held = point.held
    return [
        point.lab.number,
        point.lab.name,
        point.clients,
        held.greeted,
        point.memory,
        point.ideal,
        point.memory if point.clients == MEASURED else point.predicted,
        float(held.during.reserved),
        held.during.threads,
        held.added("cpu_s"),
        point.switches_each,
        held.idle_cpu_s,
    ]


def header_words() -> list[str]:
    """What the columns of the text chart are."""
    return ["lab", "clients", "greeted", "memory", "ideal", "threads"]


def text_rows(points: list[HeldPoint]) -> Iterable[list[str]]:
    """The chart for a terminal: a table."""
    for p in points:
        memory = [size(p.memory), size(p.ideal)]
        counts = [f"{p.clients}", f"{p.held.greeted}"]
        yield [p.lab.name, *counts, *memory, f"{p.held.during.threads}"]


def label(point: HeldPoint) -> str:
    """What stands at the end of a curve."""
    greeted = point.held.greeted
    if greeted == point.clients:
        return f"{size(point.each)} each; ideal {size(point.predicted_each)}"
    return f"{greeted} served; {point.clients - greeted} in line"


def held_caption(lasts: list[HeldPoint]) -> str:
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


def crowd_caption(point: HeldPoint) -> str:
    """What a thread for each client comes to."""
    reserved = point.clients * DEFAULT_STACK
    return (
        f"{point.lab.title} holds {point.clients} clients in {size(point.memory)}:"
        f" {size(point.each)} each, where theory says {size(point.predicted_each)}"
        f" ({size(TOUCHED)} of stack, {size(KERNEL_STACK)} of kernel stack, the page"
        f" tables). It reserves {size(point.held.during.reserved)} of addresses, and"
        f" with the default stack of {size(DEFAULT_STACK)} that would be"
        f" {size(reserved)}: addresses are no memory."
    )
