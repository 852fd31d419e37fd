"""Crosscheck: wrk, hey and ab beside our own generator, and which of them told the truth."""

import argparse
import math
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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
TRUE_ENOUGH = 0.1  # a share off the truth
HEADINGS = ["who", "sent", "failed", "p50", "p75", "p90", "p99", "max", "verdict"]


# ---- A tool against a server that is stopped for a while ----


def ask(tool: Tool, behaviour: Behaviour, lab: Lab, site: Path) -> Report | None:
    """Let a tool ask a fresh server; None if it ended without a report."""
    records = site / "records.csv"
    with started(lab.command(None, {}, ("http", str(site)))) as server:
        port = wait_until_ready(server)
        with started(tool.command(port, behaviour, records)) as program:
            with stopped(server, behaviour):
                has_ended = await_end(program, limit_s(behaviour))
            said = output_of(program) if has_ended else ""
    if program.status != 0:
        return None
    return tool.read(said, records)


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


def judge(report: Report | None, behaviour: Behaviour) -> str:
    """What a report is worth, beside what must have happened."""
    if report is None:
        return "ended without a report"
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


def judge_stall(report: Report, behaviour: Behaviour) -> str:
    """Are the percentiles those that clients lived through?"""
    off = {
        level: abs(report.latency.get(level, math.nan) / truth - 1)
        for level, truth in behaviour.truth.items()
        if truth > 0
    }
    wrong = [level for level, share in off.items() if not share <= TRUE_ENOUGH]
    if not wrong:
        return "true"
    names = ", ".join(f"p{level * 100:.0f}" if level < 1 else "max" for level in wrong)
    return f"FALSE at {names}"


def known(report: Report) -> bool:
    """Does it say anything of latency?"""
    return any(math.isfinite(value) for value in report.latency.values())


def line(who: str, report: Report | None, behaviour: Behaviour) -> list[str]:
    """One tool's row of the table."""
    if report is None:
        return [who, *["-"] * (len(HEADINGS) - 2), judge(report, behaviour)]
    counts = [count_words(report.sent), count_words(report.failed)]
    times = [time_words(report, level) for level in LEVELS]
    return [who, *counts, *times, judge(report, behaviour)]


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
                rows.append(line(tool.name, ask(tool, behaviour, lab, site), behaviour))
                told[tool.name] += not is_false(rows[-1][-1])
            print(
                "\n".join([f"{lab.name} {behaviour.name}", "", *table(rows), ""]),
                flush=True,
            )
    print(conclusion(told, tools, len(behaviours)))


def is_false(verdict: str) -> bool:
    """Would a reader have been misled?"""
    return not verdict.startswith(("true", "as fast"))


def conclusion(told: Counter, tools: list[Tool], behaviours: int) -> str:
    """Who told the truth, in one line each."""
    said = [f"{tool.name} in {told[tool.name]} of {behaviours}" for tool in tools]
    missing = {"wrk", "hey", "ab"} - {tool.name for tool in tools}
    lines = [f"Who told the truth: {', '.join(said)}."]
    if missing:
        lines.append(f"Not installed, so not asked: {', '.join(sorted(missing))}.")
    return "\n".join(lines)


def make_behaviours(is_quick: bool) -> list[Behaviour]:
    """A server that is well, one that stands still for half of the time, a dead one."""
    unit = 1 if is_quick else 3
    return [
        Behaviour("answers at once", unit, 0),
        Behaviour(f"is stopped for {unit} s of {2 * unit} s", 2 * unit, unit),
        Behaviour("never answers", 3, 3),
    ]


def run(given: argparse.Namespace) -> bool:
    """Tell who told the truth: that is its own result, whoever it was."""
    labs, load = find_labs(SOURCE, given.build), given.build / "bench" / "load"
    crosscheck(labs, load, make_behaviours(given.quick))
    return True
