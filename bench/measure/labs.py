"""The labs: found by folder, known by the flags that their servers have."""

import math
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.measure.machine import limits
from bench.measure.processes import START_TIMEOUT_S, BenchError

MAX_CLIENTS = 20000  # for a lab with a thread for each client, if so many may be had
DESCRIPTORS = {"http": 3, "files": 3, "chat": 3}  # for each client; else its connection
SPARE_DESCRIPTORS = 100
BACKLOG = 4096  # what Linux lets a listener have unless somaxconn says otherwise


def most_clients(service: str) -> int:
    """How many clients a server is told that it may have at once on this machine."""
    descriptors, threads = limits()
    each = DESCRIPTORS.get(service, 1)
    return max(min(MAX_CLIENTS, threads, (descriptors - SPARE_DESCRIPTORS) // each), 1)


@dataclass(frozen=True)
class Lab:
    """A server and what it can be told."""

    number: int  # among all labs; its colour in every chart; 0 for the null server
    name: str
    program: Path
    flags: frozenset[str]

    @property
    def title(self) -> str:
        """The folder's name for people: lab3-thread-pool is Lab 3 thread-pool."""
        if not self.name.startswith("lab"):
            return self.name
        number, _, model = self.name.removeprefix("lab").partition("-")
        return f"Lab {number} {model}"

    @property
    def has_pool(self) -> bool:
        """Do a fixed number of workers serve?"""
        return bool({"threads", "workers"} & self.flags)

    def clerks(self, pool: int) -> float:
        """How many clients are served at once when a pool has this size."""
        if self.has_pool:
            return pool
        return math.inf if "max-clients" in self.flags else 1

    def command(
        self,
        trace: Path | None,
        flags: Mapping[str, object],
        service: tuple[str, ...] = ("desk",),
    ) -> list[str]:
        """How to start the server on any free port, open to a large crowd.

        Of the flags it gets those that it has: one plan suits every lab.
        """
        wanted = {"max-clients": most_clients(service[0]), "backlog": BACKLOG} | dict(
            flags
        )
        wanted |= {"workers": wanted[flag] for flag in ("threads",) if flag in wanted}
        given = [
            f"--{flag}={value}" for flag, value in wanted.items() if flag in self.flags
        ]
        given += [f"--trace={trace}"] if trace else []
        return [str(self.program), "--port=0", *given, *service]


def find_labs(source: Path, build: Path) -> list[Lab]:
    """Every lab of the source tree, each with its built server."""
    folders = sorted(file.parent.name for file in source.glob("lab*/server.c"))
    if not folders:
        raise BenchError(f"no lab*/server.c in {source}")
    return [
        find_lab(number, name, build / name / "server")
        for number, name in enumerate(folders, 1)
    ]


def find_models(source: Path, build: Path, first: int) -> list[Lab]:
    """Every model of bench/models, numbered from first: each has its colour for ever."""
    names = sorted(file.stem for file in (source / "bench" / "models").glob("*.c"))
    folder = build / "bench" / "models"
    return [find_lab(number, n, folder / n) for number, n in enumerate(names, first)]


def find_also(given: str, number: int) -> Lab:
    """A further server, as NAME=DIR: the program server in a folder, or in its out."""
    name, _, where = given.partition("=")
    programs = [Path(where) / "server", Path(where) / "out" / "server"]
    found = [each for each in programs if each.is_file()]
    if not name or not where or not found:
        raise BenchError(f"--also={given}: not NAME=DIR with a built DIR/server")
    return find_lab(number, name, found[0].resolve())


def find_null(build: Path) -> Lab:
    """The null server, which answers at once: the floor below every lab."""
    return find_lab(0, "null", build / "bench" / "null")


def find_lab(number: int, name: str, program: Path) -> Lab:
    """One lab; its flags are what its --help lists."""
    try:
        answer = subprocess.run(
            [program, "--help"], capture_output=True, text=True, timeout=START_TIMEOUT_S
        )
    except FileNotFoundError as error:
        raise BenchError(f"{program} is missing: run make first") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"cannot run {program}: {error}") from error
    return Lab(
        number,
        name,
        program,
        frozenset(re.findall(r"^\s+--([a-z-]+)", answer.stdout, re.M)),
    )
