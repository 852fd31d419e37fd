"""Records: what each client lived through, and what the server wrote of it."""

import csv
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from bench.measure.processes import BenchError

NS_PER_S = 1_000_000_000
Row = TypeVar("Row")


@dataclass(frozen=True)
class Client:
    """One attempt of the generator; times in ns, 0 where not reached."""

    i: int
    intended: int
    started: int
    connected: int
    sent: int
    first_byte: int
    done: int
    bytes: int
    outcome: str
    errno: str
    phase: str
    port: int
    syn_retransmits: int

    @property
    def latency(self) -> float:
        """Seconds from the intended instant to the answer; a failure is infinite."""
        if self.outcome != "ok":
            return math.inf
        return (self.done - self.intended) / NS_PER_S

    @property
    def last_seen(self) -> int:
        """The last moment of which this record tells."""
        return max(self.done, self.first_byte, self.sent, self.connected, self.started)

    @property
    def lateness(self) -> float:
        """Seconds by which the generator started this client too late."""
        return max(0, self.started - self.intended) / NS_PER_S


@dataclass(frozen=True)
class Visit:
    """One row of a server's trace; times in ns on the clients' clock."""

    port: int
    accepted: int
    begun: int
    ended: int
    worker: int
    outcome: str

    @property
    def held(self) -> float:
        """Seconds for which this client held a clerk."""
        return (self.ended - self.begun) / NS_PER_S


def read_clients(path: Path) -> list[Client]:
    """The generator's records."""
    return read_rows(path, Client)


def read_visits(path: Path) -> list[Visit]:
    """A server's trace."""
    return read_rows(path, Visit)


def read_rows(path: Path, kind: Callable[..., Row]) -> list[Row]:
    """One record per CSV row, with the columns that its kind names."""
    columns = [(field.name, field.type) for field in fields(kind)]
    try:
        with path.open(newline="") as file:
            return [
                kind(**{name: parse(row[name]) for name, parse in columns})
                for row in csv.DictReader(file)
            ]
    except OSError as error:
        raise BenchError(f"cannot read {path}: {error.strerror}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise BenchError(f"{path} is not as expected: {error!r}") from error


def join(
    clients: list[Client], visits: list[Visit]
) -> list[tuple[Client, Visit | None]]:
    """Each client with its visit, by source port, in the order of the line.

    A client that the server never accepted stands last and has no visit. The kernel may
    give a port away again in a long run: its clients come in the same order on both sides.
    """
    by_port: dict[int, list[Visit]] = {}
    for visit in sorted(visits, key=lambda visit: visit.accepted, reverse=True):
        by_port.setdefault(visit.port, []).append(visit)
    users = Counter(client.port for client in clients)
    if any(
        len(found) != users[port] and max(len(found), users[port]) > 1
        for port, found in by_port.items()
    ):
        raise BenchError(
            "two clients of one run had the same port: cannot join the trace"
        )
    pairs = [
        (client, by_port[client.port].pop() if by_port.get(client.port) else None)
        for client in sorted(clients, key=lambda client: client.started)
    ]
    return sorted(pairs, key=lambda pair: pair[1].accepted if pair[1] else math.inf)
