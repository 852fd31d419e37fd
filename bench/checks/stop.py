"""The ^Z test: stop a server for half of a run; does the bench tell the truth?

Gil Tene's test. While a server stands still for half of an open-loop run, the
customers who come meanwhile wait for what is left of the stall: p75, p90, p99
and the longest wait are 0.5, 0.8, 0.98 and 1 times the stall. A naive mode (a
closed loop, and a clock that starts when the request is sent) must fail the
same test by far, or else the test would prove nothing.
"""

import argparse
import os
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.judge.estimates import percentile
from bench.measure.labs import find_labs
from bench.measure.processes import BenchError, await_end, started
from bench.measure.records import NS_PER_S, Client, read_clients
from bench.measure.runs import wait_until_ready

SOURCE = Path(__file__).resolve().parents[2]
TRUTH = {0.75: 0.5, 0.90: 0.8, 0.99: 0.98, 1.0: 1.0}  # of the stall, by percentile
OFF_LIMIT = 0.05
NAIVE_FACTOR = 10  # at least so far off must the naive clock be, at p75 and p90
NAIVE_AT = (0.75, 0.90)
PER_S = 100
RUN_S, STALL_S = 8, 4  # half of the run: p99 needs 368 samples
TIMEOUT_S = 30
NAIVE = ["closed", "--clients=1", f"--think={1000 // PER_S}ms"]


@dataclass(frozen=True)
class Level:
    """One percentile: what a clock said, and what is true."""

    share: float
    said: float
    truth: float

    @property
    def off(self) -> float:
        """By which share it is off."""
        return self.said / self.truth - 1

    def __str__(self) -> str:
        name = "max" if self.share == 1 else f"p{100 * self.share:g}"
        return (
            f"{name:4} {self.said:9.4f} s   truth {self.truth:.4f} s   {self.off:+8.1%}"
        )


def levels(latencies: list[float], stall: float) -> list[Level]:
    """What the clock said of a stall."""
    return [
        Level(share, value_at(latencies, share), part * stall)
        for share, part in TRUTH.items()
    ]


def value_at(latencies: list[float], share: float) -> float:
    """A percentile, or the longest."""
    return (
        max(latencies) if share == 1 else percentile(latencies, share, TIMEOUT_S).value
    )


def tells_the_truth(found: list[Level]) -> bool:
    """Is every percentile within the limit?"""
    return all(abs(each.off) <= OFF_LIMIT for each in found)


def is_far_off(found: list[Level]) -> bool:
    """Is the naive clock wrong by so much that nobody can miss it?"""
    return all(
        each.said * NAIVE_FACTOR < each.truth
        for each in found
        if each.share in NAIVE_AT
    )


def lived(client: Client) -> float:
    """From the intended start."""
    return client.latency


def naive(client: Client) -> float:
    """From the actual start."""
    return (client.done - client.started) / NS_PER_S


def stop_for_a_while(server: int, begun: float) -> float:
    """Stop a process in the middle of a run; returns for how long."""
    time.sleep(max(0, begun + (RUN_S - STALL_S) / 2 - time.monotonic()))
    os.kill(server, signal.SIGSTOP)
    stopped = time.monotonic()
    try:
        time.sleep(STALL_S)
    finally:
        os.kill(server, signal.SIGCONT)
    return time.monotonic() - stopped


def run_with_stall(
    command: list[str], load: list[str], records: Path
) -> tuple[list[Client], float]:
    """One run; returns its records, and how long the server stood still."""
    with started(command) as server:
        port = wait_until_ready(server)
        flags = [f"--port={port}", f"--duration={RUN_S}s", f"--timeout={TIMEOUT_S}s"]
        with started([*load, *flags, f"--output={records}"]) as generator:
            stall = stop_for_a_while(server.child.pid, time.monotonic())
            if not await_end(generator, RUN_S + TIMEOUT_S):
                raise BenchError("load did not end")
        if generator.status != 0:
            raise BenchError(f"load failed: {generator.reason}")
    return read_clients(records), stall


def check(build: Path, folder: Path) -> bool:
    """Both modes on the first lab: does one pass, and the other fail?"""
    lab = find_labs(SOURCE, build)[0]
    server = lab.command(folder / "trace.csv", {})
    load = str(build / "bench" / "load")
    modes = (
        ("open loop, from the intended start", ["rate", f"--rate={PER_S}"], lived),
        ("naive: closed loop, from the actual start", NAIVE, naive),
    )
    results = []
    for name, flags, clock in modes:
        command = [load, *flags]
        clients, stall = run_with_stall(server, command, folder / "records.csv")
        found = levels([clock(client) for client in clients], stall)
        results.append(found)
        print(f"{name}: {len(clients)} records, the server stopped for {stall:.3f} s")
        print("".join(f"  {each}\n" for each in found), end="")
    return judge(*results)


def judge(honest: list[Level], simple: list[Level]) -> bool:
    """Say how the test went."""
    passed, bites = tells_the_truth(honest), is_far_off(simple)
    print(
        f"the bench {'passes' if passed else 'FAILS'} the ^Z test (+-{OFF_LIMIT:.0%})"
    )
    print(
        f"the naive mode fails it by more than {NAIVE_FACTOR} times: the test bites"
        if bites
        else "the naive mode does NOT fail it by far: the test proves nothing"
    )
    return passed and bites


def run(given: argparse.Namespace) -> bool:
    """Does the bench pass the test, and does the test bite?"""
    with tempfile.TemporaryDirectory() as folder:
        return check(given.build, Path(folder))
