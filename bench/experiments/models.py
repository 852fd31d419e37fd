"""models: every model on one chart: what each costs, and how it bears a crowd."""

import math
import random
from dataclasses import replace
from collections.abc import Iterator
from pathlib import Path

from bench.experiments import prices
from bench.experiments.experiment import Conclusion, Experiment, Finding, Options
from bench.experiments.models_chart import (
    CONNECTIONS,
    COST,
    CROWD,
    POOL,
    SERVICE_MS,
    Cost,
    CrowdCurve,
    cheapest_of_many,
    make_cost_chart,
    make_costs,
    make_crowd_chart,
    make_curves,
)
from bench.judge.predictions import last_done
from bench.measure import rig
from bench.measure.labs import Lab
from bench.measure.runs import START_S, Measured, Run, burst

USERS = WORKERS = 10  # at a time
REQUEST, BYTES = "bytes 4000", 4000
EACH_S = 3e-4  # for one of a crowd that is served at once, about
LASTS_MS, QUICK_LASTS_MS = 1500, 400
REPEATS, QUICK_REPEATS = 5, 2
SIZES, QUICK_SIZES = (1, 10, 100, 1000, 10_000), (1, 100)
MAX_CLIENTS = {"fork": 1000}  # processes: more would take the bench's time
MAX_OF_A_POOL = 1000  # with more, the kernel's queue overflows: see backlog
UNABLE = ("events", "policies")  # one speaks echo only, the other is lab 3 in a line


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Only by itself: each repeat takes all servers, in a new order."""
    if not options.is_alone:
        return []
    shuffle = random.Random(f"models {options.seed}").shuffle
    able = [each for each in options.models if each.name not in UNABLE]
    servers = [*labs, *able]
    repeats = range(1, (options.repeats or repeats_of(options)) + 1)
    runs = [run for repeat in repeats for run in plan_prices(able, options, repeat)]
    shuffle(runs)
    for repeat in repeats:
        of_repeat = [plan_cost(lab, repeat, options) for lab in servers]
        of_repeat += [
            plan_crowd(lab, clients, repeat)
            for lab in servers
            for clients in (QUICK_SIZES if options.is_quick else SIZES)
            if clients <= most_of(lab)
        ]
        shuffle(of_repeat)
        runs += of_repeat
    return runs


def repeats_of(options: Options) -> int:
    """How often each run is made."""
    return QUICK_REPEATS if options.is_quick else REPEATS


def most_of(lab: Lab) -> int:
    """The largest crowd that this server is asked to bear."""
    if math.isinf(lab.clerks(POOL)):
        return MAX_CLIENTS.get(lab.name, SIZES[-1])
    return MAX_OF_A_POOL


def plan_prices(models: list[Lab], options: Options, repeat: int) -> Iterator[Run]:
    """What the price list has for each lab, for the models: apart, and before."""
    for model in models:
        runs = prices.plan_alone(model, prices.ALONE_EACH, repeat)
        yield from (run for run in runs if run.scene == "alone-sleep")
    endless = [each for each in models if math.isinf(each.clerks(POOL))]
    without_null = replace(options, null=None)
    yield from prices.plan_crowds(endless, without_null, repeat)
    yield from prices.plan_waiting(endless, repeat)


def plan_cost(lab: Lab, repeat: int, options: Options) -> Run:
    """Connection after connection, ten at a time, for a while."""
    lasts_ms = QUICK_LASTS_MS if options.is_quick else LASTS_MS
    flags = {"requests": 1, "say": REQUEST, "duration": f"{lasts_ms}ms"}
    return Run(
        experiment="models",
        group=f"models, repeat {repeat}",
        scene=COST,
        lab=lab,
        generators=rig.sharing(USERS, flags),
        flags={"threads": WORKERS},
        repeat=repeat,
        is_counted=True,
        expected_s=START_S + lasts_ms / 1000,
    )


def plan_crowd(lab: Lab, clients: int, repeat: int) -> Run:
    """All clients at one instant; each needs a worker for a moment."""
    takes = last_done(clients, SERVICE_MS / 1000, lab.clerks(POOL), math.inf)
    return Run(
        experiment="models",
        group=f"models, repeat {repeat}",
        scene=CROWD,
        lab=lab,
        generators=burst(clients, f"sleep {SERVICE_MS}"),
        flags={"threads": POOL},
        repeat=repeat,
        is_counted=True,
        expected_s=START_S + max(takes, clients * EACH_S),
        effect_s=takes,
    )


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """Two charts: Stevens' table today, and a panel for each model under crowds."""
    costs = make_costs([each for each in made if each.run.scene == COST])
    crowds = [each for each in made if each.run.scene == CROWD]
    curves = make_curves(crowds, options.prices)
    charts = [make_cost_chart(costs, folder)] if costs else []
    charts += [make_crowd_chart(curves, folder)] if curves else []
    findings = [cost_finding(cost) for cost in costs]
    findings += [crowd_finding(curve) for curve in curves]
    return Conclusion(findings, notes(costs), charts)


def cost_finding(cost: Cost) -> Finding:
    """CPU seconds for Stevens' 5,000 connections."""
    return Finding(
        cost.lab.name, f"CPU for {CONNECTIONS} connections, above lab 1", cost.above
    )


def crowd_finding(curve: CrowdCurve) -> Finding:
    """The largest crowd that it was asked to bear."""
    most = max(curve.lasts)
    return Finding(
        curve.lab.name,
        f"crowd: last of {most} done",
        curve.lasts[most],
        curve.ideal(most),
        curve.predicted(most),
    )


def notes(costs: list[Cost]) -> list[str]:
    """How the numbers came about, and which model is cheapest."""
    lines = [
        f"Stevens (UNIX Network Programming 1, chapter 30) let {CONNECTIONS} clients come,"
        f" {USERS} at a time, send 5 bytes and take {BYTES}, and subtracted the CPU time of"
        " the sequential server. Here the request is 'bytes 4000', the greeting is on top,"
        " and the CPU time is the whole server's, dead children included, scaled to"
        f" {CONNECTIONS}.",
        "His order, from the dearest: a process forked for each client; processes that are"
        " handed connections by a parent; processes or threads that accept themselves; and"
        " cheapest a thread for each client. His seconds are not printed: no copy of his"
        " table could be opened to confirm them.",
    ]
    if costs:
        best = cheapest_of_many(costs)
        switches = ", ".join(f"{e.lab.name} {e.switches:.1f}" for e in costs)
        lines.append(
            "The sequential server is the zero of this table, and serves one at a time."
            f" Of those that serve several, the cheapest here is {best.lab.name}, with"
            f" {best.value:.3f} s above it. Why: what the others pay for is processes and"
            " threads made and ended, and switches from one to another. Context switches"
            f" for a connection, as the kernel counted: {switches}."
        )
    return lines


EXPERIMENT = Experiment(
    "models",
    "what does each model cost for a connection, and how does it bear a crowd?",
    plan,
    conclude,
)
