"""backlog: what became of a crowd before one backlog, and what the kernel promises."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from bench.experiments.charges import CORES, MACHINES_CORES
from bench.judge.estimates import percentile
from bench.judge.predictions import Admission, admitted, revival_times, syn_times
from bench.judge.prices import FREE, Prices
from bench.judge.stamps import believed
from bench.measure.kernel import sysctl
from bench.measure.records import Client, NS_PER_S, Visit, join
from bench.measure.runs import Measured
from bench.tell.units import seconds

CLIENTS = 100
SERVICE_MS = 5
# What the server holds: one at work, one in its queue, one in the hand of accept.
INSIDE = 3


@dataclass(frozen=True)
class Attempt:
    """What became of one client; seconds from the instant at which all came."""

    client: Client
    visit: Visit | None
    gave_up: float
    is_phantom: bool  # was connected, and the server knew nothing of it

    @property
    def connected(self) -> float:
        """When its connect() returned; NaN if it never did."""
        return self.since(self.client.connected)

    @property
    def begun(self) -> float:
        """When a clerk took it; NaN if none did in time."""
        is_served = self.client.outcome == "ok" and self.visit is not None
        return self.since(self.visit.begun) if is_served else math.nan

    @property
    def done(self) -> float:
        """When it had its answer, or gave up."""
        return self.gave_up if math.isnan(self.begun) else self.client.latency

    @property
    def waited_until(self) -> float:
        """When its wait was over, either way."""
        return self.gave_up if math.isnan(self.begun) else self.begun

    def since(self, stamp: int) -> float:
        """A stamp in seconds; NaN where it was not reached."""
        return (stamp - self.client.intended) / NS_PER_S if stamp else math.nan


@dataclass(frozen=True)
class BacklogRun:
    """One backlog."""

    backlog: int
    made: Measured
    linear: int  # the kernel's tcp_syn_linear_timeouts
    prices: Prices = FREE
    others: tuple[Measured, ...] = ()  # the other repeats

    @property
    def service(self) -> float:
        """S: how long a client keeps the clerk, here."""
        return self.prices.service("sleep", SERVICE_MS / 1000)

    @property
    def ideal(self) -> list[float]:
        """When each is done, by the kernel's schedule and the service time alone."""
        return self.schedule(SERVICE_MS / 1000)

    @property
    def predicted(self) -> list[float]:
        """The same with what this machine charges."""
        alone = self.prices.alone("sleep", self.made.run.lab.name)
        return [alone + end for end in self.schedule(self.service)]

    def schedule(self, service: float) -> list[float]:
        """When each is done: those with a place, a SYN's wait, then the line again."""
        patience = self.made.run.timeout_s
        admission = Admission(
            INSIDE,
            self.backlog,
            self.predicted_syns,
            revival_times(patience),
            is_beside=CORES > 1,
            is_beside_timers=MACHINES_CORES > 1,
        )
        return admitted(CLIENTS, service, admission, patience)

    def each(self, of: Callable[[list[float]], float]) -> list[float]:
        """A number of each repeat, from its latencies in order."""
        return [of(sorted(made.latencies)) for made in (self.made, *self.others)]

    @property
    def attempts(self) -> list[Attempt]:
        """All clients, in the order in which they were done."""
        return sorted(find_attempts(self.made, self.backlog), key=lambda p: p.done)

    @property
    def served(self) -> int:
        """How many had an answer in time."""
        return sum(client.outcome == "ok" for client in self.made.clients)

    @property
    def phantoms(self) -> int:
        """How many were connected while the server knew nothing of them."""
        return sum(attempt.is_phantom for attempt in self.attempts)

    @property
    def busy(self) -> float:
        """The share of time in which the clerk had work, until the last was done."""
        held = sum(v.held for v in self.made.visits if v.begun > 0)
        return min(1.0, held / max(attempt.done for attempt in self.attempts))

    @property
    def retransmits(self) -> int:
        """How many SYNs the clients sent again."""
        return sum(client.syn_retransmits for client in self.made.clients)

    @property
    def predicted_syns(self) -> list[float]:
        """When this kernel sends a SYN again."""
        return syn_times(self.linear, self.made.run.timeout_s)

    def connected_by(self, again: int) -> list[float]:
        """When each was connected who needed so many SYNs more than the first."""
        return [
            attempt.connected
            for attempt in self.attempts
            if attempt.client.syn_retransmits == again
            and not math.isnan(attempt.connected)
        ]

    @property
    def predicted_half(self) -> str:
        """When half of them are to be served, in words."""
        half = half_of(self.predicted)
        patience = seconds(self.made.run.timeout_s)
        return seconds(half) if math.isfinite(half) else f"> {patience}"

    @property
    def words(self) -> str:
        """What is seen."""
        slowest = percentile(self.made.latencies, 0.5, self.made.run.timeout_s)
        return (
            f"backlog {self.backlog}: {self.served} of {CLIENTS} served; half by {slowest}"
            f" (predicted {self.predicted_half}); clerk busy {self.busy:.0%}"
        )

    @property
    def counters(self) -> str:
        """What clients and kernel counted."""
        counted = self.made.counted.network
        return (
            f"{self.retransmits} SYNs again; {self.phantoms} phantoms;"
            f" {counted['ListenOverflows']} overflows"
        )


def half_of(ends: list[float]) -> float:
    """When half of a crowd is done."""
    return ends[CLIENTS // 2 - 1]


def served_of(ends: list[float]) -> float:
    """How many of a crowd are done in time."""
    return sum(map(math.isfinite, ends))


def find_attempts(made: Measured, backlog: int) -> list[Attempt]:
    """Each client, and whether the server knew of it when it was connected.

    The accept queue holds backlog + 1 (listen(2)). Whoever is connected while so
    many known ones wait is a phantom: established for itself, unknown to the server.
    """
    pairs = sorted(
        join(made.clients, made.visits), key=lambda pair: pair[0].connected or math.inf
    )
    attempts, queue = [], []
    for client, visit in pairs:
        accepted = visit.accepted if visit else math.inf
        queue = [other for other in queue if other > client.connected]
        is_phantom = client.connected > 0 and len(queue) > backlog
        if client.connected > 0 and not is_phantom:
            queue.append(accepted)
        attempts.append(Attempt(client, visit, made.run.timeout_s, is_phantom))
    return attempts


def make_panels(made: list[Measured], prices: Prices = FREE) -> list[BacklogRun]:
    """The repeat in the middle of each backlog, by how many were served."""
    linear = sysctl("ipv4/tcp_syn_linear_timeouts", 0)
    panels, made = [], believed(made)
    for backlog in sorted({each.run.flags["backlog"] for each in made}):
        runs = [each for each in made if each.run.flags["backlog"] == backlog]
        runs.sort(key=lambda each: each.failures.total())
        middle = runs.pop((len(runs) - 1) // 2)
        panels.append(BacklogRun(backlog, middle, linear, prices, tuple(runs)))
    return panels
