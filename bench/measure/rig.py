"""The rig: runs that look into a server's process, and count its answers by the thousand."""

import contextlib
import dataclasses
import math
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from itertools import chain
from pathlib import Path

from bench.judge import gates
from bench.measure import kernel
from bench.measure.processes import Program, BenchError, await_end, started
from bench.measure.records import read_clients
from bench.measure.runs import (
    HOST,
    Generator,
    Measured,
    Run,
    await_line,
    complaints_of,
    limit_s,
    load_command,
    records_path,
    wait_until_ready,
)
from bench.measure.usage import Usage, cpu_of, usage_of
from bench.measure.yardsticks import Yardstick, find_free_port, wait_until_serves

INDEX, SMALL, LARGE = "index.html", "1KiB", "100MiB"  # files of the site
SIZES = {INDEX: 1 << 10, SMALL: 1 << 10, LARGE: 100 << 20}
GENERATORS = 2  # to share many users: one alone would be slower than a server can be
ARRIVALS = 8_000  # a second, of clients who stay: a generator can keep that up
REST_S = 0.1  # for so long the server's clients are watched doing nothing


@dataclass(frozen=True)
class Counted(Measured):
    """A run of which only sums are kept, for its clients are too many."""

    answered: int = 0
    failed: Counter = field(default_factory=Counter)
    span_s: float = 0  # from the first start to the last answer
    received: int = 0  # bytes
    times: list[float] = field(default_factory=list, repr=False)
    cpu_s: float = 0  # of the server, while clients came
    accepting_s: float = 0  # of it, that of the thread that main() runs in

    @property
    def latencies(self) -> list[float]:
        """One for each request, infinite where it failed."""
        return self.times

    @property
    def attempts(self) -> int:
        """How many requests there were."""
        return len(self.times)

    @property
    def failures(self) -> Counter:
        """How many requests failed, by what became of them."""
        return self.failed

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answered / self.span_s if self.answered else math.nan

    @property
    def cpu_each_s(self) -> float:
        """The server's CPU time for an answer."""
        return self.cpu_s / self.answered if self.answered else math.nan

    @property
    def generator_each_s(self) -> float:
        """The generator's, which shares the cores."""
        own = sum(self.generator_cpu_s.values())
        return own / self.answered if self.answered else math.nan


@dataclass(frozen=True)
class Held(Measured):
    """A run whose clients stay: the server before they came and with them there."""

    before: Usage | None = None
    during: Usage | None = None
    idle_cpu_s: float = 0  # what it took while nobody said anything

    @property
    def greeted(self) -> int:
        """How many were served; the others stand in line."""
        return sum(client.outcome == "ok" for client in self.clients)

    @property
    def failures(self) -> Counter:
        """Those who are not greeted in time stand in line, which is no failure."""
        counts = super().failures
        del counts["timeout"]
        return counts

    @property
    def latencies(self) -> list[float]:
        """Nobody asks for anything."""
        return []

    def added(self, what: str) -> float:
        """By how much its clients made the server larger, each on average."""
        change = getattr(self.during, what) - getattr(self.before, what)
        return change / self.run.clients


@cache
def site() -> Path:
    """A folder with files for web servers, which is gone when the bench ends."""
    folder = tempfile.TemporaryDirectory(prefix="bench-site-")
    SITES.append(folder)
    os.chmod(folder.name, 0o755)  # nginx and Apache read it as another user
    for name in SIZES.keys() - {LARGE}:
        add_file(Path(folder.name), name)
    return Path(folder.name)


def add_file(folder: Path, name: str) -> None:
    """Write one; the large one takes a second, so only where somebody asks for it."""
    (folder / name).write_bytes(bytes(SIZES[name]))


SITES: list[tempfile.TemporaryDirectory] = []  # they live as long as they stand here


def sharing(users: int, flags: dict[str, object]) -> tuple[Generator, ...]:
    """Generators that share so many users, who ask again as soon as they can."""
    groups = min(users, GENERATORS)
    own = flags | {"clients": users // groups}
    return tuple(Generator("closed", own, f"clients-{n}") for n in range(1, groups + 1))


def perform(run: Run, load: Path, raw: Path) -> Measured:
    """Make one run without a trace, which would cost the server a row a client."""
    paths = {each.name: records_path(run, each, raw) for each in run.generators}
    counters = kernel.look()
    with serving(run) as (server, port):
        warm_up(run, load, raw, port)
        before = usage_of(server.child.pid)
        with contextlib.ExitStack() as stack:
            visitors = {
                each.name: stack.enter_context(
                    started(load_command(run, each, load, raw, HOST, port))
                )
                for each in run.generators
            }
            during, idle_cpu_s = watch(run, server, list(visitors.values()))
    counted = kernel.look().since(counters)
    for visitor in visitors.values():
        if visitor.status != 0:
            raise BenchError(f"the generator failed: {visitor.reason}")
    records = {name: read_clients(path) for name, path in paths.items()}
    made = {
        "run": run,
        "clients": records.pop(run.generators[0].name),
        "others": records,
        "visits": [],
        "complaints": complaints_of(server, run),
        "server": server.usage,
        "generator_cpu_s": {name: each.cpu_s for name, each in visitors.items()},
        "counted": counted,
    }
    if run.generators[0].mode == "hold":
        return Held(**made, before=before, during=during, idle_cpu_s=idle_cpu_s)
    for path in paths.values():
        path.unlink()
    return add_up(Measured(**made), before, during)


def warm_up(run: Run, load: Path, raw: Path, port: int) -> None:
    """Let clients come who do not count: what is done once is done then."""
    if run.warm_up is None:
        return
    with started(load_command(run, run.warm_up, load, raw, HOST, port)) as visitor:
        if not await_end(visitor, limit_s(run)):
            raise BenchError(f"{run.warm_up.mode} of load did not end: {run.step}")
    records_path(run, run.warm_up, raw).unlink(missing_ok=True)


def add_up(made: Measured, before: Usage, during: Usage) -> Counted:
    """Let go of the records of all generators, once the gates have seen them."""
    everybody = list(chain(made.clients, *made.others.values()))
    answered = [client for client in everybody if client.outcome == "ok"]
    together = dataclasses.replace(made, clients=everybody)
    known = {each.name: getattr(made, each.name) for each in fields(Measured)}
    return Counted(
        **known | {"clients": [], "others": {}, "gauged": gates.gauge(made)},
        answered=len(answered),
        failed=together.failures,
        span_s=gates.span_s(answered),
        received=sum(client.bytes for client in answered),
        times=together.latencies,
        cpu_s=during.cpu_s - before.cpu_s,
        accepting_s=during.accepting_s - before.accepting_s,
    )


@contextlib.contextmanager
def serving(run: Run) -> Iterator[tuple[Program, int]]:
    """Start the server of a run; gives it with its port."""
    if isinstance(run.lab, Yardstick):
        with yardstick_serving(run.lab) as found:
            yield found
        return
    with started(run.lab.command(None, run.flags, run.service)) as server:
        yield server, wait_until_ready(server)


@contextlib.contextmanager
def yardstick_serving(yardstick: Yardstick) -> Iterator[tuple[Program, int]]:
    """Start nginx or Apache on a port of its own, and remove all that it wrote."""
    with tempfile.TemporaryDirectory(prefix="bench-server-") as folder:
        os.chmod(folder, 0o755)
        port = find_free_port()
        with started(yardstick.command(site(), Path(folder), port)) as server:
            wait_until_serves(server, port)
            yield server, port


def watch(run: Run, server: Program, visitors: list[Program]) -> tuple[Usage, float]:
    """The server when all clients have been there, or are; and what it does for nothing."""
    if run.generators[0].mode == "hold":
        await_line(visitors[0], rb"holding (\d+)\n", limit_s(run))
        during = usage_of(server.child.pid)
        time.sleep(REST_S)
        return during, cpu_of(server.child.pid) - during.cpu_s
    for visitor in visitors:
        if not await_end(visitor, limit_s(run)):
            raise BenchError(
                f"{run.generators[0].mode} of load did not end: {run.step}"
            )
    return usage_of(server.child.pid), 0.0
