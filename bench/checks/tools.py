"""The load generators of crosscheck: how each is started, and what it says."""

import math
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.checks.crosscheck_server import SERVICE_S, SLOW_S
from bench.judge.estimates import rank_of
from bench.measure.records import read_clients

RATE = 100  # requests a second, where a tool can be told
PAGE = "page"  # 1 KiB
PATIENCE_S = 2  # with a server that never answers
LEVELS = (0.5, 0.75, 0.9, 0.99, 1.0)
UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}


@dataclass(frozen=True)
class Behaviour:
    """How the server behaves while a tool asks it."""

    name: str
    lasts_s: float
    stall_s: float  # for so long in the middle it is stopped
    fault: str = ""  # planted in crosscheck_server.py

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
        if self.fault == "slow":
            return {level: SERVICE_S for level in (0.5, 0.75)} | {0.99: SLOW_S}
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
    command: Callable[[int, Behaviour, Path], list[str]]
    read: Callable[[str, Path], Report]


# ---- The tools ----


def page(port: int) -> str:
    """What all tools ask for."""
    return f"http://127.0.0.1:{port}/{PAGE}"


def wrk_command(port: int, behaviour: Behaviour, records: Path) -> list[str]:
    """One user, as fast as it goes: wrk has no rate."""
    lasts = f"-d{behaviour.lasts_s:.0f}s"
    timeout = f"--timeout={behaviour.patience_s}s"
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
    failed += count(r"Non-2xx or 3xx responses: (\d+)", said)
    return Report(number(r"(\d+) requests in", said), failed, latency)


def hey_command(port: int, behaviour: Behaviour, records: Path) -> list[str]:
    """One user, at most so many requests a second."""
    lasts, patience = f"{behaviour.lasts_s:.0f}s", behaviour.patience_s
    flags = {"z": lasts, "t": patience, "c": 1, "q": RATE}
    return ["hey", *(f"-{name}={flags[name]}" for name in flags), page(port)]


def read_hey(said: str, records: Path) -> Report:
    """The latency distribution, the slowest, and the answers by status."""
    found = re.findall(r"^\s+(\d+)% in ([\d.]+) secs", said, re.M)
    latency = {int(p) / 100: float(v) for p, v in found}
    latency[1.0] = number(r"Slowest:\s+([\d.]+) secs", said)
    statuses = re.findall(r"\[(\d+)\]\s+(\d+) responses", said)
    answers = sum(int(many) for _, many in statuses)
    refused = sum(int(many) for status, many in statuses if not status.startswith("2"))
    errors = said.partition("Error distribution:")[2]
    failed = sum(map(int, re.findall(r"^\s+\[(\d+)\]", errors, re.M)))
    return Report(answers + failed, failed + refused, latency)


def ab_command(port: int, behaviour: Behaviour, records: Path) -> list[str]:
    """One user, as fast as it goes, until the time is up."""
    lasts = f"-t{behaviour.lasts_s:.0f}"
    return ["ab", "-q", "-c1", lasts, f"-s{behaviour.patience_s}", page(port)]


def read_ab(said: str, records: Path) -> Report:
    """The percentiles, which ab gives in whole milliseconds."""
    found = re.findall(r"^\s+(\d+)%\s+(\d+)", said, re.M)
    latency = {int(p) / 100: int(v) / 1000 for p, v in found}
    sent = number(r"Complete requests:\s+(\d+)", said)
    failed = number(r"Failed requests:\s+(\d+)", said)
    return Report(sent, failed + count(r"Non-2xx responses:\s+(\d+)", said), latency)


SIEGE_SETTINGS = """timeout = {patience}
connection = close
verbose = false
quiet = true
json_output = true
logging = false
failures = 1000000
"""


def siege_command(port: int, behaviour: Behaviour, records: Path) -> list[str]:
    """One user, as fast as it goes; its settings and its home are in our folder."""
    settings = records.with_name("siegerc")
    settings.write_text(SIEGE_SETTINGS.format(patience=behaviour.patience_s))
    lasts = f"-t{behaviour.lasts_s:.0f}S"
    home = f"HOME={records.parent}"
    return ["env", home, "siege", f"-R{settings}", "-b", "-c1", lasts, page(port)]


def read_siege(said: str, records: Path) -> Report:
    """It tells the mean and the longest, and no percentile."""
    answered = number(r'"transactions":\s+(\d+)', said)
    failed = number(r'"failed_transactions":\s+(\d+)', said)
    longest = number(r'"longest_transaction":\s+([\d.]+)', said)
    return Report(answered + failed, failed, {1.0: longest})


def httperf_command(port: int, behaviour: Behaviour, records: Path) -> list[str]:
    """A connection each, at a rate: an open loop."""
    flags = {"server": "127.0.0.1", "port": port, "uri": f"/{PAGE}", "rate": RATE}
    flags |= {"num-conns": round(RATE * behaviour.lasts_s)}
    flags |= {"timeout": behaviour.patience_s}
    return ["httperf", "--hog", *(f"--{name}={flags[name]}" for name in flags)]


def read_httperf(said: str, records: Path) -> Report:
    """The median and the longest of the connections that had no error."""
    times = re.search(r"Connection time \[ms\]:.* max ([\d.]+) median ([\d.]+)", said)
    latency = {}
    if times:
        latency = {1.0: float(times[1]) / 1000, 0.5: float(times[2]) / 1000}
    failed = count(r"Errors: total (\d+)", said)
    failed += count(r"5xx=(\d+)", said) + count(r"4xx=(\d+)", said)
    return Report(number(r"Total: connections (\d+)", said), failed, latency)


def our_command(
    load: Path, port: int, behaviour: Behaviour, records: Path
) -> list[str]:
    """Our own generator, in its open loop."""
    flags = {
        "port": port,
        "speak": "http",
        "say": f"/{PAGE}",
        "rate": RATE,
        "duration": f"{behaviour.lasts_s:.0f}s",
        "timeout": f"{behaviour.patience_s}s",
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


def count(pattern: str, said: str) -> int:
    """A number that is only told where it is not 0."""
    found = re.search(pattern, said)
    return int(found[1]) if found else 0


def find_tools(load: Path) -> list[Tool]:
    """Ours, then those that are installed."""
    others = [
        Tool("wrk", wrk_command, read_wrk),
        Tool("hey", hey_command, read_hey),
        Tool("ab", ab_command, read_ab),
        Tool("siege", siege_command, read_siege),
        Tool("httperf", httperf_command, read_httperf),
    ]
    ours = Tool("load (ours)", partial(our_command, load), read_ours)
    return [ours, *(tool for tool in others if shutil.which(tool.name))]
