"""What the kernel charges for letting another thread run, and for how long it lets one.

Interrupts are held back only while there is a process that has no end of its own: a moment.
"""

import os
import time
from statistics import median

from bench.measure.processes import INTERRUPTS

ROUNDS, TRIES = 2000, 5
BURN_S = 0.15


def measure_switches(is_apart: bool) -> list[float]:
    """Seconds from one process to another and into it, by a byte through a pipe.

    On one core that is a context switch; on two it wakes up a core that sleeps.
    What the two calls cost by themselves is measured, too, and taken off.
    """
    cores = sorted(os.sched_getaffinity(0))
    other = cores[-1] if is_apart else cores[0]
    own = [call_s() for _ in range(TRIES)]
    return [max(0.0, ping_s(cores[0], other) - median(own)) for _ in range(TRIES)]


def call_s() -> float:
    """A write and a read of a pipe that nobody waits for."""
    reader, writer = os.pipe()
    begun = time.perf_counter()
    for _ in range(ROUNDS):
        os.write(writer, b".")
        os.read(reader, 1)
    took = time.perf_counter() - begun
    os.close(reader)
    os.close(writer)
    return took / ROUNDS


@INTERRUPTS.shielded()
def ping_s(core: int, other: int) -> float:
    """Half of a round trip between two processes."""
    there, back = os.pipe(), os.pipe()
    before = os.sched_getaffinity(0)
    child = os.fork()
    if child == 0:
        os.close(there[1])  # so that the other end is seen to close
        answer(there[0], back[1], other)
    os.sched_setaffinity(0, {core})
    try:
        begun = time.perf_counter()
        for _ in range(ROUNDS):
            os.write(there[1], b".")
            os.read(back[0], 1)
        return (time.perf_counter() - begun) / ROUNDS / 2
    finally:
        os.sched_setaffinity(0, before)
        for end in (*there, *back):
            os.close(end)
        os.waitpid(child, 0)


def answer(reader: int, writer: int, core: int) -> None:
    """The other process: a byte back for each byte, until the pipe is closed."""
    os.sched_setaffinity(0, {core})
    while os.read(reader, 1):
        os.write(writer, b".")
    os._exit(0)


@INTERRUPTS.shielded()
def measure_slice() -> float:
    """For how long one of two busy processes has a core before the other has it."""
    core = min(os.sched_getaffinity(0))
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            burn(core)
        children.append(child)
    used, switches = 0.0, 0
    for child in children:
        usage = os.wait4(child, 0)[2]
        used += usage.ru_utime + usage.ru_stime
        switches += usage.ru_nivcsw
    return used / max(1, switches)


def burn(core: int) -> None:
    """Compute on one core for a while, then end."""
    os.sched_setaffinity(0, {core})
    end = time.perf_counter() + BURN_S
    while time.perf_counter() < end:
        pass
    os._exit(0)
