"""capacity: how many of this machine serve a million clients? A worked example."""

import os
import resource
from dataclasses import replace
from pathlib import Path

from bench.experiments.charges import CORES
from bench.experiments.experiment import Conclusion, Experiment, Finding, Options
from bench.judge.capacity import KIB, Demand, Machine, worked_example
from bench.measure import rig
from bench.measure.labs import BACKLOG, Lab
from bench.measure.rig import Counted, Held
from bench.measure.runs import START_S, Generator, Measured, Run

MODEL = "coroutines"
CLIENTS, EACH_S = 1_000_000, 60
KEPT, HELD = "kept", "held"
USERS, CROWD, LASTS_MS = 64, 2000, 1000
MAX_DESCRIPTORS = 65536  # as common/descriptors.h
REPEATS = 3


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Two prices: CPU for a request on a kept connection, and memory for a client."""
    flags = {"speak": "http", "say": "/"}
    kept = flags | {"requests": 0, "duration": f"{LASTS_MS}ms"}
    held = flags | {"clients": CROWD, "rate": rig.ARRIVALS, "duration": "10s"}
    runs = []
    for model in options.models:
        if model.name != MODEL:
            continue
        first = Run(
            experiment="capacity",
            group="capacity",
            scene=KEPT,
            lab=model,
            generators=rig.sharing(USERS, kept),
            service=("http", str(rig.site())),
            repeat=1,
            is_counted=True,
            counts_others=True,
            expected_s=START_S + LASTS_MS / 1000,
        )
        for repeat in range(1, (options.repeats or REPEATS) + 1):
            runs.append(replace(first, repeat=repeat))
            runs.append(
                replace(
                    first,
                    repeat=repeat,
                    scene=HELD,
                    generators=(Generator("hold", held),),
                )
            )
    return runs


def machine() -> Machine:
    """This one."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return Machine(CORES, pages, min(most, MAX_DESCRIPTORS), BACKLOG)


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """The two prices, and the example that is computed from them."""
    costs = [each.cpu_each_s for each in made if isinstance(each, Counted)]
    sizes = [
        (each.added("resident") + each.added("tables")) / KIB
        for each in made
        if isinstance(each, Held)
    ]
    if not costs or not sizes:
        return Conclusion([], [], [])
    cpu = Finding(MODEL, "CPU for a request, kept alive", costs)
    size = Finding(MODEL, f"KiB for a client, of {CROWD} kept", sizes, unit="1")
    demand = Demand(CLIENTS, EACH_S, cpu.value, size.value * KIB)
    return Conclusion([cpu, size], worked_example(demand, machine()), [])


EXPERIMENT = Experiment(
    "capacity",
    "how many of this machine serve a million clients, and what ends first?",
    plan,
    conclude,
    is_on_request=True,
    is_apart=True,
)
