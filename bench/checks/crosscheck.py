#!/usr/bin/env python3
"""Crosscheck: wrk, hey and ab beside our own generator, and which of them told the truth."""

import argparse
import math
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.judge.estimates import rank_of
from bench.measure.labs import Lab, find_labs
from bench.measure.processes import (
    INTERRUPTS,
    Program,
    Trouble,
    await_end,
    started,
    warn,
)
from bench.measure.records import read_clients
from bench.measure.runs import wait_until_ready
from bench.tell.summary import table
from bench.tell.textcharts import seconds

SOURCE = Path(__file__).resolve().parents[2]
EXIT_TROUBLE, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130
RATE = 100  # requests a second, where a tool can be told
PAGE = "page"  # 1 KiB
PATIENCE_S = 2  # with a server that never answers
LEVELS = (0.5, 0.75, 0.9, 0.99, 1.0)
TRUE_ENOUGH = 0.1  # a share off the truth
UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}
HEADINGS = ["who", "sent", "failed", "p50", "p75", "p90", "p99", "max", "verdict"]


@dataclass(frozen=True)
class Scene:
    """How the server behaves while a tool asks it."""

    name: str
    lasts_s: float
    stall_s: float  # for so long in the middle it is stopped

    @property
    def begins_s(self) -> float:
        """When it is stopped, from the start of the tool."""
        return (self.lasts_s - self.stall_s) / 2

    @property
    def patience_s(self) -> int:
        """For how long clients wait: beyond the stall, if it has an end."""
        is_dead = self.stall_s >= self.lasts_s
        return PATIENCE_S + (0 if is_dead else math.ceil(self.stall_s))

    @property
    def truth(self) -> dict[float, float]:
        """What clients live through who come steadily: they wait for the stall's end."""
        share = self.stall_s / self.lasts_s
        return {
            level: max(0.0, 1 - (1 - level) / share) * self.stall_s if share else 0.0
            for level in LEVELS
        }


@dataclass(frozen=True)
class Report:
    """What a tool says; NaN where it says nothing."""

    sent: float
    failed: float
    latency: dict[float, float]  # seconds by level


@dataclass(frozen=True)
class Tool:
    """A load generator: how to start it, and how to read what it prints."""

    name: str
    command: Callable[[int, Scene, Path], list[str]]
    read: Callable[[str, Path], Report]


# ---- The tools ----


def page(port: int) -> str:
    """What all tools ask for."""
    return f"http://127.0.0.1:{port}/{PAGE}"


def wrk_command(port: int, scene: Scene, records: Path) -> list[str]:
    """One user, as fast as it goes: wrk has no rate."""
    lasts = f"-d{scene.lasts_s:.0f}s"
    timeout = f"--timeout={scene.patience_s}s"
    return ["wrk", "-t1", "-c1", lasts, "--latency", timeout, page(port)]


def read_wrk(said: str, records: Path) -> Report:
    """The latency distribution, and the longest from the thread statistics."""
    found = re.findall(r"^\s+(\d+)%\s+([\d.]+)(us|ms|s|m)\s*$", said, re.M)
    latency = {int(p) / 100: float(v) * UNITS_S[unit] for p, v, unit in found}
    longest = re.search(r"Latency\s+\S+\s+\S+\s+([\d.]+)(us|ms|s|m)\s", said)
    if longest:
        latency[1.0] = float(longest[1]) * UNITS_S[longest[2]]
    errors = re.search(r"Socket errors: .*", said)
    failed = sum(map(int, re.findall(r"\d+", errors[0]))) if errors else 0
    return Report(number(r"(\d+) requests in", said), failed, latency)


def hey_command(port: int, scene: Scene, records: Path) -> list[str]:
    """One user, at most so many requests a second."""
    lasts, patience = f"{scene.lasts_s:.0f}s", scene.patience_s
    flags = {"z": lasts, "t": patience, "c": 1, "q": RATE}
    return ["hey", *(f"-{name}={flags[name]}" for name in flags), page(port)]


def read_hey(said: str, records: Path) -> Report:
    """The latency distribution, the slowest, and the answers by status."""
    found = re.findall(r"^\s+(\d+)% in ([\d.]+) secs", said, re.M)
    latency = {int(p) / 100: float(v) for p, v in found}
    latency[1.0] = number(r"Slowest:\s+([\d.]+) secs", said)
    answers = sum(map(int, re.findall(r"\[\d+\]\s+(\d+) responses", said)))
    errors = said.partition("Error distribution:")[2]
    failed = sum(map(int, re.findall(r"^\s+\[(\d+)\]", errors, re.M)))
    return Report(answers + failed, failed, latency)


def ab_command(port: int, scene: Scene, records: Path) -> list[str]:
    """One user, as fast as it goes, until the time is up."""
    lasts = f"-t{scene.lasts_s:.0f}"
    return ["ab", "-q", "-c1", lasts, f"-s{scene.patience_s}", page(port)]


def read_ab(said: str, records: Path) -> Report:
    """The percentiles, which ab gives in whole milliseconds."""
    found = re.findall(r"^\s+(\d+)%\s+(\d+)", said, re.M)
    latency = {int(p) / 100: int(v) / 1000 for p, v in found}
    sent = number(r"Complete requests:\s+(\d+)", said)
    return Report(sent, number(r"Failed requests:\s+(\d+)", said), latency)


def our_command(load: Path, port: int, scene: Scene, records: Path) -> list[str]:
    """Our own generator, in its open loop."""
    flags = {
        "port": port,
        "speak": "http",
        "say": f"/{PAGE}",
        "rate": RATE,
        "duration": f"{scene.lasts_s:.0f}s",
        "timeout": f"{scene.patience_s}s",
        "output": records,
    }
    return [str(load), "rate", *(f"--{name}={flags[name]}" for name in flags)]


def read_ours(said: str, records: Path) -> Report:
    """Exact ranks of all attempts, in which a failure is infinitely late."""
    clients = read_clients(records)
    ordered = sorted(client.latency for client in clients)
    latency = {level: ordered[rank_of(level, len(ordered)) - 1] for level in LEVELS}
    failed = sum(math.isinf(each) for each in ordered)
    return Report(len(ordered), failed, latency)


def number(pattern: str, said: str) -> float:
    """One number out of what a tool said."""
    found = re.search(pattern, said)
    return float(found[1]) if found else math.nan


def find_tools(load: Path) -> list[Tool]:
    """Ours, then those that are installed."""
    others = [
        Tool("wrk", wrk_command, read_wrk),
        Tool("hey", hey_command, read_hey),
        Tool("ab", ab_command, read_ab),
    ]
    ours = Tool("load (ours)", partial(our_command, load), read_ours)
    return [ours, *(tool for tool in others if shutil.which(tool.name))]


# ---- A tool against a server that is stopped for a while ----


def ask(tool: Tool, scene: Scene, lab: Lab, site: Path) -> Report | None:
    """Let a tool ask a fresh server; None if it ended without a report."""
    records = site / "records.csv"
    with started(lab.command(None, {}, ("http", str(site)))) as server:
        port = wait_until_ready(server)
        with started(tool.command(port, scene, records)) as program:
            with stopped(server, scene):
                has_ended = await_end(program, limit_s(scene))
            said = output_of(program) if has_ended else ""
    if program.status != 0:
        return None
    return tool.read(said, records)


@contextmanager
def stopped(server: Program, scene: Scene) -> Iterator[None]:
    """Stop the server's process in the middle of a scene, then let it go on."""
    try:
        if scene.stall_s:
            time.sleep(scene.begins_s)
            os.kill(server.child.pid, signal.SIGSTOP)
            time.sleep(scene.stall_s)
            if scene.stall_s < scene.lasts_s:
                os.kill(server.child.pid, signal.SIGCONT)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(server.child.pid, signal.SIGCONT)


def limit_s(scene: Scene) -> float:
    """How long a tool may take after its scene."""
    return scene.lasts_s + 4 * PATIENCE_S


def output_of(program: Program) -> str:
    """All that a program has printed."""
    return program.child.stdout.read().decode(errors="replace")


# ---- Who told the truth ----


def judge(report: Report | None, scene: Scene) -> str:
    """What a report is worth, beside what must have happened."""
    if report is None:
        return "ended without a report"
    if scene.stall_s >= scene.lasts_s:
        return judge_silence(report)
    if not scene.stall_s:
        return "as fast as it is" if known(report) else "says nothing"
    return judge_stall(report, scene)


def judge_silence(report: Report) -> str:
    """Nobody was answered: does the report say so?"""
    if report.failed == 0:
        return "FALSE: no failure"
    all_failed = report.failed == report.sent
    return f"true: {report.failed:.0f} failed" if all_failed else "FALSE in part"


def judge_stall(report: Report, scene: Scene) -> str:
    """Are the percentiles those that clients lived through?"""
    off = {
        level: abs(report.latency.get(level, math.nan) / truth - 1)
        for level, truth in scene.truth.items()
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


def line(who: str, report: Report | None, scene: Scene) -> list[str]:
    """One tool's row of the table."""
    if report is None:
        return [who, *["-"] * (len(HEADINGS) - 2), judge(report, scene)]
    counts = [count_words(report.sent), count_words(report.failed)]
    times = [time_words(report, level) for level in LEVELS]
    return [who, *counts, *times, judge(report, scene)]


def count_words(value: float) -> str:
    """A count, if it was told."""
    return f"{value:.0f}" if math.isfinite(value) else "-"


def time_words(report: Report, level: float) -> str:
    """A percentile, if it was told."""
    value = report.latency.get(level, math.nan)
    return "-" if math.isnan(value) else seconds(value) if value else "0"


def truth_line(scene: Scene) -> list[str]:
    """What clients live through who come a hundred times a second."""
    sent = f"{RATE * scene.lasts_s:.0f}"
    if scene.stall_s >= scene.lasts_s:
        return ["the truth", sent, sent, *["never"] * len(LEVELS), ""]
    times = [f"+ {seconds(each)}" if each else "" for each in scene.truth.values()]
    return ["the truth", sent, "0", *times, ""]


def crosscheck(labs: list[Lab], load: Path, scenes: list[Scene]) -> None:
    """Each scene, each tool, one after the other; prints a table for each scene."""
    lab = next(lab for lab in labs if math.isinf(lab.clerks(1)))
    told = Counter()
    tools = find_tools(load)
    with tempfile.TemporaryDirectory(prefix="bench-site-") as folder:
        site = Path(folder)
        (site / PAGE).write_bytes(bytes(1024))
        for scene in scenes:
            rows = [HEADINGS, truth_line(scene)]
            for tool in tools:
                warn(f"{scene.name}: {tool.name}, {scene.lasts_s:.0f} s")
                rows.append(line(tool.name, ask(tool, scene, lab, site), scene))
                told[tool.name] += not is_false(rows[-1][-1])
            print(
                "\n".join([f"{lab.name} {scene.name}", "", *table(rows), ""]),
                flush=True,
            )
    print(conclusion(told, tools, len(scenes)))


def is_false(verdict: str) -> bool:
    """Would a reader have been misled?"""
    return not verdict.startswith(("true", "as fast"))


def conclusion(told: Counter, tools: list[Tool], scenes: int) -> str:
    """Who told the truth, in one line each."""
    said = [f"{tool.name} in {told[tool.name]} of {scenes}" for tool in tools]
    missing = {"wrk", "hey", "ab"} - {tool.name for tool in tools}
    lines = [f"Who told the truth: {', '.join(said)}."]
    if missing:
        lines.append(f"Not installed, so not asked: {', '.join(sorted(missing))}.")
    return "\n".join(lines)


def make_scenes(is_quick: bool) -> list[Scene]:
    """A server that is well, one that stands still for half of the time, a dead one."""
    unit = 1 if is_quick else 3
    return [
        Scene("answers at once", unit, 0),
        Scene(f"is stopped for {unit} s of {2 * unit} s", 2 * unit, unit),
        Scene("never answers", 3, 3),
    ]


def refuse(message: str) -> None:
    """A usage error: one line, and status 2."""
    warn(message)
    sys.exit(EXIT_USAGE)


def main(arguments: list[str]) -> int:
    """Run the crosscheck; returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.error = refuse
    parser.add_argument("--quick", action="store_true", help="shorter stalls")
    parser.add_argument("--build", type=Path, default=SOURCE / "build")
    given = parser.parse_args(arguments)
    INTERRUPTS.install()
    try:
        load = given.build / "bench" / "load"
        crosscheck(find_labs(SOURCE, given.build), load, make_scenes(given.quick))
        return 0
    except KeyboardInterrupt:
        warn("interrupted")
        return EXIT_INTERRUPTED
    except (OSError, Trouble) as error:
        warn(str(error))
        return EXIT_TROUBLE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
