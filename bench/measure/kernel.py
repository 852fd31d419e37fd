"""What the kernel counts while a run lasts: lost connections, and who had the CPUs."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
COUNTERS = (  # of /proc/net/netstat; where a kernel lacks one it counts as 0
    "ListenOverflows",
    "ListenDrops",
    "TCPSynRetrans",
    "SyncookiesSent",
    "TCPReqQFullDoCookies",
    "TCPTimeouts",
)
SYSCTL_FOLDER = Path("/proc/sys/net")


@dataclass(frozen=True)
class Snapshot:
    """The kernel's counters at one moment; or, as a difference, during a run."""

    network: dict[str, int]
    busy_s: float  # CPU time of all processes on the cores that the bench may use
    stolen_s: float  # CPU time that the hypervisor gave to others
    total_s: float  # all CPU time there was on these cores
    own_s: float = 0.0  # of busy_s, that of this process: the bench itself

    def since(self, earlier: "Snapshot") -> "Snapshot":
        """What has been counted from an earlier moment to this one."""
        return Snapshot(
            {name: self.network[name] - earlier.network[name] for name in self.network},
            self.busy_s - earlier.busy_s,
            self.stolen_s - earlier.stolen_s,
            self.total_s - earlier.total_s,
            self.own_s - earlier.own_s,
        )


def look() -> Snapshot:
    """Read the counters now.

    Busy is what was not idle, for kernels without exact accounting guess what is
    busy from one look a tick, while they know when a core fell asleep and woke up.
    """
    cores = os.sched_getaffinity(0)
    total = time.monotonic() * len(cores)
    idle, stolen = idle_and_stolen(cores)
    busy = total - idle - stolen
    return Snapshot(network_counters(), busy, stolen, total, time.process_time())


def idle_and_stolen(cores: set[int]) -> tuple[float, float]:
    """Seconds of these cores, summed: see /proc/stat in proc(5)."""
    idle = stolen = 0
    for line in read(Path("/proc/stat")).splitlines():
        core = re.match(r"cpu(\d+) ", line)
        if core and int(core[1]) in cores:
            ticks = [int(each) for each in line.split()[1:9]]
            idle += ticks[3] + ticks[4]  # iowait is idle, too
            stolen += ticks[7]
    return idle / TICKS_PER_S, stolen / TICKS_PER_S


def network_counters() -> dict[str, int]:
    """The counters that tell of lost connections: lines of names, then of numbers."""
    lines = [line.split() for line in read(Path("/proc/net/netstat")).splitlines()]
    counts = {
        name: int(number)
        for names, numbers in zip(lines[::2], lines[1::2])
        for name, number in zip(names[1:], numbers[1:])
    }
    return {name: counts.get(name, 0) for name in COUNTERS}


def sysctl(name: str, otherwise: int) -> int:
    """A setting of the network, as in ipv4/tcp_syn_retries."""
    return int((read(SYSCTL_FOLDER / name).split() or [otherwise])[0])


def read(path: Path) -> str:
    """A file of /proc; nothing where there is none."""
    try:
        return path.read_text()
    except OSError:
        return ""
