"""prices: what this machine charges, measured before all that it is used to predict."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.experiments.charges import CORES, NULL
from bench.experiments.experiment import Conclusion, Experiment, Options
from bench.experiments.prices_list import (
    ALONE,
    ASKING,
    CROWDS,
    LINE_OF_TEN,
    LINE_OF_TWO,
    LINES,
    PAIR,
    POOL,
    REQUESTS,
    SITE,
    WAITING,
    WAITING_MS,
    request_scene,
)
from bench.measure import rig
from bench.judge.prices import CROWD, Price, Prices, price
from bench.measure.labs import Lab
from bench.measure.switches import measure_slice, measure_switches
from bench.measure.runs import START_S, Generator, Measured, Run, burst
from bench.tell.charts import write_csv
from bench.tell.summary import table
from bench.tell.units import words

REPEATS, SHORT_REPEATS, QUICK_REPEATS = 5, 3, 2
ONE_BYTE = "bytes 1"  # so a new thread touches as much of its stack as for many
FEW, FEW_MS = 10, 100  # clients who come and go, and for how long
ALONE_EACH = 2  # clients alone in each repeat
SHARED_LINES = ((LINE_OF_TWO, PAIR, 100), (LINE_OF_TEN, POOL, 1000))
CROWDED = ("line-sleep-1", "line-burn-1", LINE_OF_TEN)  # what crowds pay, and crowds
TWICE = 2  # where little is waited for, and much depends on it
SLICES = 3  # measurements of one
IDLE_RATE, IDLE_MS = 400, 200
GROUP = "prices: what this machine charges"


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Each repeat takes all prices in a new order."""
    shuffle = random.Random(f"prices {options.seed}").shuffle
    repeats = QUICK_REPEATS if options.is_quick else SHORT_REPEATS
    repeats = options.repeats or (REPEATS if options.is_alone else repeats)
    runs = []
    for repeat in range(1, repeats + 1):
        of_repeat = [*plan_lines(labs, repeat), *plan_crowds(labs, options, repeat)]
        of_repeat += [
            *plan_waiting(labs, repeat),
            *plan_requests(labs, options, repeat),
        ]
        for lab in labs:
            of_repeat += plan_alone(lab, ALONE_EACH, repeat)
            of_repeat += [plan_few(lab, repeat)] * options.is_alone
        if options.null:
            of_repeat.append(plan_idle(options.null, repeat))
        shuffle(of_repeat)
        runs += of_repeat
    return runs


def plan_lines(labs: list[Lab], repeat: int) -> Iterator[Run]:
    """A line before one worker, for each kind of work, short and long."""
    for lab in [each for each in labs if each.clerks(POOL) == 1][:1]:
        for work, lines in LINES.items():
            for ms, clients in lines.items():
                scene = f"line-{work}-{ms}"
                takes = clients * ms / 1000
                yield plan_run(lab, scene, clients, f"{work} {ms}", repeat, takes)
    for lab in [each for each in labs if each.has_pool][:1]:
        for scene, threads, clients in SHARED_LINES:
            takes = clients * 0.001 / threads
            run = plan_run(lab, scene, clients, "sleep 1", repeat, takes)
            yield replace(run, flags={"threads": threads})


def plan_requests(labs: list[Lab], options: Options, repeat: int) -> Iterator[Run]:
    """A line of clients before one worker, each with one short request.

    Where all experiments are made, only those that one of them needs.
    """
    for lab in [each for each in labs if each.clerks(POOL) == 1][:1]:
        for name, (service, say) in REQUESTS.items():
            if SITE in service and not options.is_alone:
                continue
            run = plan_run(lab, request_scene(name), ASKING, say, repeat, ASKING * 1e-4)
            words = [str(rig.site()) if each == SITE else each for each in service]
            yield replace(run, service=tuple(words))


def plan_few(lab: Lab, repeat: int) -> Run:
    """A few clients at a time, each with a connection of its own, as many as can come."""
    flags = {"requests": 1, "say": ONE_BYTE, "duration": f"{FEW_MS}ms"}
    run = plan_run(lab, "few", FEW, ONE_BYTE, repeat, FEW_MS / 1000)
    generators = rig.sharing(FEW, flags)
    is_so = {"is_counted": True, "counts_others": True}
    return replace(run, generators=generators, flags={"threads": FEW}, **is_so)


def plan_alone(lab: Lab, each: int, repeat: int) -> Iterator[Run]:
    """Clients who meet an idle server."""
    for work, ms in ALONE.items():
        for number in range(each * (repeat - 1) + 1, each * repeat + 1):
            yield plan_run(lab, f"alone-{work}", 1, f"{work} {ms}", number, ms / 1000)


def plan_idle(null: Lab, repeat: int) -> Run:
    """Clients who come one after the other to a server that has nothing to do."""
    flags = {"rate": IDLE_RATE, "duration": f"{IDLE_MS}ms", "say": "echo hello"}
    return Run(
        experiment="prices",
        group=GROUP,
        scene="idle",
        lab=null,
        generators=(Generator("rate", flags),),
        repeat=repeat,
        expected_s=START_S + IDLE_MS / 1000,
        effect_s=0.1,
    )


def plan_crowds(labs: list[Lab], options: Options, repeat: int) -> Iterator[Run]:
    """Crowds who ask for no work: what is left is the machine's."""
    for lab in [*labs, *filter(None, [options.null])]:
        for clients in CROWDS:
            takes = clients * 1e-4
            yield plan_run(lab, "crowd", clients, "echo hello", repeat, takes)


def plan_waiting(labs: list[Lab], repeat: int) -> Iterator[Run]:
    """Crowds whose clients all wait side by side; the largest every other time."""
    for lab in labs:
        for clients in WAITING if repeat % 2 else WAITING[:-1]:
            if lab.clerks(POOL) >= clients:
                takes, say = WAITING_MS / 1000 + clients * 2e-4, f"sleep {WAITING_MS}"
                yield plan_run(lab, "crowd-waits", clients, say, repeat, takes)


def plan_again(labs: list[Lab], options: Options, repeat: int) -> Iterator[Run]:
    """What crowds pay once more, for an experiment with crowds: a machine's speed drifts."""
    yield from (r for r in plan_lines(labs, repeat) if r.scene in CROWDED)
    yield from plan_crowds(labs, options, repeat)
    for number in range(TWICE * (repeat - 1) + 1, TWICE * repeat + 1):
        yield from plan_waiting(labs, number)
    for lab in labs:
        yield from plan_alone(lab, TWICE, repeat)


def plan_run(
    lab: Lab, scene: str, clients: int, say: str, repeat: int, takes: float
) -> Run:
    """One burst on a fresh server."""
    return Run(
        experiment="prices",
        group=GROUP,
        scene=scene,
        lab=lab,
        generators=burst(clients, say),
        flags={"threads": POOL},
        repeat=repeat,
        expected_s=START_S + takes,
        effect_s=takes,
    )


# ---- What needs no run ----


def kernel_prices() -> Iterator[Price]:
    """What the kernel charges for letting another thread run."""
    yield price("context switch", measure_switches(is_apart=False))
    if CORES > 1:
        yield price("wake-up of another core", measure_switches(is_apart=True))
    yield price("time slice", [measure_slice() for _ in range(SLICES)])


# ---- The list for people ----


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """The list as a CSV and as lines."""
    rows = [
        [each.what, each.server, each.at, each.value, each.low, each.high, each.unit]
        for each in options.prices.listed
    ]
    write_csv(folder / "prices.csv", "what,server,at,value,low,high,unit", rows)
    return Conclusion([], price_lines(options.prices), [])


def derived(prices: Prices) -> Iterator[tuple[str, float]]:
    """Prices that a person asks for, made of two that were measured."""
    many = CROWDS[-1]
    curves = {
        each.server: prices.crowd(many, each.server) / (many - 1)
        for each in prices.listed
        if each.what == CROWD and each.at == many
    }
    if NULL in curves:
        yield "one more client in a crowd: connect and accept", curves[NULL]
        for server, each in curves.items():
            if server != NULL:
                yield f"and besides, with {server}", each - curves[NULL]


def price_lines(prices: Prices) -> list[str]:
    """The list as a table."""
    if not prices.listed:
        return ["No prices: nothing was measured."]
    rows = [
        [
            each.name,
            words(each.value, each.unit),
            f"[{words(each.low, each.unit)} to {words(each.high, each.unit)}]",
        ]
        for each in prices.listed
    ]
    rows += [[name, words(value, "s"), ""] for name, value in derived(prices)]
    return ["This machine's price list:", *table(rows)]


EXPERIMENT = Experiment("prices", "what does this machine charge?", plan, conclude)
