"""Usage: what a server takes from the machine, read from the kernel while it runs."""

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NS_PER_S = 1_000_000_000
BYTES_PER_KIB = 1024
PROCESS_CLOCK = 2  # what clock_getcpuclockid(3) makes of a process, in Linux


@dataclass(frozen=True)
class Usage:
    """A server at one moment, with all processes that it has started."""

    cpu_s: float  # since its start
    resident: int  # bytes of memory that are really there
    tables: int  # bytes of the page tables that say where
    reserved: int  # bytes of addresses
    kernel_stacks: int  # bytes, of the whole machine: only differences say something
    threads: int
    accepting_s: float  # CPU seconds of the thread that main() runs in
    switches: int  # from one thread to another, of those threads that still live


def usage_of(pid: int) -> Usage:
    """Look at a server. A process that has ended, and waits to be asked for, has no memory."""
    tree = list(processes_of(pid))
    fields = []
    for each in tree:
        with contextlib.suppress(OSError):  # a child that has just ended
            fields.append(status(Path(f"/proc/{each}/status")))
    return Usage(
        cpu_s=cpu_of(pid),
        resident=BYTES_PER_KIB * sum(each.get("VmRSS", 0) for each in fields),
        tables=BYTES_PER_KIB * sum(each.get("VmPTE", 0) for each in fields),
        reserved=BYTES_PER_KIB * sum(each.get("VmSize", 0) for each in fields),
        kernel_stacks=BYTES_PER_KIB * status(Path("/proc/meminfo"))["KernelStack"],
        threads=sum(each.get("Threads", 0) for each in fields),
        accepting_s=first_thread_s(pid),
        switches=sum(map(switches_of, tree)),
    )


def cpu_of(pid: int) -> float:
    """CPU seconds of a server since its start, to the nanosecond."""
    total_ns = 0
    for each in processes_of(pid):
        with contextlib.suppress(OSError):  # a child that has just ended
            total_ns += time.clock_gettime_ns(~each << 3 | PROCESS_CLOCK)
    return total_ns / NS_PER_S


def first_thread_s(pid: int) -> float:
    """CPU seconds of the thread that main() runs in; 0 where the kernel does not tell."""
    try:
        return (
            int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0])
            / NS_PER_S
        )
    except (OSError, IndexError):
        return 0.0


def processes_of(pid: int) -> Iterator[int]:
    """A process, and all that it has started."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread that has just ended
            for child in children.read_text().split():
                yield from processes_of(int(child))


def switches_of(pid: int) -> int:
    """How often the threads of a process gave their core to another."""
    total = 0
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):  # it has just ended
            fields = status(task / "status")
            total += fields["voluntary_ctxt_switches"]
            total += fields["nonvoluntary_ctxt_switches"]
    return total


def status(path: Path) -> dict[str, int]:
    """The numbers of a file of the kernel's with a name before each."""
    return {
        name: int(value)
        for name, value in re.findall(r"^(\w+):\s*(\d+)", path.read_text(), re.M)
    }
