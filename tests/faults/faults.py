"""Servers in trouble: what the fault suite adds to servers.py.

    with faulty(lab, "echo") as server:
        server.fail("accept",
        "connect", errno.EMFILE, times=5)
        assert server.is_served()
        assert server.failed("accept") == 5

`fail` makes a system call of the running server fail, from outside: inject.c is preloaded into
it and reads a table in a file, which is written here. `times=ALWAYS` lasts until `heal`.

At the end of the block the common checks hold (servers.Server.finish): the server lives, its
descriptors and threads are back, a newcomer is served, SIGTERM ends it with status 0, and it has
said nothing on standard error but `expected_trouble`. Here is added that at rest it uses no CPU,
that no descriptor was closed twice, and that one cause was not told again and again.
"""

import csv
import mmap
import os
import re
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.clients import Client
from tests.helpers.labs import Lab
from tests.helpers.servers import Server
from tests.helpers.idleness import MAX_IDLE_SHARE, pass_time  # noqa: F401
from tests.helpers.setting import SANITIZERS, until
from tests.helpers.rooms import Room
from tests.helpers.web import WebServer

HERE = Path(__file__).resolve().parent
CC = os.environ.get("CC", "cc").split()

# The rows of the table are those of `enum call` there.
CALLS = [
    name.lower()
    for name in re.findall(
        r"^    ([A-Z_]+),",
        (HERE / "inject.c")
        .read_text()
        .partition("enum call {")[2]
        .partition("CALLS\n")[0],
        re.MULTILINE,
    )
]
ROW = struct.Struct("=iiii")  # after, times, error, failed
ALWAYS = 2**31 - 1

AT_REST_S = 0.02  # how long a server is looked at that has nothing to do

BUSY = b"busy: no clerk is free, please come back later\n"
KIB, MIB = 1024, 1024 * 1024


def shim_library(name: str, source: Path, folder: Path, *flags: str) -> Path:
    """Build a shared library to preload."""
    library = folder / name
    command = [*CC, "-std=c17", "-O1", "-g", "-fPIC", "-shared", *flags]
    command += ["-D_FILE_OFFSET_BITS=64"]  # as the servers call them: openat64
    done = subprocess.run(
        [*command, "-o", str(library), str(source), "-ldl"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return library


def program(name: str, folder: Path) -> Path:
    """Build a small program of this folder."""
    built = folder / name
    command = [*CC, "-std=c17", "-O2", "-Wall", "-Wextra", "-D_DEFAULT_SOURCE"]
    done = subprocess.run(
        [*command, "-o", str(built), str(HERE / f"{name}.c")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return built


class Built:
    """What conftest.py has built for this run."""

    shim: Path | None = None
    visits: Path | None = None


class FaultTable:
    """The table of inject.c, shared with one server."""

    def __init__(self) -> None:
        self.file = tempfile.NamedTemporaryFile(prefix="faults-")
        self.file.truncate(ROW.size * len(CALLS))
        self.memory = mmap.mmap(self.file.fileno(), ROW.size * len(CALLS))

    def environment(self) -> dict[str, str]:
        """The environment in which a program listens to this table."""
        chosen = {**os.environ, "FAULTS": self.file.name, "LD_PRELOAD": str(Built.shim)}
        if (
            "address" in SANITIZERS
        ):  # it wants to be loaded before all others, and need not be
            options = os.environ.get("ASAN_OPTIONS", "")
            chosen["ASAN_OPTIONS"] = f"{options}:verify_asan_link_order=0"
        return chosen

    def row(self, call: str) -> tuple[int, int, int, int]:
        return ROW.unpack_from(self.memory, ROW.size * CALLS.index(call))

    def set(self, call: str, error: int, times: int = 1, after: int = 0) -> None:
        """The next `after` calls pass, then `times` calls fail."""
        at = ROW.size * CALLS.index(call)
        self.memory[at + 4 : at + 8] = struct.pack("=i", 0)  # nothing happens meanwhile
        self.memory[at : at + 4] = struct.pack("=i", after)
        self.memory[at + 8 : at + 16] = struct.pack("=ii", error, 0)
        self.memory[at + 4 : at + 8] = struct.pack("=i", times)

    def failed(self, call: str) -> int:
        """How often it has failed since it was set."""
        return self.row(call)[3]

    def heal(self) -> None:
        """From now on everything works, and the counts stay."""
        for call in CALLS:
            at = ROW.size * CALLS.index(call)
            self.memory[at + 4 : at + 8] = struct.pack("=i", 0)
        at = ROW.size * CALLS.index("clock")
        self.memory[at + 8 : at + 12] = struct.pack("=i", 0)


class Faulty:
    """A server whose system calls can be made to fail. To be mixed into a Server."""

    def __init__(
        self, lab: Lab, arguments: list[str], **process_options: object
    ) -> None:
        self.table = process_options.pop("table", None) or FaultTable()
        process_options.setdefault("env", self.table.environment())
        super().__init__(lab, arguments, **process_options)

    def fail(self, call: str, error: int, times: int = 1, after: int = 0) -> None:
        self.table.set(call, error, times, after)

    def shorten(self, call: str, most: int) -> None:
        """From now on this call transfers so many bytes at most."""
        self.table.set(call, -most, ALWAYS)

    def failed(self, call: str) -> int:
        return self.table.failed(call)

    def heal(self) -> None:
        self.table.heal()

    def until_failed(self, call: str, times: int = 1) -> None:
        until(lambda: self.failed(call) >= times, f"{call} has failed {times} times")

    def is_idle(self) -> bool:
        """Does it use next to no CPU, looked at for a moment?"""
        began, before = time.monotonic(), self.cpu_s()
        time.sleep(AT_REST_S)  # nothing is waited for: nothing must happen
        passed = time.monotonic() - began
        return self.cpu_s() - before <= MAX_IDLE_SHARE * passed

    def check_idle(self) -> None:
        """With nothing to do it does nothing, once it has cleared up."""
        self.until_at_rest()
        until(self.is_idle, "a server with nothing to do uses no CPU")

    def check_trouble(self) -> None:
        """One clear line per cause, and again after a second at the soonest."""
        super().check_trouble()
        lines = self.trouble()
        most = 1 + (time.monotonic() - self.started)
        assert (
            len(lines) <= most
        ), f"{len(lines)} lines in {most - 1:.1f} s: {lines[:3]}..."
        for line in lines:
            assert line.startswith(f"{self.lab.name}: ") and line.endswith("\n"), line

    def __enter__(self) -> "Faulty":
        self.started = time.monotonic()
        return super().__enter__()

    def finish(self) -> object:
        self.heal()
        for client in self.clients:
            client.close()
        self.check_alive()
        self.check_idle()
        summary = super().finish()
        assert self.failed("bad_close") == 0, "something was closed that was not open"
        return summary

    # What the kernel knows of it

    def status_kib(self, name: str) -> int:
        """A size in its /proc/PID/status, such as VmRSS or VmHWM."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)[1])

    # Is it well?

    def is_served(self) -> bool:
        """A whole conversation of a newcomer."""
        client = self.greeted()
        line = client.ask(b"echo are you there?")
        client.close()
        return line.endswith(b"are you there?\n")


class FaultyServer(Faulty, Server):
    """Echo and desk."""


class FaultyRoom(Faulty, Room):
    """The chat."""

    def is_served(self) -> bool:
        client = self.greeted()
        line = client.ask(b"are you there?")
        while line.startswith(b"-- "):  # somebody else came or left
            line = client.line()
        client.close()
        return line.endswith(b": are you there?\n")


class FaultyWebServer(Faulty, WebServer):
    """http and files: the folder has a file `page` with the words `hello`."""

    def is_served(self) -> bool:
        client = self.connect()
        reply = client.get("/page")
        client.close()
        return (reply.status, reply.body) == (200, b"hello")


SERVERS = {"chat": FaultyRoom, "http": FaultyWebServer, "files": FaultyWebServer}


def faulty(
    lab: Lab,
    service: str = "echo",
    *flags: str,
    folder: Path | None = None,
    **options: object,
) -> Faulty:
    """A server on any free port, for a `with` block."""
    arguments = ["--port=0", *flags, service] + (
        [str(folder)] if folder is not None else []
    )
    return SERVERS.get(service, FaultyServer)(lab, arguments, **options)


def any_service(
    lab: Lab, service: str, site: Path, *flags: str, **options: object
) -> Faulty:
    """The same for any of the five; site is served by those that serve a folder."""
    is_web = service in ("http", "files")
    return faulty(lab, service, *flags, folder=site if is_web else None, **options)


ALL_SERVICES = ["echo", "desk", "chat", "http", "files"]


# --- the trace -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Visit:
    """A row of the trace; times are of CLOCK_MONOTONIC, which time.monotonic_ns() is too."""

    port: int
    accepted_ns: int
    begun_ns: int
    ended_ns: int
    outcome: str


def visits(trace: Path) -> list[Visit]:
    """The rows that are whole."""
    with open(trace, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["outcome"]]
    return [
        Visit(
            int(row["port"]),
            int(row["accepted"]),
            int(row["begun"]),
            int(row["ended"]),
            row["outcome"],
        )
        for row in rows
    ]


def visit_of(trace: Path, client: Client) -> Visit:
    """The visit of this client, once it is over."""

    def rows() -> list[Visit]:
        return [visit for visit in visits(trace) if visit.port == client.port]

    until(rows, "the visit is over, by the trace")
    return rows()[0]
