"""models: the two charts, and what they are drawn from."""

import math
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from bench.experiments.charges import Charges
from bench.judge.predictions import last_done
from bench.judge.prices import FREE, Prices
from bench.judge.stamps import believed
from bench.experiments.experiment import labs_of
from bench.measure.labs import Lab
from bench.measure.rig import Counted
from bench.measure.runs import Measured
from bench.tell.charts import Chart, write_csv
from bench.tell.summary import table
from bench.tell.textcharts import log_log
from bench.tell.units import seconds

COST, CROWD = "cost", "crowd"
CONNECTIONS = 5000
POOL = 4  # workers, for crowds
DEALT, DEALS = ("reuseport",), 200  # a line for each worker, by lot; lots to average
SERVICE_MS = 2
LISTED = 1000  # clients: the largest crowd on the price list


@dataclass(frozen=True)
class Cost:
    """What connections cost a server, repeat by repeat, beside the sequential one."""

    lab: Lab
    above: list[float]  # CPU seconds for all CONNECTIONS
    rates: list[float]
    switches: float = math.nan  # of context, for a connection

    @property
    def value(self) -> float:
        """The median of the repeats."""
        return median(self.above)


@dataclass(frozen=True)
class CrowdCurve:
    """When the last of a crowd is done: by size, for each repeat."""

    lab: Lab
    lasts: dict[int, list[float]]
    prices: Prices = FREE

    @property
    def medians(self) -> list[tuple[float, float]]:
        """Size, and seconds."""
        return [(size, median(lasts)) for size, lasts in sorted(self.lasts.items())]

    def ideal(self, clients: int) -> float:
        """What the service time alone says."""
        return last_done(clients, SERVICE_MS / 1000, self.lab.clerks(POOL), math.inf)

    def predicted(self, clients: int) -> float:
        """The same with what this machine charges, as in crowd.

        The crowd's price is listed up to LISTED, and grows with each client. Where
        clients are dealt to lines by lot, the last is done in the fullest.
        """
        charges = Charges(self.lab, POOL, self.prices)
        asked = [SERVICE_MS / 1000] * min(clients, LISTED)
        last = charges.waiting(asked)[-1]
        if self.lab.name in DEALT:
            more = fullest(clients, POOL) - math.ceil(clients / POOL)
            last += more * self.prices.service("sleep", asked[0])
        return last + charges.crowd(LISTED) * (clients - len(asked)) / LISTED


def fullest(clients: int, lines: int) -> float:
    """How many stand in the fullest of some lines, on average, if they are dealt by lot."""
    lots = random.Random(clients)
    dealt = ([lots.randrange(lines) for _ in range(clients)] for _ in range(DEALS))
    return fmean(max(Counter(each).values()) for each in dealt)


def cpu_for_all(made: Counted) -> float:
    """CPU seconds of the server and of all its children, for CONNECTIONS."""
    used = made.server.ru_utime + made.server.ru_stime
    return used / made.answered * CONNECTIONS if made.answered else math.inf


def switches_of(made: Counted) -> float:
    """Context switches of the server and of all its children, for a connection."""
    return (made.server.ru_nvcsw + made.server.ru_nivcsw) / made.answered


def make_costs(made: list[Counted]) -> list[Cost]:
    """The servers, cheapest first; each run beside lab 1's of the same repeat."""
    usable = [each for each in believed(made) if each.answered]
    base = {
        each.run.repeat: cpu_for_all(each)
        for each in usable
        if each.run.lab.number == 1
    }
    costs = []
    for lab in labs_of(usable):
        runs = [e for e in usable if e.run.lab == lab and e.run.repeat in base]
        above = [cpu_for_all(each) - base[each.run.repeat] for each in runs]
        if above:
            rates = [each.rate for each in runs]
            costs.append(Cost(lab, above, rates, median(map(switches_of, runs))))
    return sorted(costs, key=lambda cost: cost.value)


def cheapest_of_many(costs: list[Cost]) -> Cost:
    """The cheapest that serves several at once: the sequential server is the zero."""
    several = [cost for cost in costs if cost.lab.number != 1]
    return several[0] if several else costs[0]


def make_curves(made: list[Measured], prices: Prices) -> list[CrowdCurve]:
    """A curve for each server."""
    curves = []
    for lab in labs_of(made):
        lasts: dict[int, list[float]] = {}
        for each in believed(made):
            if each.run.lab == lab:
                lasts.setdefault(each.run.clients, []).append(max(each.latencies))
        if lasts:
            curves.append(CrowdCurve(lab, lasts, prices))
    return curves


def make_cost_chart(costs: list[Cost], folder: Path) -> Chart:
    """A bar for each server."""
    rows = [
        [
            row,
            cost.lab.number,
            cost.lab.title,
            cost.value,
            min(cost.above),
            max(cost.above),
            f"{cost.value:.3f} s  ({median(cost.rates):.0f}/s; {cost.switches:.1f} switches)",
        ]
        for row, cost in enumerate(costs, 1)
    ]
    header = "row,number,name,above_s,least_s,most_s,words"
    write_csv(folder / "models-cost.csv", header, rows)
    title = f"CPU for {CONNECTIONS} connections, above that of the sequential server"
    text = "\n".join([title, *table([[str(r[2]), r[6]] for r in rows])])
    best, worst = cheapest_of_many(costs), costs[-1]
    caption = (
        f"From {best.value:.3f} s ({best.lab.name}) to {worst.value:.3f} s"
        f" ({worst.lab.name}) of CPU on top of the sequential server's, with"
        f" {best.switches:.1f} and {worst.switches:.1f} context switches for a connection."
    )
    return Chart("models-cost", "models", title, text, caption=caption, scenes=(COST,))


def make_crowd_chart(curves: list[CrowdCurve], folder: Path) -> Chart:
    """A panel for each server, all on the same axes."""
    rows = [
        [
            panel,
            curve.lab.number,
            curve.lab.title,
            size,
            last,
            min(curve.lasts[size]),
            max(curve.lasts[size]),
            curve.ideal(size),
            curve.predicted(size),
        ]
        for panel, curve in enumerate(curves)
        for size, last in curve.medians
    ]
    header = "panel,number,name,clients,last_s,least_s,most_s,ideal_s,predicted_s"
    write_csv(folder / "models-crowd.csv", header, rows)
    title = f"A crowd at one instant, {SERVICE_MS} ms of waiting each: the last is done"
    most = [curve for curve in curves if max(curve.lasts) == max(map(largest, curves))]
    fastest = min(most, key=lambda curve: curve.medians[-1][1])
    caption = (
        f"The last of {largest(fastest)} is done after"
        f" {seconds(fastest.medians[-1][1])} by {fastest.lab.name}; predicted"
        f" {seconds(fastest.predicted(largest(fastest)))}."
    )
    text = log_log(title, {curve.lab.name: curve.medians for curve in curves})
    return Chart(
        "models-crowd", "models-crowd", title, text, caption=caption, scenes=(CROWD,)
    )


def largest(curve: CrowdCurve) -> int:
    """The largest crowd of a curve."""
    return max(curve.lasts)
