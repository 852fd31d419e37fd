"""cost: what a client costs the server, who stays for long or comes for a moment."""

import random
from dataclasses import replace
from pathlib import Path

from bench.experiments.cost_held import (
    HELD,
    KERNEL_STACK,
    MEASURED,
    POOL,
    VISITS,
    held_chart,
    held_findings,
    is_crowd,
    make_points,
    size,
)
from bench.experiments.cost_visits import (
    AT_ONCE,
    BYTES,
    CONNECTIONS,
    make_bills,
    plan_prices,
    prices_of,
    visit_chart,
    visit_findings,
)
from bench.experiments.experiment import Conclusion, Experiment, Options
from bench.measure import rig
from bench.measure.labs import Lab
from bench.measure.runs import Generator, Measured, Run, START_S

COUNTS = (1, 10, 100, 1000, 10_000)
LINE_COUNTS = (1, 100, 10_000)  # for labs where most clients stand in line
QUICK_COUNTS = (1, MEASURED, 1000)
KERNEL_COUNTS = (1, 100, 1000)  # lab 1: the line is the kernel's, and no longer
PATIENCE_MS = 200  # of those who cannot be greeted, for all workers are taken
REPEATS, QUICK_REPEATS = 5, 1
LASTS_S = 0.15


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Clients who stay, few to many; then clients who come and go, in any order."""
    shuffle = random.Random(f"cost {options.seed}").shuffle
    runs = [plan_held(lab, n) for lab in labs for n in counts_for(lab, options)]
    repeats = options.repeats or (QUICK_REPEATS if options.is_quick else REPEATS)
    for repeat in range(1, repeats + 1):
        shuffled = list(labs)
        shuffle(shuffled)
        for lab in shuffled:  # each beside its price: a machine's speed drifts
            visits = plan_visits(lab, repeat)
            more = {"experiment": "cost", "group": visits.group}
            runs += [replace(each, **more) for each in plan_prices(lab, repeat)]
            runs.append(visits)
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
        is_counted=True,
        counts_others=True,  # a CPU clock and memory know nothing of others
    )


def plan_visits(lab: Lab, repeat: int) -> Run:
    """One connection after the other, so many at a time."""
    flags = {"requests": 1, "say": f"bytes {BYTES}"}
    flags["duration"] = f"{LASTS_S * 1000:.0f}ms"
    return Run(
        experiment="cost",
        group="cost, clients who come and go",
        scene=VISITS,
        lab=lab,
        generators=rig.sharing(AT_ONCE, flags),
        flags={"threads": AT_ONCE},
        repeat=repeat,
        expected_s=START_S + LASTS_S + 0.05,
        is_counted=True,
        counts_others=True,
    )


# ---- The experiment ----


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """A chart for clients who stay, and one for those who come and go."""
    prices = options.prices.renewed([*prices_of(made)])
    points, bills = make_points(made), make_bills(made, prices)
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
)
