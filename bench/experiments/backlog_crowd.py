"""backlog: what became of a crowd before one backlog, and what the kernel promises."""

import math
from dataclasses import dataclass
from statistics import median

from bench.experiments.experiment import share_off
from bench.judge.estimates import percentile
from bench.judge.predictions import syn_times
from bench.measure.kernel import sysctl
from bench.measure.records import Client, NS_PER_S, Visit, join
from bench.measure.runs import Measured
from bench.tell.textcharts import seconds

CLIENTS = 100
SERVICE_MS = 5
NOMINAL_S = 5.2e-3


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
    service: float
    linear: int  # the kernel's tcp_syn_linear_timeouts

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

    def syn_errors(self) -> list[float]:
        """For each client that needed j SYNs more: by how much t_j was missed."""
        times = self.predicted_syns
        return [
            share_off(attempt.connected, times[attempt.client.syn_retransmits - 1])
            for attempt in self.attempts
            if 0 < attempt.client.syn_retransmits <= len(times)
            and not math.isnan(attempt.connected)
        ]

    @property
    def words(self) -> str:
        """What is seen."""
        slowest = percentile(self.made.latencies, 0.5, self.made.run.timeout_s)
        return (
            f"backlog {self.backlog}: {self.served} of {CLIENTS} served; half by {slowest}"
            f" (predicted {seconds(CLIENTS // 2 * self.service)}); clerk busy {self.busy:.0%}"
        )

    @property
    def counters(self) -> str:
        """What clients and kernel counted."""
        counted = self.made.counted.network
        return (
            f"{self.retransmits} SYNs again; {self.phantoms} phantoms;"
            f" {counted['ListenOverflows']} overflows"
        )


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


def make_panels(made: list[Measured]) -> list[BacklogRun]:
    """The repeat in the middle of each backlog, by how many were served."""
    linear = sysctl("ipv4/tcp_syn_linear_timeouts", 0)
    service = measured_service(made)
    panels = []
    for backlog in sorted({each.run.flags["backlog"] for each in made}):
        runs = [each for each in made if each.run.flags["backlog"] == backlog]
        runs.sort(key=lambda each: each.failures.total())
        middle = runs[(len(runs) - 1) // 2]
        panels.append(BacklogRun(backlog, middle, service, linear))
    return panels


def measured_service(made: list[Measured]) -> float:
    """S: how long a client holds the clerk, the median of all."""
    held = [visit.held for each in made for visit in each.visits if visit.begun > 0]
    return median(held) if held else NOMINAL_S
