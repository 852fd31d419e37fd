"""A run: one fresh server, the generators that visit it, and what all wrote down."""

import contextlib
import math
import os
import random
import re
import resource
import select
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure import kernel
from bench.measure.labs import Lab
from bench.measure.processes import (
    START_TIMEOUT_S,
    BenchError,
    Program,
    await_end,
    end,
    started,
)
from bench.measure.records import NS_PER_S, Client, Visit, read_clients, read_visits

OVERLOADED_S = 60  # may pass until a generator ends whose server takes all cores
START_S = 0.025  # a server and a generator start and end, about
HOST = "127.0.0.1"
SERVERS_CORE, GENERATORS_CORE = -1, 0  # of a run whose cores are apart
UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1}


@dataclass(frozen=True)
class Generator:
    """One process of load: a mode, and its flags without their dashes.

    Where no timeout is given, it is far beyond what the run is expected to take.
    """

    mode: str
    flags: Mapping[str, object]
    name: str = "clients"  # of its records; no other of the run has it
    after_s: float = 0  # when it starts, from the start of the first
    is_background: bool = False  # hold, slow: in place before the others, until the end

    @property
    def planned(self) -> int | None:
        """How many attempts it makes, where that is known beforehand."""
        if self.mode in ("burst", "hold", "slow"):
            return int(self.flags["clients"])
        if self.mode == "closed" or self.flags.get("arrivals") == "poisson":
            return None
        return math.ceil(self.flags["rate"] * duration_s(self.flags["duration"]))

    @property
    def lasts_s(self) -> float:
        """For how long it goes on starting clients, or lets them stay."""
        return duration_s(self.flags.get("duration", "0s"))


def burst(clients: int, say: str, head: str | None = None) -> tuple[Generator, ...]:
    """The generator of a run whose clients all come at one instant."""
    flags = {"clients": clients, "say": say} | ({"head": head} if head else {})
    return (Generator("burst", flags),)


def duration_s(text: str) -> float:
    """A duration as flags have it: 500ms is 0.5 seconds."""
    number, unit = re.fullmatch(r"([0-9.]+)([a-z]+)", text).groups()
    return float(number) * UNITS_S[unit]


@dataclass(frozen=True)
class Run:
    """A run that is planned.

    The first of its generators is the one that it is about.
    """

    experiment: str
    group: str  # for the progress line: what this run is a part of
    scene: str
    lab: Lab
    generators: tuple[Generator, ...]
    repeat: int
    expected_s: float
    flags: Mapping[str, object] = field(default_factory=dict)  # the server's
    service: tuple[str, ...] = ("desk",)
    watch: Callable[[int], object] | None = None  # see perform()
    warm_up: Generator | None = None  # comes before all that counts: see rig.py
    is_counted: bool = False  # made by rig.py: no trace, and sums instead of records
    counts_others: bool = False  # its prediction knows what CPU time others had
    effect_s: float = 0  # the time that its chart shows: a lateness is judged by it
    shows_mean: bool = False  # its chart shows no client's time, but the mean of all
    fills_machine: bool = False  # on purpose; that generators are late is in its times
    is_apart: bool = False  # its programs have a core each, and an address that is new

    @property
    def clients(self) -> int:
        """How many clients come; 0 where that is not known beforehand."""
        return self.generators[0].planned or 0

    @property
    def name(self) -> str:
        """The stem of its files: no other run of this bench has it."""
        scene = f"{self.experiment}-{self.scene}"
        return f"{scene}-{self.lab.name}-n{self.clients:04d}-r{self.repeat}"

    @property
    def step(self) -> str:
        """What the progress line says next."""
        crowd = f", {count(self.clients, 'client')}" if self.clients else ""
        return f"{self.lab.name}, {self.scene}{crowd}"

    @property
    def timeout_s(self) -> float:
        """When a client gives up: far beyond anything that is expected."""
        given = self.generators[0].flags.get("timeout")
        return duration_s(given) if given else 10 + int(10 * self.expected_s)


@dataclass(frozen=True)
class Measured:
    """A run that was made."""

    run: Run
    clients: list[Client]  # of the first generator
    visits: list[Visit]
    complaints: list[str]  # what the server said on standard error
    others: dict[str, list[Client]] = field(default_factory=dict)  # by generator
    server: resource.struct_rusage | None = None
    generator_cpu_s: dict[str, float] = field(default_factory=dict)
    counted: kernel.Snapshot | None = None  # by the kernel, during the run
    seen: object = None  # what watch returned
    faults: tuple = ()  # why it is INVALID: see gates.py
    tries: int = 1  # how often it was made until it passed its gates
    failed_tries: tuple["Measured", ...] = ()  # those that did not, without records
    is_left_out: bool = False  # invalid, and there are enough others
    gauged: dict = field(default_factory=dict)  # by gates.gauge(), if records are gone

    @property
    def latencies(self) -> list[float]:
        """One for each client that was planned, infinite where it failed."""
        missing = max(0, self.run.clients - len(self.clients))
        return [client.latency for client in self.clients] + [math.inf] * missing

    @property
    def attempts(self) -> int:
        """How many clients there were, or should have been."""
        return max(self.run.clients, len(self.clients))

    @property
    def failures(self) -> Counter:
        """How many clients failed, by what became of them."""
        counts = Counter(client.outcome for client in self.clients)
        counts["without a record"] = self.attempts - len(self.clients)
        del counts["ok"]
        return +counts


def count(number: int, noun: str) -> str:
    """A number of things, in words."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def perform(run: Run, load: Path, raw: Path) -> Measured:
    """Make one run and read back what was written of it.

    Generators of the background are in place first. Then the others start. When
    they have ended, watch looks at the server's process; then all is stopped.
    """
    trace = raw / f"{run.name}.trace.csv"
    before = kernel.look()
    host = new_address() if run.is_apart else HOST
    command = run.lab.command(trace, {**run.flags, "host": host}, run.service)
    with started(command, core=SERVERS_CORE if run.is_apart else None) as server:
        port = wait_until_ready(server)
        visitors, seen = visit(run, load, raw, (host, port), server)
    counted = kernel.look().since(before)
    records = {
        each.name: read_clients(records_path(run, each, raw)) for each in run.generators
    }
    return Measured(
        run,
        records.pop(run.generators[0].name),
        read_visits(trace) if trace.exists() else [],
        complaints_of(server, run),
        records,
        server.usage,
        {name: visitor.cpu_s for name, visitor in visitors.items()},
        counted,
        seen,
    )


def new_address() -> str:
    """A loopback address that was most probably never used.

    The kernel remembers of each pair of addresses how long answers took, and from that
    how long a new connection waits before it sends again (tcp_metrics).
    """
    return ".".join(["127", *(str(random.randint(1, 254)) for _ in range(3))])


def complaints_of(server: Program, run: Run) -> list[str]:
    """What the server said on standard error, and whether it ended well."""
    said = [f"{run.lab.name}: {server.complaint}"] if server.complaint else []
    if server.status != 0:
        said.append(f"{run.lab.name} ended with status {server.status}")
    return said


def records_path(run: Run, generator: Generator, raw: Path) -> Path:
    """Where a generator writes its records."""
    return raw / f"{run.name}.{generator.name}.csv"


def wait_until_ready(server: Program) -> int:
    """The port from the line with which a server says that it can serve."""
    said = await_line(server, rb" listening on \S*:(\d+) .*\n", START_TIMEOUT_S)
    return int(said[1])


def await_line(program: Program, pattern: bytes, timeout_s: float) -> re.Match:
    """Wait until a program says on standard output what is waited for."""
    said = b""
    output = program.child.stdout.fileno()
    while select.select([output], [], [], timeout_s)[0]:
        piece = os.read(output, 4096)
        said += piece
        if found := re.search(pattern, said):
            return found
        if not piece:
            end(program)
            raise BenchError(f"{program.name} did not start: {program.reason}")
    raise BenchError(
        f"{program.name} did not say in {timeout_s:.0f} s that it is ready"
    )


def visit(
    run: Run, load: Path, raw: Path, address: tuple[str, int], server: Program
) -> tuple[dict[str, Program], object]:
    """Let all generators visit the server; says how they ended and what watch saw."""
    visitors: dict[str, Program] = {}
    with contextlib.ExitStack() as stack:

        def send(generator: Generator) -> Program:
            command = load_command(run, generator, load, raw, *address)
            core = GENERATORS_CORE if run.is_apart else None
            visitors[generator.name] = stack.enter_context(started(command, core=core))
            return visitors[generator.name]

        for generator in run.generators:
            if generator.is_background:
                await_line(send(generator), rb"holding (\d+)\n", limit_s(run))
        send_in_turn([each for each in run.generators if not each.is_background], send)
        await_visitors(run, visitors)
        seen = run.watch(server.child.pid) if run.watch else None
    for visitor in visitors.values():
        if visitor.status != 0:
            raise BenchError(f"the generator failed: {visitor.reason}")
    return visitors, seen


def send_in_turn(
    generators: list[Generator], send: Callable[[Generator], Program]
) -> None:
    """Start each when its time has come."""
    begun = time.monotonic()
    for generator in sorted(generators, key=lambda each: each.after_s):
        time.sleep(max(0, begun + generator.after_s - time.monotonic()))
        send(generator)


def await_visitors(run: Run, visitors: Mapping[str, Program]) -> None:
    """Wait until all have ended but those of the background."""
    for generator in run.generators:
        if generator.is_background:
            continue
        if not await_end(visitors[generator.name], limit_s(run)):
            raise BenchError(f"{generator.mode} of load did not end: {run.step}")


def limit_s(run: Run) -> float:
    """How long a generator may take before something is wrong with it."""
    takes = 2 * run.timeout_s + max(each.lasts_s for each in run.generators)
    return takes + OVERLOADED_S


def load_command(
    run: Run, generator: Generator, load: Path, raw: Path, host: str, port: int
) -> list[str]:
    """How to start a generator."""
    flags = {"host": host, "port": port, "timeout": f"{run.timeout_s:g}s"}
    flags |= {"output": records_path(run, generator, raw)}
    if run.service[0] in ("http", "files"):
        flags["speak"] = "http"
    flags |= generator.flags
    return [
        str(load),
        generator.mode,
        *(f"--{name}={value}" for name, value in flags.items()),
    ]
