"""cost: clients who come and go, as in chapter 30 of Stevens' book."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from bench.experiments.cost_held import POOL, VISITS
from bench.experiments.experiment import Finding, labs_of
from bench.experiments.prices import ONE_BYTE, plan_few
from bench.experiments.prices_list import few_prices, of_scene
from bench.judge.prices import FREE, Price, Prices, price
from bench.judge.stamps import believed, hollow
from bench.measure.labs import Lab
from bench.measure import rig
from bench.measure.rig import Counted
from bench.measure.runs import Measured, Run
from bench.tell.charts import Chart, write_csv
from bench.tell.summary import table
from bench.tell.units import seconds

CONNECTIONS = 5000
BYTES = 4000
AT_ONCE = 10
REQUEST = "desk, 4000 bytes"  # as the price list has it
KEPT = {"kept-byte": ONE_BYTE, "kept-bytes": f"bytes {BYTES}"}  # by scene
KEPT_MS = 100


# ---- Prices of now: the machine's speed drifts ----


def plan_prices(lab: Lab, repeat: int) -> Iterator[Run]:
    """A few clients of a lab; once of lab 1, requests on connections that are kept."""
    yield plan_few(lab, repeat)
    if lab.clerks(POOL) == 1 and repeat == 1:
        for scene, say in KEPT.items():
            flags = {"requests": 0, "say": say, "duration": f"{KEPT_MS}ms"}
            generators = rig.sharing(1, flags)
            yield replace(plan_few(lab, repeat), scene=scene, generators=generators)


def prices_of(made: list[Measured]) -> Iterator[Price]:
    """What these runs have cost."""
    steady = [each for each in believed(made) if not each.failures]
    yield from few_prices(steady)
    usual, more = (
        [each.cpu_each_s for each in of_scene(steady, scene) if each.answered]
        for scene in KEPT
    )
    if usual and more:
        beyond = [each - median(usual) for each in more]
        yield price(f"{REQUEST}: CPU beyond one byte's", beyond)


# ---- Clients who come and go, as in Stevens' chapter 30 ----


@dataclass(frozen=True)
class Bill:
    """A lab, and so many connections, some at a time: the repeats."""

    lab: Lab
    repeats: list[Counted]
    left_out: list[Counted] = field(default_factory=list)
    prices: Prices = FREE

    @property
    def is_baseline(self) -> bool:
        """What lab 1 needs for them, which has no threads."""
        return self.lab.clerks(POOL) == 1

    @property
    def costs(self) -> list[float]:
        """For each repeat, CPU seconds for 5,000 connections."""
        return costs_of(self.repeats)

    @property
    def ideal(self) -> float:
        """CPU seconds for the conversations alone, as if the model were free."""
        return CONNECTIONS * self.prices.request(REQUEST) or math.nan

    @property
    def predicted(self) -> float:
        """The same with what this lab's model charges."""
        return CONNECTIONS * self.prices.visit(self.lab.name, REQUEST)

    @property
    def cost(self) -> float:
        """The median of the repeats."""
        return median(self.costs) if self.costs else math.nan


def make_bills(made: list[Measured], prices: Prices = FREE) -> list[Bill]:
    """One for each lab."""
    visits = [each for each in made if each.run.scene == VISITS]
    bills = []
    for lab in labs_of(visits):
        of_lab = [each for each in visits if each.run.lab == lab]
        bills.append(Bill(lab, believed(of_lab), hollow(of_lab), prices))
    return bills


def costs_of(visits: list[Counted]) -> list[float]:
    """For each run, CPU seconds for 5,000 connections."""
    return [CONNECTIONS * each.cpu_each_s for each in visits if each.answered]


def baseline_of(bills: list[Bill]) -> float:
    """What the same costs lab 1, which has no threads; NaN before that was measured."""
    return next((bill.cost for bill in bills if bill.is_baseline), math.nan)


def visit_findings(bills: list[Bill]) -> list[Finding]:
    """The baseline, and CPU seconds above it."""
    what = f"{CONNECTIONS} connections, {AT_ONCE} at a time: CPU"
    baseline = baseline_of(bills)
    return [
        Finding(
            bill.lab.name,
            what,
            bill.costs,
            bill.ideal,
            bill.predicted,
            remark="" if bill.is_baseline else f"{words(bill, baseline)} to lab 1's",
        )
        for bill in bills
    ]


def signed(value: float) -> str:
    """A difference of times for people."""
    if not math.isfinite(value):
        return "not known"
    return f"{'-' if value < 0 else '+'}{seconds(abs(value))}"


def visit_chart(bills: list[Bill], folder: Path) -> Chart:
    """Write what the chart is drawn from."""
    baseline = baseline_of(bills)
    header = "row,number,lab,baseline_s,cpu_s,end_s,ideal_s,predicted_s,name,words"
    rows = [bill_row(n, bill, baseline) for n, bill in enumerate(bills, 1)]
    write_csv(folder / "cost-visits.csv", header, rows)
    runs = [
        [n, bill.lab.number, cost, each.run.repeat, each.answered, is_left_out]
        for n, bill in enumerate(bills, 1)
        for is_left_out, visits in ((0, bill.repeats), (1, bill.left_out))
        for cost, each in zip(costs_of(visits), visits)
    ]
    header = "row,number,cpu_s,repeat,connections,left_out"
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
    end = max([baseline, *bill.costs, *filter(math.isfinite, [bill.predicted])])
    known = [baseline, bill.cost, end, bill.ideal, bill.predicted]
    lab = bill.lab
    return [row, lab.number, lab.name, *known, lab.title, words(bill, baseline)]


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
