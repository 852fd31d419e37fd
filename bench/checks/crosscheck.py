"""Crosscheck: other generators beside ours, and which of them told the truth.

Each asks a server that is well, one that is stopped for a while, one that never
answers, and one with a planted fault that says afterwards what it has really done.
"""

import argparse
import json
import math
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.checks.crosscheck_server import EVERY, SERVICE_S
from bench.checks.tools import (
    LEVELS,
    PAGE,
    PATIENCE_S,
    RATE,
    Report,
    Behaviour,
    Tool,
    find_tools,
)
from bench.measure.labs import Lab, find_labs
from bench.measure.processes import Program, await_end, started, warn
from bench.measure.runs import wait_until_ready
from bench.tell.summary import table
from bench.tell.units import seconds

SOURCE = Path(__file__).resolve().parents[2]
FAULTY = Path(__file__).with_name("crosscheck_server.py")
TRUE_ENOUGH = 0.1  # a share off the truth
BUSY_S = 0.02  # what a busy machine may add to an answer of 10 ms
KNOWN = {"wrk", "hey", "ab", "siege", "httperf"}
HEADINGS = ["who", "sent", "failed", "p50", "p75", "p90", "p99", "max", "verdict"]


@dataclass(frozen=True)
class Done:
    """What a server has really done: answers spoilt, and times by level."""

    planted: int = 0
    times: dict[float, float] = field(default_factory=dict)


# ---- A tool against a server that is stopped for a while, or spoils some answers ----


def ask(
    tool: Tool, behaviour: Behaviour, lab: Lab, site: Path
) -> tuple[Report | None, Done]:
    """Let a tool ask a fresh server; None if it ended without a report.

    Also says what a server with a planted fault has really done.
    """
    records, told = site / "records.csv", site / "told.json"
    command = lab.command(None, {}, ("http", str(site)))
    if behaviour.fault:
        command = [sys.executable, str(FAULTY), f"--fault={behaviour.fault}", str(told)]
    with started(command) as server:
        port = wait_until_ready(server)
        with started(tool.command(port, behaviour, records)) as program:
            with stopped(server, behaviour):
                has_ended = await_end(program, limit_s(behaviour))
            said = output_of(program) if has_ended else ""
    done = read_done(told) if behaviour.fault else Done()
    if program.status != 0:
        return None, done
    return tool.read(said, records), done


def read_done(told: Path) -> Done:
    """What the faulty server wrote when it ended."""
    said = json.loads(told.read_text())
    times = {float(level): value for level, value in said["times"].items()}
    return Done(said["planted"], times)


@contextmanager
def stopped(server: Program, behaviour: Behaviour) -> Iterator[None]:
    """Stop the server's process in the middle of a behaviour, then let it go on."""
    try:
        if behaviour.stall_s:
            time.sleep(behaviour.begins_s)
            os.kill(server.child.pid, signal.SIGSTOP)
            time.sleep(behaviour.stall_s)
            if behaviour.stall_s < behaviour.lasts_s:
                os.kill(server.child.pid, signal.SIGCONT)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(server.child.pid, signal.SIGCONT)


def limit_s(behaviour: Behaviour) -> float:
    """How long a tool may take after its behaviour."""
    return behaviour.lasts_s + 4 * PATIENCE_S


def output_of(program: Program) -> str:
    """All that a program has printed."""
    return program.child.stdout.read().decode(errors="replace")


# ---- Who told the truth ----


def judge(report: Report | None, behaviour: Behaviour, done: Done = Done()) -> str:
    """What a report is worth, beside what must have happened."""
    if report is None:
        return "ended without a report"
    if behaviour.fault == "slow":
        return judge_slow(report, done.times or behaviour.truth)
    if behaviour.fault:
        return judge_planted(report, done.planted)
    if behaviour.stall_s >= behaviour.lasts_s:
        return judge_silence(report)
    if not behaviour.stall_s:
        return "as fast as it is" if known(report) else "says nothing"
    return judge_stall(report, behaviour)


def judge_silence(report: Report) -> str:
    """Nobody was answered: does the report say so?"""
    if report.failed == 0:
        return "FALSE: no failure"
    all_failed = report.failed == report.sent
    return f"true: {report.failed:.0f} failed" if all_failed else "FALSE in part"


def judge_planted(report: Report, planted: int) -> str:
    """Were the spoilt answers found? The last one may be cut off by the end."""
    slack = max(1, TRUE_ENOUGH * planted)
    is_true = planted > 0 and abs(report.failed - planted) <= slack
    found = f"{count_words(report.failed)} of {planted} found"
    return f"{'true' if is_true else 'FALSE'}: {found}"


def judge_slow(report: Report, truths: dict[float, float]) -> str:
    """Are the slow answers in the tail, and nowhere else?"""
    said = {level: report.latency.get(level, math.nan) for level in truths}
    wrong = [
        level
        for level, truth in truths.items()
        if not math.isnan(said[level])
        and not (1 - TRUE_ENOUGH) * truth <= said[level] <= truth + BUSY_S
    ]
    unsaid = [level for level in said if math.isnan(said[level])]
    if wrong:
        return f"FALSE at {level_names(wrong)}"
    return f"does not say {level_names(unsaid)}" if unsaid else "true"


def level_names(levels: list[float]) -> str:
    """p75, p99, max."""
    return ", ".join(f"p{level * 100:.0f}" if level < 1 else "max" for level in levels)


def judge_stall(report: Report, behaviour: Behaviour) -> str:
    """Are the percentiles those that clients lived through?"""
    off = {
        level: abs(report.latency.get(level, math.nan) / truth - 1)
        for level, truth in behaviour.truth.items()
        if truth > 0
    }
    wrong = [level for level, share in off.items() if share > TRUE_ENOUGH]
    unsaid = [level for level, share in off.items() if math.isnan(share)]
    if wrong:
        return f"FALSE at {level_names(wrong)}"
    return f"does not say {level_names(unsaid)}" if unsaid else "true"


def known(report: Report) -> bool:
    """Does it say anything of latency?"""
    return any(math.isfinite(value) for value in report.latency.values())


def line(
    who: str, report: Report | None, behaviour: Behaviour, done: Done
) -> list[str]:
    """One tool's row of the table."""
    verdict = judge(report, behaviour, done)
    if report is None:
        return [who, *["-"] * (len(HEADINGS) - 2), verdict]
    counts = [count_words(report.sent), count_words(report.failed)]
    times = [time_words(report, level) for level in LEVELS]
    return [who, *counts, *times, verdict]


def count_words(value: float) -> str:
    """A count, if it was told."""
    return f"{value:.0f}" if math.isfinite(value) else "-"


def time_words(report: Report, level: float) -> str:
    """A percentile, if it was told."""
    value = report.latency.get(level, math.nan)
    return "-" if math.isnan(value) else seconds(value) if value else "0"


def truth_line(behaviour: Behaviour) -> list[str]:
    """What clients live through who come a hundred times a second."""
    sent = f"{RATE * behaviour.lasts_s:.0f}"
    if behaviour.fault:
        every = EVERY[behaviour.fault]
        failed = "0" if behaviour.fault == "slow" else f"1 in {every}"
        times = [seconds(behaviour.truth.get(level, 0.0)) for level in LEVELS]
        if behaviour.fault != "slow":
            times = [seconds(SERVICE_S)] * len(LEVELS)
        shown = [each if each != seconds(0.0) else "" for each in times]
        return ["the truth", sent, failed, *shown, ""]
    if behaviour.stall_s >= behaviour.lasts_s:
        return ["the truth", sent, sent, *["never"] * len(LEVELS), ""]
    times = [f"+ {seconds(each)}" if each else "" for each in behaviour.truth.values()]
    return ["the truth", sent, "0", *times, ""]


def crosscheck(labs: list[Lab], load: Path, behaviours: list[Behaviour]) -> None:
    """Each behaviour, each tool, one after the other; prints a table for each behaviour."""
    lab = next(lab for lab in labs if math.isinf(lab.clerks(1)))
    told = Counter()
    tools = find_tools(load)
    with tempfile.TemporaryDirectory(prefix="bench-site-") as folder:
        site = Path(folder)
        (site / PAGE).write_bytes(bytes(1024))
        for behaviour in behaviours:
            rows = [HEADINGS, truth_line(behaviour)]
            for tool in tools:
                warn(f"{behaviour.name}: {tool.name}, {behaviour.lasts_s:.0f} s")
                report, done = ask(tool, behaviour, lab, site)
                rows.append(line(tool.name, report, behaviour, done))
                told[tool.name] += not is_false(rows[-1][-1])
            print(
                "\n".join([title(lab, behaviour), "", *table(rows), ""]),
                flush=True,
            )
    print(conclusion(told, tools, len(behaviours)))


def title(lab: Lab, behaviour: Behaviour) -> str:
    """Who is asked, and how it behaves."""
    return f"{'a server' if behaviour.fault else lab.name} {behaviour.name}"


def is_false(verdict: str) -> bool:
    """Would a reader have been misled?"""
    return not verdict.startswith(("true", "as fast"))


def conclusion(told: Counter, tools: list[Tool], behaviours: int) -> str:
    """Who told the truth, in one line each."""
    said = [f"{tool.name} in {told[tool.name]} of {behaviours}" for tool in tools]
    missing = KNOWN - {tool.name for tool in tools}
    lines = [f"Who told the truth: {', '.join(said)}."]
    if missing:
        lines.append(f"Not installed, so not asked: {', '.join(sorted(missing))}.")
    return "\n".join(lines)


def make_behaviours(is_quick: bool) -> list[Behaviour]:
    """A server that is well, five planted faults, a dead one."""
    unit = 1 if is_quick else 3
    lasts = 4 if is_quick else 6
    return [
        Behaviour("answers at once", unit, 0),
        Behaviour(f"is stopped for {unit} s of {2 * unit} s", 2 * unit, unit),
        Behaviour("takes 100 ms instead of 10 for every 10th", lasts, 0, "slow"),
        Behaviour("drops every 20th without an answer", lasts, 0, "drops"),
        Behaviour("sends half of the body to every 20th", lasts, 0, "half"),
        Behaviour("answers every 20th with status 500", lasts, 0, "error"),
        Behaviour("never answers", 3, 3),
    ]


def run(given: argparse.Namespace) -> bool:
    """Tell who told the truth: that is its own result, whoever it was."""
    labs, load = find_labs(SOURCE, given.build), given.build / "bench" / "load"
    crosscheck(labs, load, make_behaviours(given.quick))
    return True
