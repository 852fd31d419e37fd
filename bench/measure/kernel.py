"""What the kernel counts while a run lasts: lost connections, and who had the CPUs."""

import os
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
    busy_s: float  # CPU time of all processes on this machine
    stolen_s: float  # CPU time that the hypervisor gave to others
    total_s: float  # all CPU time there was

    def since(self, earlier: "Snapshot") -> "Snapshot":
        """What has been counted from an earlier moment to this one."""
        return Snapshot(
            {name: self.network[name] - earlier.network[name] for name in self.network},
            self.busy_s - earlier.busy_s,
            self.stolen_s - earlier.stolen_s,
            self.total_s - earlier.total_s,
        )


def look() -> Snapshot:
    """Read the counters now."""
    user, nice, system, idle, iowait, irq, softirq, stolen = cpu_seconds()
    busy = user + nice + system + irq + softirq
    return Snapshot(network_counters(), busy, stolen, busy + idle + iowait + stolen)


def cpu_seconds() -> list[float]:
    """The first eight columns of /proc/stat: see proc(5)."""
    ticks = read(Path("/proc/stat")).partition("\n")[0].split()[1:9]
    return [int(tick) / TICKS_PER_S for tick in ticks] or [0.0] * 8


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
