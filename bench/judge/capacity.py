"""Capacity on paper: how many machines serve so many clients, and what ends first.

machines = the most, over all resources, of demand / what one machine has: a resource
cannot be used for more than all of it (the utilisation law; Denning & Buzen 1978), and
of a processor only BUSY, for waiting grows as 1 / (1 - load).
"""

import math
from dataclasses import dataclass

BUSY = 0.7  # of the cores: beyond it a queue doubles with every little more
FILLED = 0.8  # of the memory
PORTS = 60999 - 32768 + 1  # of one address, to one server: net.ipv4.ip_local_port_range
KIB, GIB = 1 << 10, 1 << 30


@dataclass(frozen=True)
class Machine:
    """What one machine has."""

    cores: int
    memory: int  # bytes
    descriptors: int  # of the server's process
    backlog: int  # connections that the kernel keeps until they are accepted


@dataclass(frozen=True)
class Demand:
    """What clients ask for, and what one of them costs by this machine's prices."""

    clients: int
    each_s: float  # a client sends a request this often
    cpu_s: float  # for a request
    bytes: float  # while it is there, those of its socket in the kernel apart


def shares(demand: Demand, machine: Machine) -> dict[str, float]:
    """How many machines each resource would take, for itself."""
    rate = demand.clients / demand.each_s
    return {
        "processor": rate * demand.cpu_s / (BUSY * machine.cores),
        "memory": demand.clients * demand.bytes / (FILLED * machine.memory),
        "descriptors": demand.clients / machine.descriptors,
    }


def machines(demand: Demand, machine: Machine) -> tuple[int, str]:
    """How many machines it takes, and which resource ends first."""
    needed = shares(demand, machine)
    first = max(needed, key=needed.get)
    return math.ceil(needed[first]), first


def patience_s(demand: Demand, machine: Machine) -> float:
    """How long nobody may accept before the queue overflows, if all clients come anew.

    The kernel keeps backlog + 1 (listen(2)); clients come once in each_s.
    """
    count, _ = machines(demand, machine)
    return (machine.backlog + 1) / (demand.clients / demand.each_s / count)


def balancer_addresses(demand: Demand, machine: Machine) -> int:
    """How many addresses of its own a balancer needs towards each server."""
    count, _ = machines(demand, machine)
    return math.ceil(demand.clients / count / PORTS)


def worked_example(demand: Demand, machine: Machine) -> list[str]:
    """The formula with its numbers, a line for each resource."""
    needed = shares(demand, machine)
    count, first = machines(demand, machine)
    rate = demand.clients / demand.each_s
    return [
        f"{demand.clients:,} clients, a request every {demand.each_s:g} s each:"
        f" {rate:,.0f} requests/s.",
        f"processor: {rate:,.0f}/s x {demand.cpu_s * 1e6:.0f} us / ({BUSY} x"
        f" {machine.cores} cores) = {needed['processor']:.2f} machines",
        f"memory: {demand.clients:,} x {demand.bytes / KIB:.1f} KiB / ({FILLED} x"
        f" {machine.memory / GIB:.1f} GiB) = {needed['memory']:.2f} machines",
        f"descriptors: {demand.clients:,} / {machine.descriptors:,} ="
        f" {needed['descriptors']:.2f} machines",
        f"So {count}, and {first} end first. The accept queue of each ({machine.backlog:,})"
        f" bears {1000 * patience_s(demand, machine):,.0f} ms without an accept, if every"
        " request is a new connection.",
        f"A balancer has {PORTS:,} ports for each of its addresses towards one server, so it"
        f" needs {balancer_addresses(demand, machine)} of them.",
    ]
