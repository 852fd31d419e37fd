"""backlog: how a number that nobody looks at turns half a second into twenty."""

import math
import random
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.tell.charts import Chart, write_csv
from bench.judge.estimates import percentile
from bench.experiments.experiment import (
    Conclusion,
    Experiment,
    Finding,
    Options,
    share_off,
)
from bench.measure.kernel import sysctl
from bench.measure.labs import Lab
from bench.judge.predictions import fifo, revival_times, syn_times
from bench.measure.records import NS_PER_S, Client, Visit, join
from bench.measure.runs import START_S, Generator, Measured, Run
from bench.tell.textcharts import seconds

CLIENTS = 100
SERVICE_MS = 5
NOMINAL_S = 5.2e-3
BACKLOGS, QUICK_BACKLOGS = (1, 16, 32, 64, 128), (1, 16, 128)
EXPECTED_S = {1: 5, 16: 2.8, 32: 1.4, 64: 1.2, 128: 0.6}
TIMEOUT_S, QUICK_TIMEOUT_MS = 5, 1500
SYN_LIMIT = 0.10


@dataclass(frozen=True)
class Place:
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
class Panel:
    """One backlog."""

    backlog: int
    made: Measured
    service: float
    linear: int  # the kernel's tcp_syn_linear_timeouts

    @property
    def places(self) -> list[Place]:
        """All clients, in the order in which they were done."""
        return sorted(find_places(self.made, self.backlog), key=lambda p: p.done)

    @property
    def served(self) -> int:
        """How many had an answer in time."""
        return sum(client.outcome == "ok" for client in self.made.clients)

    @property
    def phantoms(self) -> int:
        """How many were connected while the server knew nothing of them."""
        return sum(place.is_phantom for place in self.places)

    @property
    def busy(self) -> float:
        """The share of time in which the clerk had work, until the last was done."""
        held = sum(v.held for v in self.made.visits if v.begun > 0)
        return min(1.0, held / max(place.done for place in self.places))

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
            share_off(place.connected, times[place.client.syn_retransmits - 1])
            for place in self.places
            if 0 < place.client.syn_retransmits <= len(times)
            and not math.isnan(place.connected)
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


def find_places(made: Measured, backlog: int) -> list[Place]:
    """Each client, and whether the server knew of it when it was connected.

    The accept queue holds backlog + 1 (listen(2)). Whoever is connected while so
    many known ones wait is a phantom: established for itself, unknown to the server.
    """
    pairs = sorted(
        join(made.clients, made.visits), key=lambda pair: pair[0].connected or math.inf
    )
    places, queue = [], []
    for client, visit in pairs:
        accepted = visit.accepted if visit else math.inf
        queue = [other for other in queue if other > client.connected]
        is_phantom = client.connected > 0 and len(queue) > backlog
        if client.connected > 0 and not is_phantom:
            queue.append(accepted)
        places.append(Place(client, visit, made.run.timeout_s, is_phantom))
    return places


# ---- The plan ----


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Each backlog once, in a shuffled order, on the first lab that has one."""
    choosy = [lab for lab in labs if "backlog" in lab.flags]
    backlogs = list(QUICK_BACKLOGS if options.is_quick else BACKLOGS)
    random.Random(f"backlog {options.seed}").shuffle(backlogs)
    repeats = options.repeats or 1
    return [
        plan_run(lab, backlog, repeat, options)
        for repeat in range(1, repeats + 1)
        for lab in choosy[:1]
        for backlog in backlogs
    ]


def plan_run(lab: Lab, backlog: int, repeat: int, options: Options) -> Run:
    """One crowd against one backlog, one clerk, and no place in the pool's queue."""
    timeout_s = QUICK_TIMEOUT_MS / 1000 if options.is_quick else TIMEOUT_S
    flags = {
        "clients": CLIENTS,
        "say": f"sleep {SERVICE_MS}",
        "timeout": f"{round(1000 * timeout_s)}ms",
    }
    return Run(
        experiment="backlog",
        group="backlog",
        scene=f"backlog-{backlog:03d}",
        lab=lab,
        generators=(Generator("burst", flags),),
        repeat=repeat,
        expected_s=START_S + min(timeout_s, EXPECTED_S[backlog]),
        flags={"threads": 1, "queue": 1, "backlog": backlog},
    )


# ---- The conclusion ----


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """A panel for each backlog."""
    panels = make_panels(made)
    if not panels:
        return Conclusion([], [], [])
    findings = [finding for panel in panels for finding in findings_of(panel)]
    return Conclusion(findings, notes(panels, options), [make_chart(panels, folder)])


def make_panels(made: list[Measured]) -> list[Panel]:
    """The repeat in the middle of each backlog, by how many were served."""
    linear = sysctl("ipv4/tcp_syn_linear_timeouts", 0)
    service = measured_service(made)
    panels = []
    for backlog in sorted({each.run.flags["backlog"] for each in made}):
        runs = [each for each in made if each.run.flags["backlog"] == backlog]
        runs.sort(key=lambda each: each.failures.total())
        middle = runs[(len(runs) - 1) // 2]
        panels.append(Panel(backlog, middle, service, linear))
    return panels


def measured_service(made: list[Measured]) -> float:
    """S: how long a client holds the clerk, the median of all."""
    held = [visit.held for each in made for visit in each.visits if visit.begun > 0]
    return median(held) if held else NOMINAL_S


def findings_of(panel: Panel) -> list[Finding]:
    """Half, last, and whether the steps are this kernel's."""
    lab, what = panel.made.run.lab.name, f"backlog {panel.backlog}"
    timeout_s = panel.made.run.timeout_s
    half = percentile(panel.made.latencies, 0.5, timeout_s)
    ends = fifo([panel.service] * CLIENTS, 1)
    last = max(panel.made.latencies)
    findings = [
        Finding(
            lab,
            f"{what}: half served by",
            str(half),
            f"{seconds(ends[CLIENTS // 2 - 1])} if no SYN is lost",
            share_off(half.value, ends[CLIENTS // 2 - 1]),
        ),
        Finding(
            lab,
            f"{what}: last served by",
            f"> {seconds(timeout_s)}" if math.isinf(last) else seconds(last),
            f"{seconds(ends[-1])} if no SYN is lost",
            share_off(last, ends[-1]),
        ),
    ]
    if errors := panel.syn_errors():
        worst = max(errors, key=abs)
        findings.append(
            Finding(
                lab,
                f"{what}: connected when a SYN was due",
                f"{len(errors)} clients",
                ", ".join(seconds(t, 2) for t in panel.predicted_syns),
                worst,
                SYN_LIMIT,
            )
        )
    return [*findings, *counter_findings(panel, lab, what)]


def counter_findings(panel: Panel, lab: str, what: str) -> list[Finding]:
    """What the clients' records say, beside what the kernel counted meanwhile."""
    counted = panel.made.counted.network
    pairs = (
        ("SYNs sent again", panel.retransmits, counted["TCPSynRetrans"]),
        ("phantoms, cookies", panel.phantoms, counted["SyncookiesSent"]),
    )
    return [
        Finding(
            lab,
            f"{what}: {name}",
            str(ours),
            f"{kernels} by the kernel's count",
            share_off(ours, kernels) if kernels else math.nan,
        )
        for name, ours, kernels in pairs
        if ours or kernels
    ]


def notes(panels: list[Panel], options: Options) -> list[str]:
    """How the numbers came about."""
    due = ", ".join(f"{time:g}" for time in panels[0].predicted_syns)
    again = ", ".join(f"{time:.2g}" for time in revival_times(TIMEOUT_S))
    counted = sum(panel.made.counted.network["TCPSynRetrans"] for panel in panels)
    lines = [
        f"{CLIENTS} clients at one instant, {SERVICE_MS} ms each, one worker, one place in"
        f" its queue: the rest wait in the kernel. Whoever is not served in"
        f" {panels[0].made.run.timeout_s:g} s has failed and ranks as infinitely late.",
        f"This kernel sends a lost SYN again after {due} s (tcp_syn_linear_timeouts ="
        f" {panels[0].linear}). A phantom is connected, for the kernel answered, but"
        " unknown to the server; its request is sent again"
        f" {again} s after connect() and lets it in when there is room.",
        f"The clients' sockets sent {sum(panel.retransmits for panel in panels)} SYNs again;"
        f" the kernel counted {counted}, on this whole machine.",
        *(f"{panel.words}; {panel.counters}." for panel in panels),
    ]
    if options.is_quick:
        missing = ", ".join(str(b) for b in BACKLOGS if b not in QUICK_BACKLOGS)
        lines.append(
            f"QUICK left out the backlogs {missing}, and gave up after"
            f" {QUICK_TIMEOUT_MS / 1000:g} s instead of {TIMEOUT_S} s."
        )
    return lines


def make_chart(panels: list[Panel], folder: Path) -> Chart:
    """Write what the chart is drawn from."""
    header = (
        "panel,backlog,rank,client,connected_s,wait_s,waited_s,begun_s,done_s,phantom,"
        "predicted_s,syn_retransmits,outcome"
    )
    rows = [
        client_row(n, panel, rank, place)
        for n, panel in enumerate(panels, 1)
        for rank, place in enumerate(panel.places, 1)
    ]
    write_csv(folder / "backlog.csv", header, rows)
    words = [[n, p.words, p.counters] for n, p in enumerate(panels, 1)]
    write_csv(folder / "backlog-words.csv", "panel,words,counters", words)
    times = [[time] for time in panels[0].predicted_syns]
    write_csv(folder / "backlog-syns.csv", "syn_s", times)
    title = f"{CLIENTS} clients at one instant against backlogs of {panels[0].backlog} to {panels[-1].backlog}"
    return Chart(
        "backlog",
        "backlog",
        title,
        "\n".join([title, *(f"  {panel.words}; {panel.counters}" for panel in panels)]),
        {"number": panels[0].made.run.lab.number},
        caption=caption(panels),
    )


def client_row(number: int, panel: Panel, rank: int, place: Place) -> list:
    """One client for the CSV."""
    knocked = place.gave_up if math.isnan(place.connected) else place.connected
    return [
        number,
        panel.backlog,
        rank,
        place.client.i,
        place.connected,
        knocked,
        place.waited_until,
        place.begun,
        place.done,
        int(place.is_phantom),
        rank * panel.service,
        place.client.syn_retransmits,
        place.client.outcome,
    ]


def caption(panels: list[Panel]) -> str:
    """The shortest backlog against the longest."""
    return (
        f"The same server, the same {CLIENTS} clients: {panels[0].words};"
        f" {panels[-1].words}."
    )


EXPERIMENT = Experiment(
    "backlog",
    "what does a short backlog do to a crowd, while the server is idle?",
    plan,
    conclude,
)
