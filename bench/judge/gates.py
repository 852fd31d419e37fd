"""Gates: may a run be believed? Each compares one number with a limit.

What follows from a gate that a run fails stands in stamps.py.
"""

import dataclasses
import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from bench.judge.estimates import rank_of

from bench.measure.kernel import TICKS_PER_S
from bench.measure.records import Client, NS_PER_S
from bench.measure.runs import Generator, Measured, duration_s
from bench.tell.units import seconds

LATE_S, LATE_SHARE = 1e-3, 0.01  # whichever is more; the share is of the median
BURST_PACE_S = 50e-6  # a burst cannot start faster than connect() takes
GENERATOR_SHARE = 0.8  # of one core: it has only one thread
SHORTEST_S = 0.1  # of a run whose generator's share of a core means anything
LAW_OFF = 0.01
TAKEN_SHARE, COUNTED_SHARE = 0.10, 0.33  # of all CPU time
UNSURE_S = len(os.sched_getaffinity(0)) / TICKS_PER_S  # a tick of each core
NEAR_FLOOR = 3  # less than so many times the null server's is no result of a server
UNTIMED = "hold"  # its clients only stay: what they cost is read when all are in place
LOST = ("open", "cut", "client-fault")


@dataclass(frozen=True)
class Gate:
    """One question to a run: the number that answers it, and the most it may be."""

    name: str
    measure: Callable[[Measured], float]
    limit: Callable[[Measured], float]
    write: Callable[[float], str]


@dataclass(frozen=True)
class Fault:
    """A gate that a run failed."""

    gate: str
    words: str

    def __str__(self) -> str:
        return f"{self.gate}: {self.words}"


# ---- Lateness of sends ----


def lateness(made: Measured) -> float:
    """How late the generator started its clients: of 100 at most one was later."""
    late = sorted(
        max(0.0, client.lateness - allowed)
        for generator, clients in generators_of(made)
        if generator.mode != UNTIMED and not is_saturating(generator)
        for client, allowed in zip(clients, allowances(clients))
    )
    return late[rank_of(0.99, len(late)) - 1] if late else 0.0


def allowances(clients: list[Client]) -> list[float]:
    """How late each may start because others, who come at the same instant, are before it."""
    ranks: Counter[int] = Counter()
    allowed = []
    for client in clients:
        allowed.append(BURST_PACE_S * ranks[client.intended])
        ranks[client.intended] += 1
    return allowed


def is_saturating(generator: Generator) -> bool:
    """Do its users ask again at once, so that the machine is full on purpose?"""
    thinks = duration_s(generator.flags.get("think", "0s")) > 0
    return generator.mode == "closed" and not thinks


def lateness_limit(made: Measured) -> float:
    """1 ms, or a hundredth of what the chart shows, or of what a client lived through.

    Of 100 clients one is later: to a mean that adds a hundredth of its lateness. Where
    a run is to fill the machine, the generator waits for a core as the server does, and
    its clients' times count from the intended start: no lateness is too much.
    """
    if made.run.fills_machine:
        return math.inf
    answered = [client.latency for client in made.clients if client.outcome == "ok"]
    if made.run.shows_mean and answered:
        return max(LATE_S, fmean(answered))
    shown = max(made.run.effect_s, median(answered) if answered else 0)
    return max(LATE_S, LATE_SHARE * shown)


def generators_of(made: Measured) -> list[tuple]:
    """Each generator with its records."""
    first, *rest = made.run.generators
    return [(first, made.clients)] + [(each, made.others[each.name]) for each in rest]


# ---- The generator's CPU ----


def generator_share(made: Measured) -> float:
    """The share of a core that the busiest generator had; 0 for very short runs."""
    shares = [
        made.generator_cpu_s.get(generator.name, 0) / span_s(clients)
        for generator, clients in generators_of(made)
        if generator.mode != UNTIMED and span_s(clients) >= SHORTEST_S
    ]
    return max(shares, default=0.0)


def span_s(clients: list[Client]) -> float:
    """From the first intended start to the last that was seen of anybody."""
    if not clients:
        return 0.0
    first = min(client.intended for client in clients)
    return (max(client.last_seen for client in clients) - first) / NS_PER_S


# ---- Little's law ----


def law_off(made: Measured) -> float:
    """By which share L = X * W fails, from two logs that know nothing of each other.

    L, the average number of clients in the system, and W, their mean latency,
    are the generator's; X, the throughput, is the server's. Where connections
    are kept, so that the server counts them and not requests, L is the number
    of users, and X and W are the generator's.
    """
    answered = [client for client in made.clients if client.outcome == "ok"]
    if not answered:
        return 0.0
    if made.run.generators[0].mode == "closed":
        return users_off(made, answered)
    if not made.visits or made.run.generators[0].mode in ("hold", "slow"):
        return 0.0
    span = span_s(answered)
    throughput = count_served(made) / span
    law = throughput * fmean(client.latency for client in answered)
    return abs(law / average_in_flight(answered) - 1)


def count_served(made: Measured) -> int:
    """How many visits the server knows, but for those of other generators and failures."""
    others = {client.port for each in made.others.values() for client in each}
    failed = {client.port for client in made.clients if client.outcome != "ok"}
    answered = {client.port for client in made.clients if client.outcome == "ok"}
    elsewhere = (others | failed) - answered
    return sum(visit.port not in elsewhere for visit in made.visits)


def average_in_flight(clients: list[Client]) -> float:
    """How many clients were in the system on average, counted as they come and go."""
    steps = sorted(
        step for client in clients for step in ((client.intended, 1), (client.done, -1))
    )
    area, present, latest = 0, 0, steps[0][0]
    for moment, change in steps:
        area += present * (moment - latest)
        present += change
        latest = moment
    return area / (latest - steps[0][0])


def users_off(made: Measured, answered: list[Client]) -> float:
    """By which share N = X * (W + Z) fails for N users who think for Z.

    Not where users leave between two requests: for how long nobody has written down.
    """
    flags = made.run.generators[0].flags
    if flags.get("requests", 1) != 0:
        return 0.0
    users = int(flags.get("clients", 20))
    engaged = sum(client.latency for client in answered) / span_s(answered)
    think = think_s(made) * len(answered) / span_s(answered)
    edge = (fmean(client.latency for client in answered) + think_s(made)) * users
    slack = edge / span_s(answered)  # at the end, a user whose time is up asks no more
    return max(0.0, abs(engaged + think - users) - slack) / users


def think_s(made: Measured) -> float:
    """How long users think between two requests."""
    return duration_s(made.run.generators[0].flags.get("think", "0s"))


# ---- Lost records ----


def lost(made: Measured) -> float:
    """How many attempts have no record, no outcome, or a fault of this machine's."""
    missing = sum(
        max(0, generator.planned - len(clients))
        for generator, clients in generators_of(made)
        if generator.planned is not None
    )
    unclear = sum(
        client.outcome in LOST
        for _, clients in generators_of(made)
        for client in clients
    )
    return missing + unclear + len(strangers(made))


def strangers(made: Measured) -> set[int]:
    """Ports that only one side knows: of answered clients, or of visits."""
    if not made.visits:
        return set()
    records = [client for _, clients in generators_of(made) for client in clients]
    known = {client.port for client in records}
    answered = {client.port for client in made.clients if client.outcome == "ok"}
    visited = {visit.port for visit in made.visits}
    return (visited - known) | (answered - visited)


# ---- CPU time that others had ----


def taken_share(made: Measured) -> float:
    """The share of all CPU time that others had and that the bench may have missed.

    What others use does no harm as long as as much again is left idle. What a
    hypervisor gives away is missed in any case.
    """
    if made.counted is None or made.counted.total_s <= 0:
        return 0.0
    counted = made.counted
    idle = counted.total_s - counted.busy_s - counted.stolen_s
    others = max(0.0, others_s(made) - UNSURE_S)
    return (max(0.0, others - idle) + counted.stolen_s) / counted.total_s


def others_s(made: Measured) -> float:
    """CPU time of all programs that are not the bench's, as far as the kernel counts.

    It may be a little less than nothing: idle time is counted in whole ticks.
    """
    server = made.server.ru_utime + made.server.ru_stime if made.server else 0.0
    own = server + sum(made.generator_cpu_s.values()) + made.counted.own_s
    return made.counted.busy_s - own


def cpu_left(made: Sequence[Measured]) -> float:
    """The share of all CPU time that others left to the bench, over these runs.

    Only what cannot be an error of counting is taken for others': on a quiet machine
    that is nothing, and a prediction knows of nothing but prices.
    """
    counted = [each for each in made if each.counted and each.counted.total_s > 0]
    total = sum(each.counted.total_s for each in counted)
    if not total:
        return 1.0
    unsure = UNSURE_S * math.sqrt(len(counted))  # errors of either sign, one a run
    others = max(0.0, sum(map(others_s, counted)) - unsure)
    return 1 - (others + sum(each.counted.stolen_s for each in counted)) / total


def taken_limit(made: Measured) -> float:
    """A tenth; a third where the prediction is for what others left."""
    return COUNTED_SHARE if made.run.counts_others else TAKEN_SHARE


# ---- All of them ----


def percent(share: float) -> str:
    """A share as people write it."""
    return f"{share:.1%}"


def constant(value: float) -> Callable[[Measured], float]:
    """A limit that is the same for every run."""
    return lambda made: value


GATES = (
    Gate("sends late", lateness, lateness_limit, seconds),
    Gate("generator busy", generator_share, constant(GENERATOR_SHARE), percent),
    Gate("Little's law off", law_off, constant(LAW_OFF), percent),
    Gate("records lost", lost, constant(0), "{:.0f}".format),
    Gate("CPU taken by others", taken_share, taken_limit, percent),
)


def gauge(made: Measured) -> dict[str, tuple[float, float]]:
    """For each gate the number and its limit, measured while the records were there."""
    return made.gauged or {
        gate.name: (gate.measure(made), gate.limit(made)) for gate in GATES
    }


def judge(made: Measured) -> Measured:
    """The same run with all its faults."""
    faults, gauged = [], gauge(made)
    for gate in GATES:
        value, limit = gauged[gate.name]
        if not value <= limit:
            words = f"{gate.write(value)}, at most {gate.write(limit)} is allowed"
            faults.append(Fault(gate.name, words))
    return dataclasses.replace(made, faults=tuple(faults))


def is_near_floor(value: float, floor: float) -> bool:
    """Is a result too near to what the null server reaches to be a server's own?"""
    return value < NEAR_FLOOR * floor
