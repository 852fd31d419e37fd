"""backlog: how a number that nobody looks at turns half a second into twenty."""

import math
import random
from pathlib import Path
from statistics import median

from bench.experiments.backlog_chart import make_chart
from bench.experiments.backlog_crowd import (
    CLIENTS,
    SERVICE_MS,
    BacklogRun,
    INSIDE,
    half_of,
    make_panels,
    served_of,
)
from bench.experiments.experiment import Conclusion, Experiment, Finding, Options
from bench.judge.predictions import revival_times
from bench.judge.verdicts import within
from bench.measure.labs import Lab
from bench.measure.runs import Generator, Measured, Run, START_S
from bench.tell.units import seconds

BACKLOGS, QUICK_BACKLOGS = (1, 16, 32, 64, 128), (1, 16, 128)
REPEATS = {1: 1, 16: 1, 32: 1, 64: 1, 128: 3}  # the shortest oftener
EXPECTED_S = {1: 5, 16: 2.8, 32: 1.4, 64: 1.2, 128: 0.6}
TIMEOUT_S, QUICK_TIMEOUT_MS = 5, 1500
SYN_LIMIT = 0.10


# ---- The plan ----


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Each backlog, in a shuffled order, on the first lab that has one."""
    choosy = [lab for lab in labs if "backlog" in lab.flags]
    backlogs = list(QUICK_BACKLOGS if options.is_quick else BACKLOGS)
    random.Random(f"backlog {options.seed}").shuffle(backlogs)
    usual = dict.fromkeys(backlogs, 1) if options.is_quick else REPEATS
    repeats = dict.fromkeys(backlogs, options.repeats) if options.repeats else usual
    return [
        plan_run(lab, backlog, repeat, options)
        for repeat in range(1, max(repeats.values()) + 1)
        for lab in choosy[:1]
        for backlog in backlogs
        if repeat <= repeats[backlog]
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
        is_apart=True,
    )


# ---- The conclusion ----


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """A panel for each backlog."""
    panels = make_panels(made, options.prices)
    if not panels:
        return Conclusion([], [], [])
    findings = [finding for panel in panels for finding in findings_of(panel)]
    return Conclusion(findings, notes(panels, options), [make_chart(panels, folder)])


def findings_of(panel: BacklogRun) -> list[Finding]:
    """How many, half, the last, and whether the steps are this kernel's."""
    lab, what = panel.made.run.lab.name, f"backlog {panel.backlog}"
    within_s = seconds(panel.made.run.timeout_s)
    questions = {f"served within {within_s}": served_of, "half served by": half_of}
    questions["last served by"] = max
    findings = [
        Finding(
            lab,
            f"{what}: {name}",
            panel.each(of),
            of(panel.ideal),
            of(panel.predicted),
            unit="1" if of is served_of else "s",
            clients=CLIENTS,
        )
        for name, of in questions.items()
        if of is served_of or math.isfinite(of(panel.predicted))
    ]
    return [*findings, *syn_findings(panel, lab, what), *counter_findings(panel)]


def syn_findings(panel: BacklogRun, lab: str, what: str) -> list[Finding]:
    """For each SYN that is sent again: when clients were connected by it."""
    findings = []
    for again, due in enumerate(panel.predicted_syns, 1):
        moments = panel.connected_by(again)
        if moments:
            findings.append(
                Finding(
                    lab,
                    f"{what}: connected by SYN {again + 1}",
                    [median(moments)],
                    due,
                    clients=len(moments),
                    promise=within(SYN_LIMIT, due, fewest=1),
                )
            )
    return findings


def counter_findings(panel: BacklogRun) -> list[Finding]:
    """What the clients' records say, beside what the kernel counted meanwhile."""
    lab, what = panel.made.run.lab.name, f"backlog {panel.backlog}"
    counted = panel.made.counted.network
    pairs = (
        ("SYNs sent again", panel.retransmits, counted["TCPSynRetrans"]),
        ("phantoms, cookies", panel.phantoms, counted["SyncookiesSent"]),
    )
    return [
        Finding(
            lab,
            f"{what}: {name}",
            [ours],
            unit="1",
            clients=CLIENTS,
            remark=f"{kernels} by the kernel's count",
        )
        for name, ours, kernels in pairs
        if ours or kernels
    ]


def notes(panels: list[BacklogRun], options: Options) -> list[str]:
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
        f" {again} s after connect() and lets it in when there is room. All phantoms send"
        " again in one moment, so each time only backlog + 1 of them are let in. Of those"
        f" who come at first, or with a SYN sent again, the server takes {INSIDE} out of"
        " the queue meanwhile, if it has a core of its own: here it has, where there are"
        " two. Each run has an address that is new, for the kernel remembers of an address"
        " how long answers took, and waits accordingly before it sends again.",
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


EXPERIMENT = Experiment(
    "backlog",
    "what does a short backlog do to a crowd, while the server is idle?",
    plan,
    conclude,
)
