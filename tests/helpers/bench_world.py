"""A world without noise: what the bench would read if theory were exact.

`ideal(run)` makes the records and the trace of a run as a perfect first-come-first-served
server would; the tests then break them in one place and look for who notices.
"""

import dataclasses
import random

from tests.helpers.setting import ROOT

from bench.measure.kernel import COUNTERS, Snapshot
from bench.measure.labs import Lab
from bench.judge.predictions import fifo
from bench.measure.records import NS_PER_S, Client, Visit
from bench.measure.runs import Generator, Measured, Run, burst, duration_s

START = 1_000 * NS_PER_S
LATE_S = 20e-6
FLAGS = {
    1: {"port"},
    2: {"port", "max-clients"},
    3: {"port", "threads", "queue"},
    4: {"port", "threads", "queue", "backlog", "idle-timeout", "request-timeout"},
}
NAMES = {
    1: "lab1-sequential",
    2: "lab2-thread-per-client",
    3: "lab3-thread-pool",
    4: "lab4-timeouts-backlog",
}


def lab(number):
    """A lab by its number; no program stands behind it."""
    return Lab(number, NAMES[number], ROOT / NAMES[number], frozenset(FLAGS[number]))


def labs():
    """All four."""
    return [lab(number) for number in FLAGS]


def make_run(generators, number=1, **more):
    """A run of one lab."""
    return Run("test", "test", "scene", lab(number), generators, 1, 1.0, **more)


def quiet():
    """What the kernel counts on a machine where nothing else happens."""
    return Snapshot(dict.fromkeys(COUNTERS, 0), 0.1, 0.0, 10.0)


def arrivals(generator):
    """When the clients of a generator are to start, in seconds."""
    flags = generator.flags
    if generator.planned is not None and generator.mode != "probe":
        return [0.0] * generator.planned
    gaps = random.Random(int(flags.get("seed", 1)))
    moment, moments = 0.0, []
    while moment < duration_s(flags["duration"]):
        moments.append(moment)
        is_random = flags.get("arrivals") == "poisson"
        moment += gaps.expovariate(flags["rate"]) if is_random else 1 / flags["rate"]
    return moments


def service_s(flags, i):
    """How long client i keeps a clerk."""
    is_rare = "rare" in flags and i % 100 == 50
    say = flags["rare"] if is_rare else flags.get("head") if i == 0 else None
    verb, what = (say or flags["say"]).split()
    return 0.0 if verb == "echo" else int(what) / 1000


def ideal(run):
    """The run as theory would have it."""
    generator = run.generators[0]
    come = arrivals(generator)
    services = [service_s(generator.flags, i) for i in range(len(come))]
    clerks = run.lab.clerks(run.flags.get("threads", 1))
    ends = fifo(services, clerks, come)
    clients, visits = [], []
    for i, (at, service, end) in enumerate(zip(come, services, ends)):
        clients.append(client(i, at, end - service, end))
        visits.append(visit(clients[-1], end - service, end))
    return Measured(run, clients, visits, [], counted=quiet())


def stamp(seconds):
    """A moment of the run on the clock of the machine."""
    return START + round(seconds * NS_PER_S)


def client(i, at, begun, end, **more):
    """One record: connected at once, greeted when a clerk is free."""
    fields = {
        "i": i,
        "intended": stamp(at),
        "started": stamp(at + LATE_S),
        "connected": stamp(at + 2 * LATE_S),
        "sent": stamp(at + 2 * LATE_S),
        "first_byte": max(stamp(begun), stamp(at + 2 * LATE_S)),
        "done": stamp(end),
        "bytes": 30,
        "outcome": "ok",
        "errno": "",
        "phase": "done",
        "port": 20_000 + i,
        "syn_retransmits": 0,
    }
    return Client(**(fields | more))


def visit(of, begun, end):
    """The row of the trace that belongs to a client."""
    return Visit(of.port, stamp(begun), stamp(begun), stamp(end), 1, "served")


def change(made, **fields):
    """The same run with something else in it."""
    return dataclasses.replace(made, **fields)


def change_clients(made, chosen, **fields):
    """The same run with other fields in the chosen clients."""
    return change(
        made,
        clients=[
            dataclasses.replace(each, **fields) if chosen(each) else each
            for each in made.clients
        ],
    )


__all__ = [
    *("LATE_S", "START", "Generator", "Measured", "burst", "change", "change_clients"),
    *("client", "ideal", "lab", "labs", "make_run", "quiet", "stamp", "visit"),
]
